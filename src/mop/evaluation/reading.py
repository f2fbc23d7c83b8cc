"""The document of a measured evaluation, as pages, API and downloads show it."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from mop.errors import ValidationFailedError
from mop.evaluation.models import Evaluation
from mop.evaluation.reports.document import ReportOut, report_of
from mop.evaluation.reports.shown import shown_of
from mop.evaluation.results import document_of


def report_for(evaluation: Evaluation, merge: Sequence[str] = ()) -> ReportOut:
    """The document of a measured evaluation, with labels put together.

    Raises:
        ValidationFailedError: the labels cannot be merged.
        NotFoundError: it has no result yet.
    """
    shown = shown_of(document_of(evaluation), least=settings.MOP_EVALUATION_SLICE_ROWS_MIN)
    merged = " + ".join(merge)
    try:
        return report_of(shown, dict.fromkeys(merge, merged) if len(merge) > 1 else None)
    except ValueError as error:
        message = f"These labels cannot be merged: {error}."
        raise ValidationFailedError(message, fields={"merge": [message]}) from error
