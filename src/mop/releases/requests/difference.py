"""How a version's numbers differ from those of another one, for one task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mop.catalog.models import LabelType, Task
from mop.datasets.selectors import usable_datasets
from mop.evaluation.comparisons import kept_comparisons, obstacle
from mop.evaluation.models import Evaluation
from mop.evaluation.reports.numbers import POSITIVE_F1
from mop.loadtest.plan import Strategy
from mop.registry.models import Revision
from mop.releases.evidence import RevisionEvidence
from mop.releases.gates.conditions import LoadMeasure, LoadOption, Quantity, Rate
from mop.releases.gates.verdicts import Measured, Reading


def difference_to(before: Revision, now: Revision, task: Task) -> list[dict[str, Any]]:
    """Rows of numbers: the headline metric on each dataset, the pass rates of cases and golden sets, the load tests.

    Returns:
        `task`, `measure`, `where`, `unit` (as gates name it), `before_version`, `before`, `now`, `change`,
        `is_significant` (None: not known), `is_better` (None: no change, or not comparable). Values are null where
        they were not measured.
    """
    first, second = RevisionEvidence(before, task), RevisionEvidence(now, task)
    return [*_evaluations(before, now, task), *_rates(first, second), *_load_tests(first, second)]


def _evaluations(before: Revision, now: Revision, task: Task) -> list[dict[str, Any]]:
    rows = Evaluation.objects.filter(
        revision__in=(before, now), task=task, dataset__in=usable_datasets(task), measured_at__isnull=False
    ).select_related("dataset", "revision")
    pairs: dict[str, dict[Any, Evaluation]] = {}
    for row in rows:
        pairs.setdefault(row.dataset.name, {})[row.revision_id] = row
    both = [(one[before.pk], one[now.pk]) for one in pairs.values() if len(one) == 2]  # noqa: PLR2004 - both versions
    kept = kept_comparisons(both)
    is_ordinal = task.label_type == LabelType.ORDINAL
    found = []
    for name, one in sorted(pairs.items()):
        first, second = one.get(before.pk), one.get(now.pk)
        comparable = first is not None and second is not None and not obstacle(first, second)
        difference = kept.get((first.pk, second.pk)) if comparable and first and second else None
        metric = difference.metrics.get(POSITIVE_F1 if is_ordinal else "macro_f1") if difference else None
        found.append(
            _row(
                task,
                before,
                measure="F1 of the representing partition" if is_ordinal else "macro F1",
                where=name,
                unit="share",
                values=(first.headline if first else None, second.headline if second else None),
                is_significant=metric.is_significant if metric else None,
                is_comparable=comparable,
            )
        )
    return found


def _rates(first: RevisionEvidence, second: RevisionEvidence) -> list[dict[str, Any]]:
    found = []
    for rate in Rate:
        values = [_value(one.rate(rate, to_previous=False)) for one in (first, second)]
        if values != [None, None]:
            row = _row(
                second.task,
                first.revision,
                measure=str(rate),
                where="",
                unit="rate",
                values=values,
                is_significant=None,
                is_comparable=True,
            )
            found.append(row)
    return found


def _load_tests(first: RevisionEvidence, second: RevisionEvidence) -> list[dict[str, Any]]:
    found = []
    for strategy in Strategy:
        option = LoadOption(strategy.value)
        for quantity, unit, higher_is_better in (
            (Quantity.RPS, "rps", True),
            (Quantity.LATENCY_P99, "milliseconds", False),
        ):
            measure = LoadMeasure(option, quantity, None)
            readings = [one.load(option, measure, to_previous=False) for one in (first, second)]
            if all(reading is None for reading in readings):
                continue
            row = _row(
                second.task,
                first.revision,
                measure=str(quantity),
                where=f"load test {option}",
                unit=unit,
                values=[_value(reading) for reading in readings],
                is_significant=None,
                is_comparable=True,
            )
            if not higher_is_better and row["is_better"] is not None:
                row["is_better"] = not row["is_better"]
            found.append(row)
    return found


def _value(reading: Reading | None) -> float | None:
    return reading.value if isinstance(reading, Measured) else None


def _row(
    task: Task,
    before: Revision,
    *,
    measure: str,
    where: str,
    unit: str,
    values: Sequence[float | None],
    is_significant: bool | None,
    is_comparable: bool,
) -> dict[str, Any]:
    first, second = values
    change = None if first is None or second is None or not is_comparable else second - first
    return {
        "task": task.name,
        "measure": measure,
        "where": where,
        "unit": unit,
        "before_version": f"{before.model.name} {before.version}",
        "before": first,
        "now": second,
        "change": change,
        "is_significant": is_significant,
        "is_better": None if not change else change > 0,
    }
