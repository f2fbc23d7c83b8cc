"""Leaderboards of tasks, and rank percentiles of versions.

A version's rank percentile for a task and a metric is the average, over the datasets it was measured on, of its place
among the versions measured there divided by their number. Ties share the better place (1, 2, 2), and lower is better.
Among are public usable versions and the one that is viewed.
"""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mop.catalog.models import Task
from mop.datasets.models import Dataset
from mop.evaluation.reports.names import LABEL, METRICS, field_of
from mop.evaluation.standing import approved_datasets, competing, results_of, with_label
from mop.registry.models import Revision


@dataclass(frozen=True)
class Standing:
    """A version's percentile for a task.

    Attributes:
        percentile: a share; lower is better.
        place: among all versions ranked for the task, by percentile; ties share the better place.
        of: how many versions are ranked.
        datasets: on how many datasets its percentile stands.
    """

    percentile: float
    place: int
    of: int
    datasets: int


@dataclass(frozen=True)
class RankRow:
    """One line of the rank percentiles: a task, a metric, and how the version stands; None without a value."""

    task: Task
    metric: str
    standing: Standing | None


Value = tuple[uuid.UUID, float | None]


def places(values: Iterable[tuple[Any, float]], *, descending: bool = True) -> dict[Any, int]:
    """The place of each key by its value; ties share the better place."""
    found: dict[Any, int] = {}
    ordered = sorted(values, key=lambda one: -one[1] if descending else one[1])
    place, last = 0, math.nan
    for number, (key, value) in enumerate(ordered, 1):
        if value != last:
            place, last = number, value
        found[key] = place
    return found


def percentiles(by_dataset: Mapping[Any, Sequence[Value]]) -> dict[uuid.UUID, tuple[float, int]]:
    """The percentile of each version, and on how many datasets it stands.

    Args:
        by_dataset: of each dataset the versions and their values; where a value is undefined, there is no place.
    """
    shares: dict[uuid.UUID, list[float]] = defaultdict(list)
    for values in by_dataset.values():
        defined = [(key, value) for key, value in values if value is not None]
        for key, place in places(defined).items():
            shares[key].append(place / len(defined))
    return {key: (sum(one) / len(one), len(one)) for key, one in shares.items()}


def standings(by_dataset: Mapping[Any, Sequence[Value]]) -> dict[uuid.UUID, Standing]:
    """How each version stands for one task and metric."""
    found = percentiles(by_dataset)
    placed = places(((key, share) for key, (share, _) in found.items()), descending=False)
    return {key: Standing(share, placed[key], len(found), datasets) for key, (share, datasets) in found.items()}


def rank_of(revision: Revision, *, average: str, label: str = "") -> list[RankRow]:
    """The rank percentile of a version for each connected task and metric. A fixed number of queries.

    Args:
        revision: the version.
        average: of the metrics.
        label: whose own metrics count instead of averages.
    """
    tasks = [one.task for one in revision.model.connections.select_related("task").order_by("task__name")]
    fields = [field_of(LABEL if label else average, metric) for metric in METRICS]
    rows = _ranked(revision, tasks, fields, label)
    found = []
    for task in tasks:
        for metric, field in zip(METRICS, fields, strict=True):
            by_dataset = _by_dataset((row for row in rows if row["task_id"] == task.pk), field)
            found.append(RankRow(task, metric, standings(by_dataset).get(revision.pk)))
    return found


def standing_of(revision: Revision, task: Task, *, average: str, metric: str) -> Standing | None:
    """The rank percentile of a version for one task and metric. Two queries."""
    field = field_of(average, metric)
    return standings(_by_dataset(_ranked(revision, [task], [field]), field)).get(revision.pk)


def _ranked(
    revision: Revision, tasks: Sequence[Task], fields: Sequence[str], label: str = ""
) -> Sequence[Mapping[str, Any]]:
    """The results that a version is ranked among, and its own."""
    rows = {row["pk"]: row for row in _values(with_label(competing().filter(task__in=tasks), label), fields)}
    own = results_of(revision).filter(task__in=tasks)
    return list((rows | {row["pk"]: row for row in _values(with_label(own, label), fields)}).values())


