"""The one number beside a version: of each connected task, on its headline dataset, with its change."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from mop.catalog.models import LabelType
from mop.evaluation.comparisons import difference_of, with_kept_comparison, with_previous
from mop.evaluation.headline import at_headline
from mop.evaluation.models import Evaluation
from mop.evaluation.reports.comparison import DifferenceOut
from mop.evaluation.standing import evaluations
from mop.registry.listing import ListedModel
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
    revisions: Sequence[Revision] | QuerySet[Revision],
    *,
    also: QuerySet[Revision] | None = None,
    seen: QuerySet[Revision] | None = None,
) -> Mapping[uuid.UUID, Sequence[Headline]]:
    """The headline of each version for each connected task, by task. One query.

    Args:
        revisions: the versions; a queryset becomes part of the query.
        also: further versions.
        seen: versions that the reader sees: of no other one is told how it did. None: all.
    """
    wanted: Any = revisions.values("pk") if isinstance(revisions, QuerySet) else [one.pk for one in revisions]
    which = Q(revision__in=wanted) if also is None else Q(revision__in=wanted) | Q(revision__in=also.values("pk"))
    wanted_rows = at_headline(evaluations()).filter(which).order_by("task__name")
    rows: Any = with_kept_comparison(with_previous(wanted_rows, among=seen))
    found: dict[uuid.UUID, list[Headline]] = defaultdict(list)
    for row in rows:
        metrics = row.compared
        field = "positive_f1" if row.task.label_type == LabelType.ORDINAL else "macro_f1"
        change = difference_of(metrics[field]) if metrics and field in metrics else None
        found[row.revision_id].append(Headline(row, change, row.before_version or ""))
    return found


def headlines_of_usable(rows: Sequence[ListedModel]) -> Mapping[int, Sequence[Headline]]:
    """Of each listed model the headlines of the newest usable version that is seen, by model. One query."""
    usable = {row.pk: row.usable_version for row in rows if row.usable_version}
    named = evaluations().filter(revision__model__in=usable, revision__version__in=set(usable.values()))
    found: dict[int, list[Headline]] = defaultdict(list)
    for row in at_headline(named).filter(measured_at__isnull=False).order_by("task__name"):
        if row.revision.version == usable[row.revision.model_id]:  # of another model the version may be a private one
            found[row.revision.model_id].append(Headline(row, None, ""))
    return found
