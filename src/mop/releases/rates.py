"""Pass rates of DSAT cases and golden sets, as the gates read them."""

from __future__ import annotations

from mop.catalog.models import Task
from mop.dsat.selectors import replayed
from mop.evaluation.case_runs.models import CaseRun
from mop.evaluation.metrics.intervals import wilson
from mop.golden_sets.models import GoldenRun
from mop.golden_sets.selectors import newest_versions
from mop.registry.models import Revision
from mop.regression.comparison import rates_of
from mop.regression.selectors import find_run
from mop.releases.gates.conditions import Rate
from mop.releases.gates.verdicts import Measured, Missing, Reading, Step


def rate_of(rate: Rate, revision: Revision, task: Task) -> Reading:
    """A pass rate of a version for one task, over every case or row of it as they stand now."""
    return _dsat(revision, task) if rate is Rate.DSAT else _golden(revision, task)


def _dsat(revision: Revision, task: Task) -> Reading:
    cases = replayed(task).filter(content__isnull=False).count()
    if not cases:
        return Missing("The task has no DSAT case.", is_nothing=True)
    run = find_run(revision)
    if run is None:
        off = "" if revision.regression_enabled else " Regression is off for it."
        return Missing(f"The version has no regression test.{off}", Step.REGRESSION)
    if missing := _unusable(run, "regression test", Step.REGRESSION):
        return missing
    passed, tested = next(((one.passed, one.cases) for one in rates_of(run) if one.task_id == task.pk), (0, 0))
    if tested != cases:
        return Missing(f"The version was tested on {tested:,} of {cases:,} cases.", Step.REGRESSION)
    return _measured(passed, tested, "cases")


def _golden(revision: Revision, task: Task) -> Reading:
    versions = list(newest_versions(task))
    if not versions:
        return Missing("The task has no golden set.", is_nothing=True)
    runs = {run.version_id: run for run in GoldenRun.objects.filter(revision=revision, version__in=versions)}
    passed = rows = 0
    for version in versions:
        run = runs.get(version.pk)
        if run is None:
            return Missing(f"The version was not run on the golden set {version.golden_set}.", Step.GOLDEN_SET)
        if missing := _unusable(run, f"run on the golden set {version.golden_set}", Step.GOLDEN_SET):
            return missing
        passed, rows = passed + (run.passed or 0), rows + (run.cases or 0)
    return _measured(passed, rows, "rows")


def _unusable(run: CaseRun, what: str, step: Step) -> Missing | None:
    if not run.is_measured:
        return Missing(f"The {what} is {run.get_state().label}.", step)
    if run.is_stale:
        return Missing("The result is stale: environment, connection or cases changed since.", step)
    return None


def _measured(passed: int, total: int, what: str) -> Reading:
    interval = wilson(passed, total)
    if interval is None:
        return Missing(f"There are 0 {what}.", is_nothing=True)
    return Measured(passed / total, interval.low, interval.high, f"{total:,} {what}")
