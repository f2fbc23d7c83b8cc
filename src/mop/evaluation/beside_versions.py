"""The one number beside a version: of each connected task, on its headline dataset, with its change."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from mop.catalog.models import LabelType
from mop.evaluation.comparisons import kept_comparisons, previous_results
from mop.evaluation.headline import headline_datasets
from mop.evaluation.models import Evaluation
from mop.evaluation.reports.comparison import DifferenceOut
from mop.evaluation.standing import evaluations
from mop.registry.models import Revision


@dataclass(frozen=True)
class Headline:
    """One version's number for one task.

    Attributes:
        change: against the version before on the same rows; None where there is none, or it is not compared yet.
        before: that version.
    """

    evaluation: Evaluation
    change: DifferenceOut | None
    before: str

    @property
    def name(self) -> str:
        """What the number is."""
        return "F1" if self.evaluation.task.label_type == LabelType.ORDINAL else "Macro F1"

    @property
    def ends(self) -> tuple[float, float] | None:
        """Of its 95 % interval."""
        low, high = self.evaluation.headline_low, self.evaluation.headline_high
        return None if low is None or high is None else (low, high)


def headlines_of(
    revisions: Sequence[Revision] | QuerySet[Revision], *, changes: bool = True
) -> Mapping[uuid.UUID, Sequence[Headline]]:
    """The headline of each version for each connected task, by task. A fixed number of queries.

    Args:
        revisions: the versions; a queryset becomes part of the query.
        changes: whether what changed against the version before is looked up.
    """
    found_rows = evaluations().order_by("task__name")
    if isinstance(revisions, QuerySet):
        rows = list(found_rows.filter(revision__in=revisions.values("pk")))
    else:
        rows = list(found_rows.filter(revision__in=[one.pk for one in revisions]))
    chosen = headline_datasets({row.task_id for row in rows})
    rows = [row for row in rows if chosen.get(row.task_id) == row.dataset_id]
    measured = [row for row in rows if row.is_measured]
    before = previous_results(measured) if measured and changes else {}
    compared = kept_comparisons([(before[row.pk], row) for row in measured if row.pk in before])
    found: dict[uuid.UUID, list[Headline]] = defaultdict(list)
    for row in rows:
        first = before.get(row.pk)
        document = compared.get((first.pk, row.pk)) if first else None
        field = "positive_f1" if row.task.label_type == LabelType.ORDINAL else "macro_f1"
        change = document.metrics.get(field) if document else None
        found[row.revision_id].append(Headline(row, change, first.revision.version if first else ""))
    return found
