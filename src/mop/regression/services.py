"""Writes to regression tests: what MOP starts by itself, and what people ask for."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.audit.services import Actor
from mop.dsat import services as dsat
from mop.dsat.models import Case
from mop.dsat.states import WAITING, CaseState
from mop.errors import ConflictError
from mop.evaluation.case_runs import services as case_runs
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE, CaseRunState
from mop.registry.advance import REVISION
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from mop.regression.advance import REGRESSION, expected_of
from mop.regression.area import RUN
from mop.regression.comparison import counts_of_result, outcomes_of
from mop.regression.models import RegressionRun
from mop.regression.selectors import find_run, missing, usable_runs

SCHEDULER = Actor.system("regression test")
PIPELINE = Actor.system("pipeline")
REGRESSION_JOB = case_runs.job_of_kind(REGRESSION, RUN.name)


def keep_up() -> None:
    """Start every test that is missing, end those that cannot be made any more. Called again and again."""
    for run in RegressionRun.objects.filter(state__in=CASE_RUN_LIFECYCLE.live).select_related(
        *REGRESSION.entity.related
    ):
        case_runs.end_unwanted(REGRESSION, REGRESSION_JOB, run, actor=SCHEDULER)
    case_runs.begin_again(REGRESSION, REGRESSION_JOB, usable_runs(), actor=SCHEDULER)
    for revision in missing():
        start(actor=SCHEDULER, revision=revision)


def try_again() -> None:
    """Run again what a cause outside the model ended."""
    failed = usable_runs().filter(state=CaseRunState.FAILED)
    case_runs.try_again(REGRESSION, REGRESSION_JOB, failed, actor=SCHEDULER)


def renew_stale() -> None:
    """Test again where cases came, changed or went, or the version changed: what changed is asked, nothing else."""
    finished = usable_runs().filter(state=CaseRunState.FINISHED).order_by("-revision__created_at")
    case_runs.renew_changed(REGRESSION, REGRESSION_JOB, finished, actor=SCHEDULER)


@transaction.atomic
def start(*, actor: Actor, revision: Revision) -> RegressionRun | None:
    """The first test of a revision; None where there is one, or it is not verified any more."""
    row = REVISION.lock(revision.pk)
    if row.get_status() != RevisionStatus.VERIFIED or find_run(row) is not None:
        return None
    run = RegressionRun(revision=row)
    case_runs.start(REGRESSION, REGRESSION_JOB, run, actor=actor)
    return run


def is_wanted(revision: Revision) -> bool:
    """Whether a revision is to be tested once it is verified."""
    return missing().filter(pk=revision.pk).exists()


def begin(revision: Revision) -> None:
    """As a stage of the pipeline, which does not wait for the test.

    Raises:
        WorkerLostError: this process is a worker whose work was given to another.
    """
    start(actor=PIPELINE, revision=revision)


def run_again(*, actor: Actor, revision: Revision) -> RegressionRun:
    """Test a verified revision on every case of its tasks anew, whether regression is enabled or not.

    Raises:
        ConflictError: it is not verified, or a test waits or goes on already.
    """
    if revision.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(f"{revision} is {revision.status}; only a verified version can be tested.")
    run = find_run(revision)
    if run is None:
        started = start(actor=actor, revision=revision)
        if started is None:
            raise ConflictError(f"The regression test of {revision} was started by somebody else just now.")
        return started
    detail = f"run again by {actor.label}"
    case_runs.run_again(REGRESSION, REGRESSION_JOB, run, actor=actor, asks_all=True, detail=detail)
    run.refresh_from_db()
    return run


def count_connected(model: Model) -> None:
    """Let the results of a model's versions count the cases of its connected tasks alone, as their outcomes show them.

    A verified version is tested again soon. Others are not; their outcomes stay for when the task is connected again.
    """
    runs = RegressionRun.objects.select_for_update(of=("self",), no_key=True).filter(revision__model=model)
    for run in runs.filter(measured_at__isnull=False).select_related("revision"):
        for column, count in counts_of_result(run).items():
            setattr(run, column, count)
        run.save(update_fields=["cases", "passed", "no_answer"])


def cancel(*, actor: Actor, revision: Revision) -> None:
    """End a test that waits or goes on; a result that stands stays.

    Raises:
        ConflictError: there is none.
    """
    run = find_run(revision)
    if run is None:
        raise ConflictError(f"{revision} has no regression test to cancel.")
    case_runs.cancel(REGRESSION, REGRESSION_JOB, run, actor=actor)


def cases_to_settle(user: User, run: RegressionRun, *, to: CaseState) -> list[Case]:
    """The cases that a version passes and that a person may mark as fixed by it, or close as such.

    What was expected otherwise when the version answered is not passed until the test ran again.

    Args:
        user: who asks.
        run: of the version.
        to: `fixed`: cases that need somebody; `closed`: cases that this version fixed.
    """
    passed = outcomes_of(run).filter(is_passed=True)
    expected = dict(passed.order_by().values_list("case_id", "expected"))
    cases = Case.objects.filter(pk__in=passed.values("case_id"))
    if to is CaseState.CLOSED:
        cases = cases.filter(state=CaseState.FIXED, fixed_by=run.revision)
        permission = "dsat.close"
    else:
        cases = cases.filter(state__in=WAITING)
        permission = "dsat.decide"
    found = cases.select_related("task").prefetch_related("task__owners").order_by("-pk")
    return [case for case in found if expected.get(case.pk) == expected_of(case) and may(user, permission, case)]


def settle(
    *, actor: Actor, user: User, run: RegressionRun, to: CaseState, chosen: Collection[int] | None = None
) -> list[Case]:
    """Mark cases as fixed by a version, or close them: those of `cases_to_settle`, or the chosen among them.

    Returns:
        The cases that changed.

    Raises:
        ConflictError: a chosen case is none of them.
    """
    cases = cases_to_settle(user, run, to=to)
    if chosen is not None:
        if others := sorted(set(chosen) - {case.pk for case in cases}):
            names = ", ".join(f"DSAT-{pk}" for pk in others[:20])
            raise ConflictError(
                f"You cannot mark {names} as {to.value} by {run.revision}.",
                hint="The version must pass the case, the case must stand before that state, and you must work on it.",
            )
        cases = [case for case in cases if case.pk in set(chosen)]
    changed = []
    for case in cases:
        try:
            if to is CaseState.CLOSED:
                changed.append(dsat.close(actor=actor, case=case))
            else:
                changed.append(dsat.mark_fixed(actor=actor, case=case, revision=run.revision))
        except ConflictError:
            continue  # somebody else moved it meanwhile
    return changed
