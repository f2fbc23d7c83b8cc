"""DSAT cases in the portal's search: by number for everybody, by words for those who may read them."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from mop.accounts.models import User
from mop.dsat.reading import reader
from mop.dsat.selectors import CaseFilter, cases_for_list
from mop.ui.search import Hit, Search


def find_cases(user: User, text: str, limit: int) -> Sequence[Hit]:
    """Cases, newest first; a hit tells nothing of the content."""
    cases, field = cases_for_list(CaseFilter(search=text), reader(user))
    return [
        Hit(case.number, reverse("dsat:case", args=[case.pk]), f"{case.task.name}, {case.state}")
        for case in cases.order_by(f"-{field}")[:limit]
    ]


CASES = Search("DSAT cases", "dsat", find_cases)
