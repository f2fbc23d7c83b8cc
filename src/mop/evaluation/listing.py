"""Lists of results: what an address asks for, the rows of a page, what they are compared with.

Rows stand together by dataset and task, sorted within; rows that are pinned for comparison stand first. The address
holds everything, so it reproduces the view.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import QueryDict

from mop.catalog.models import LabelType
from mop.evaluation.models import Evaluation
from mop.evaluation.reports.names import AVERAGES, LABEL, METRICS, field_of
from mop.evaluation.standing import by_metric, with_label
from mop.ui.paging import Key, keyset_page_of

PAGE_ROWS = 20
PINS_MAX = 4
PIN_NAMES = "ABCD"
OTHER_SORTS = {"evaluated": "measured_at", "samples": "dataset__rows"}
DEFAULT_SORT = "-f1"
# what a row shows of other tables; whole rows of five tables would go through the database's sort
_SHOWN_OF_OTHERS = (
    "revision__model__name",
    "revision__version",
    "revision__publish_status",
    "dataset__name",
    "dataset__label_type",
    "dataset__rows",
    "dataset__file__language",
    "task__name",
    "task__label_type",
    "task__labels",
)
_NOT_SHOWN = {"failed_rows", "error_counts"}


@dataclass(frozen=True)
class Query:
    """What an address asks for; what it does not know is left out.

    Attributes:
        task, dataset, version: names; empty for all.
        average: `macro`, `micro` or `weighted`.
        label: a label whose own metrics are shown instead of averages; empty for averages.
        sort: a metric, `evaluated` or `samples`; with a minus the largest first.
        compares: whether pins are shown.
        pins: evaluations that are compared, the baseline first.
        cursor: of the page; empty for the first.
    """

    task: str = ""
    dataset: str = ""
    version: str = ""
    average: str = "macro"
    label: str = ""
    sort: str = DEFAULT_SORT
    compares: bool = False
    pins: tuple[uuid.UUID, ...] = ()
    cursor: str = ""

    @property
    def metric(self) -> str:
        """The metric of the sort; F1 where it sorts by something else."""
        name = self.sort.removeprefix("-")
        return name if name in METRICS else "f1"

    @property
    def field(self) -> str:
        """What rows are sorted by."""
        name = self.sort.removeprefix("-")
        return OTHER_SORTS.get(name) or self.metric_field(name)

    @property
    def descends(self) -> bool:
        """Whether the largest stand first."""
        return self.sort.startswith("-")

    def metric_field(self, metric: str) -> str:
        """The field that holds a metric in the chosen average, or of the chosen label."""
        return field_of(LABEL if self.label else self.average, metric)

    def address(self, **changes: Any) -> str:
        """The query string of the same list with something changed; a change leads to its first page."""
        changed = replace(self, **{"cursor": "", **changes})
        given = {
            "task": changed.task,
            "dataset": changed.dataset,
            "version": changed.version,
            "label": changed.label,
            "average": "" if changed.average == Query.average else changed.average,
            "sort": "" if changed.sort == DEFAULT_SORT else changed.sort,
            "compare": "1" if changed.compares else "",
            "pin": [str(pin) for pin in changed.pins] if changed.compares else "",
            "cursor": changed.cursor,
        }
        return "?" + urlencode({name: value for name, value in given.items() if value}, doseq=True)

    def toggled(self, pin: uuid.UUID) -> str:
        """The address with a row pinned, or no longer; of too many pins the oldest but the baseline goes."""
        if pin in self.pins:
            return self.address(pins=tuple(one for one in self.pins if one != pin))
        kept = self.pins if len(self.pins) < PINS_MAX else (self.pins[0], *self.pins[2:])
        return self.address(pins=(*kept, pin), compares=True)


def query_of(given: QueryDict) -> Query:
    """The query of an address."""
    sort = given.get("sort", DEFAULT_SORT)
    average = given.get("average", Query.average)
    return Query(
        task=given.get("task", ""),
        dataset=given.get("dataset", ""),
        version=given.get("version", ""),
        average=average if average in AVERAGES else Query.average,
        label=given.get("label", ""),
        sort=sort if sort.removeprefix("-") in {*METRICS, *OTHER_SORTS} else DEFAULT_SORT,
        compares=bool(given.get("compare")),
        pins=tuple(dict.fromkeys(_uuids(given.getlist("pin"))))[:PINS_MAX],
        cursor=given.get("cursor", ""),
    )


def _uuids(texts: Sequence[str]) -> Iterator[uuid.UUID]:
    for text in texts:
        try:
            yield uuid.UUID(text)
        except ValueError:
            continue


@dataclass(frozen=True)
class Group:
    """Rows of one dataset and task."""

    rows: Sequence[Evaluation]

    @property
    def first(self) -> Evaluation:
        """Which names dataset and task."""
        return self.rows[0]


@dataclass(frozen=True)
class ResultsPage:
    """A page of a list.

    Attributes:
        pinned: rows that are compared, the baseline first.
        total: rows of all pages.
        previous, following: cursors of the pages around; empty where there is none.
    """

    query: Query
    pinned: Sequence[Evaluation]
    groups: Sequence[Group]
    total: int
    previous: str
    following: str

    @property
    def rows(self) -> list[Evaluation]:
        """Everything shown."""
        return [*self.pinned, *(row for group in self.groups for row in group.rows)]


def results_page(rows: QuerySet[Evaluation], query: Query) -> ResultsPage:
    """The rows that a query asks for. Three queries at most.

    Args:
        rows: what the reader may see.
        query: of the address.
    """
    chosen = _filtered(rows, query)
    keys = (
        Key("dataset__name"),
        Key("task__name"),
        Key(query.field, descending=query.descends),
        Key("created_at", descending=True),
        Key("pk"),
    )
    listed = with_label(chosen, query.label).only(*_shown_fields())
    page = keyset_page_of(listed, keys, cursor=query.cursor, size=PAGE_ROWS)
    groups = [Group(list(one)) for _, one in groupby(page.rows, key=lambda row: (row.dataset_id, row.task_id))]
    return ResultsPage(
        query=query,
        pinned=_pinned(with_label(rows, query.label), query),
        groups=groups,
        total=chosen.count(),
        previous=page.previous,
        following=page.following,
    )


def _shown_fields() -> list[str]:
    own = [field.name for field in Evaluation._meta.concrete_fields if field.name not in _NOT_SHOWN]  # noqa: SLF001 - Django's
    return [*own, *_SHOWN_OF_OTHERS]


def _filtered(rows: QuerySet[Evaluation], query: Query) -> QuerySet[Evaluation]:
    given = {"task__name": query.task, "dataset__name": query.dataset, "revision__version": query.version}
    return rows.filter(**{field: value for field, value in given.items() if value})


def _pinned(rows: QuerySet[Evaluation], query: Query) -> list[Evaluation]:
    if not (query.compares and query.pins):
        return []
    found = {row.pk: row for row in rows.filter(pk__in=query.pins, measured_at__isnull=False)}
    return [found[pin] for pin in query.pins if pin in found]


def choices_of(rows: QuerySet[Evaluation]) -> Mapping[str, list[str]]:
    """Names of tasks, datasets and versions that a list can be narrowed to, and labels. Two queries.

    The levels of ordinal tasks are no such labels: partitions stand for them.
    """
    bare = rows.order_by()
    found = list(bare.values_list("task__name", "dataset__name", "task__label_type", "task__labels").distinct())
    labels = {name: labels for name, _, kind, labels in found if kind == LabelType.CATEGORICAL}
    return {
        "task": sorted({name for name, *_ in found}),
        "dataset": sorted({name for _, name, *_ in found}),
        "version": sorted(bare.values_list("revision__version", flat=True).distinct(), reverse=True),
        "label": list(dict.fromkeys(label for name in sorted(labels) for label in labels[name])),
    }


def best_by_dataset(rows: QuerySet[Evaluation], query: Query) -> list[Evaluation]:
    """Of each dataset and task the row with the highest value of the chosen metric. One query."""
    field = query.metric_field(query.metric)
    numbered = (
        with_label(rows, query.label)
        .filter(**{f"{field}__isnull": False})
        .annotate(
            number=Window(
                RowNumber(),
                partition_by=["dataset", "task"],
                order_by=[by_metric(field, descending=True), "created_at"],
            )
        )
    )
    return list(numbered.filter(number=1).order_by("dataset__name", "task__name"))
