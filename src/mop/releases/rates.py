"""Pass rates of DSAT cases and golden sets, as the gates read them."""

from __future__ import annotations

from collections.abc import Callable

from mop.catalog.models import Task
from mop.dsat.selectors import replayed
from mop.evaluation.case_runs.kinds import CaseTask, case_task_of, digests_of
from mop.evaluation.case_runs.models import CaseRun
from mop.evaluation.metrics.intervals import wilson
from mop.golden_sets.models import GoldenRun
from mop.golden_sets.selectors import is_asked_as_now, newest_versions
from mop.registry.models import Revision, TaskConnection
from mop.regression.comparison import rate_as_they_stand
from mop.regression.selectors import find_run
from mop.releases.gates.conditions import Rate
from mop.releases.gates.verdicts import Measured, Missing, Reading, Step

STALE = "The result is stale: environment, connection or cases changed since."


Connection = Callable[[], TaskConnection | None]


def rate_of(rate: Rate, revision: Revision, task: Task, connection: Connection) -> Reading:
    """A pass rate of a version for one task, over every case or row of it as they stand now.

    Results are made anew when the scheduler finds that something changed. What was asked otherwise than it would be
    asked now counts no more from the change on.

    Args:
        rate: which.
        revision: the version.
        task: one of its tasks.
        connection: gives how the task is connected now, None where it is not; asked when there is a result.
    """
    return _dsat(revision, task, connection) if rate is Rate.DSAT else _golden(revision, task, connection)


def _dsat(revision: Revision, task: Task, connection: Connection) -> Reading:
    cases = replayed(task).filter(content__isnull=False).count()
    if not cases:
        return Missing("The task has no DSAT case.", is_nothing=True)
    run = find_run(revision)
    if run is None:
        off = "" if revision.regression_enabled else " Regression is off for it."
        return Missing(f"The version has no regression test.{off}", Step.REGRESSION)
    asked = _asked(connection())
    if missing := _unusable(run, asked, "regression test", Step.REGRESSION):
        return missing
    tested, passed = rate_as_they_stand(run, asked) if asked else (0, 0)
    if tested != cases:
        return Missing(f"The version was tested on {tested:,} of {cases:,} cases.", Step.REGRESSION)
    return _measured(passed, tested, "cases")


def _golden(revision: Revision, task: Task, connection: Connection) -> Reading:
    versions = list(newest_versions(task))
    if not versions:
        return Missing("The task has no golden set.", is_nothing=True)
    rows_of_runs = GoldenRun.objects.filter(revision=revision, version__in=versions).select_related("revision")
    runs = {run.version_id: run for run in rows_of_runs}
    asked = _asked(connection()) if runs else None
    passed = rows = 0
    for version in versions:
        run = runs.get(version.pk)
        if run is None:
            return Missing(f"The version was not run on the golden set {version.golden_set}.", Step.GOLDEN_SET)
        if missing := _unusable(run, asked, f"run on the golden set {version.golden_set}", Step.GOLDEN_SET):
            return missing
        if asked and not is_asked_as_now(run, asked):
            return Missing(STALE, Step.GOLDEN_SET)
        passed, rows = passed + (run.passed or 0), rows + (run.cases or 0)
    return _measured(passed, rows, "rows")


def _asked(connection: TaskConnection | None) -> CaseTask | None:
    """How a version is asked about a task now; None where it is not connected."""
    return case_task_of(connection) if connection else None


def _unusable(run: CaseRun, asked: CaseTask | None, what: str, step: Step) -> Missing | None:
    if not run.is_measured:
        return Missing(f"The {what} is {run.get_state().label}.", step)
    now = digests_of(run.revision)
    if run.is_stale or asked is None or any(getattr(run, name) != digest for name, digest in now.items()):
        return Missing(STALE, step)
    return None


def _measured(passed: int, total: int, what: str) -> Reading:
    interval = wilson(passed, total)
    if interval is None:
        return Missing(f"There are 0 {what}.", is_nothing=True)
    return Measured(passed / total, interval.low, interval.high, f"{total:,} {what}")