def _values(rows: Any, fields: Sequence[str]) -> Iterable[dict[str, Any]]:
    found: Iterable[dict[str, Any]] = rows.order_by().values("pk", "task_id", "dataset_id", "revision_id", *fields)
    return found


def _by_dataset(rows: Iterable[Mapping[str, Any]], field: str) -> dict[Any, list[Value]]:
    found: dict[Any, list[Value]] = defaultdict(list)
    for row in rows:
        found[row["dataset_id"]].append((row["revision_id"], row[field]))
    return found


@dataclass(frozen=True)
class LeaderboardRow:
    """One version on a leaderboard.

    Attributes:
        average: of the metric over the datasets it was measured on; None where it is defined on none.
        ends: of the average's 95 % interval, the datasets taken as independent; None where one is not known.
        values: of each dataset of the board, None where there is none.
        datasets: on how many datasets it has a value.
    """

    place: int
    revision: Revision
    average: float | None
    ends: tuple[float, float] | None
    values: tuple[float | None, ...]
    datasets: int
    percentile: float | None


@dataclass(frozen=True)
class Leaderboard:
    """The versions of a task, best first."""

    task: Task
    average: str
    metric: str
    datasets: Sequence[Dataset]
    rows: Sequence[LeaderboardRow]


def leaderboard(task: Task, *, average: str, metric: str, label: str = "") -> Leaderboard:
    """Public usable versions by the average of a metric over the task's approved datasets; of one label, if given.

    A version that was not measured on all of them stands below those that were: an average over easier datasets alone
    says nothing about who is better. A fixed number of queries.
    """
    datasets = approved_datasets(task)
    field = field_of(LABEL if label else average, metric)
    measured: dict[uuid.UUID, dict[int, Any]] = defaultdict(dict)
    revisions: dict[uuid.UUID, Revision] = {}
    for row in with_label(competing().filter(task=task), label):
        measured[row.revision_id][row.dataset_id] = row
        revisions[row.revision_id] = row.revision
    by_dataset = {
        dataset.pk: [(key, getattr(rows[dataset.pk], field)) for key, rows in measured.items() if dataset.pk in rows]
        for dataset in datasets
    }
    standing = percentiles(by_dataset)
    found = []
    for key, rows in measured.items():
        values = tuple(getattr(rows[one.pk], field) if one.pk in rows else None for one in datasets)
        defined = [value for value in values if value is not None]
        found.append(
            LeaderboardRow(
                place=0,
                revision=revisions[key],
                average=sum(defined) / len(defined) if defined else None,
                ends=_ends([rows[one.pk] for one in datasets if one.pk in rows], field),
                values=values,
                datasets=len(defined),
                percentile=standing[key][0] if key in standing else None,
            )
        )
    found.sort(key=lambda one: (-one.datasets, -(one.average or 0.0), str(one.revision)))
    return Leaderboard(task, average, metric, datasets, _placed(found))


def _ends(rows: Sequence[Any], field: str) -> tuple[float, float] | None:
    """Kept for lists is the interval of the headline alone."""
    if field != "macro_f1" or not rows or any(row.headline != row.macro_f1 or row.headline_low is None for row in rows):
        return None
    mean = sum(row.headline for row in rows) / len(rows)
    below = math.sqrt(sum((row.headline - row.headline_low) ** 2 for row in rows)) / len(rows)
    above = math.sqrt(sum((row.headline_high - row.headline) ** 2 for row in rows)) / len(rows)
    return max(0.0, mean - below), min(1.0, mean + above)


def _placed(rows: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    found: list[LeaderboardRow] = []
    for number, row in enumerate(rows, 1):
        tie = found and (found[-1].datasets, found[-1].average) == (row.datasets, row.average)
        place = found[-1].place if tie else number
        found.append(
            LeaderboardRow(place, row.revision, row.average, row.ends, row.values, row.datasets, row.percentile)
        )
    return found
