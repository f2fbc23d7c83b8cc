"""The ways to pages of cases."""

from __future__ import annotations

from django.urls import reverse

from mop.dsat.models import Case
from mop.ui.pages import Trail


def below_cases(*further: tuple[str, str]) -> Trail:
    """To a page below the list."""
    return [("DSAT", reverse("dsat:cases")), *further]


def below_case(case: Case, here: str) -> Trail:
    """To a page below a case's."""
    return below_cases((case.number, reverse("dsat:case", args=[case.pk])), (here, ""))
