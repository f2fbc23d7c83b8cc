"""Reads of regression tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from mop.accounts.models import User
from mop.areas.work import StagePosition
from mop.dsat.models import Case
from mop.errors import NotFoundError
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.selectors import visible_revisions
from mop.registry.stage_order import ready_for
from mop.registry.statuses import RevisionStatus
from mop.regression.comparison import previous_run
from mop.regression.models import RegressionOutcome, RegressionRun

_RELATED = ("revision__model", "revision__instance_type")


def missing() -> QuerySet[Revision]:
    """Verified revisions with regression enabled that were never tested, once earlier stages are done; newest first."""
    runs = RegressionRun.objects.filter(revision=OuterRef("pk"))
    found = Revision.objects.filter(~Exists(runs), status=RevisionStatus.VERIFIED, regression_enabled=True)
    return ready_for(StagePosition.REGRESSION, found).order_by("-created_at")


def usable_runs() -> QuerySet[RegressionRun]:
    """Tests of verified revisions."""
    return RegressionRun.objects.filter(revision__status=RevisionStatus.VERIFIED).select_related(*_RELATED)


def find_run(revision: Revision) -> RegressionRun | None:
    """The regression test of a revision; None where there was none."""
    return RegressionRun.objects.filter(revision=revision).select_related(*_RELATED).first()


def get_run(revision: Revision) -> RegressionRun:
    """The regression test of a revision.

    Raises:
        NotFoundError: there was none.
    """
    run = find_run(revision)
    if run is None:
        raise NotFoundError(
            f"{revision} has no regression test yet.",
            hint="Where it is enabled it starts by itself once the version is verified; owners can run it.",
        )
    return run


def runs_of_model(user: User, model: Model) -> QuerySet[RegressionRun]:
    """The tests of a model's revisions that a user sees, newest version first."""
    seen = visible_revisions(user).filter(model=model)
    rows = RegressionRun.objects.filter(revision__in=seen).select_related(*_RELATED)
    return rows.order_by("-revision__created_at", "-revision_id")


def runs_beside(user: User, revisions: Sequence[Revision], model: Model | None) -> list[RegressionRun]:
    """The tests of these revisions, and the newest result of a model that a user sees; newest version first."""
    wanted = Q(revision__in=[row.pk for row in revisions])
    if model is not None:
        wanted |= Q(pk__in=runs_of_model(user, model).filter(measured_at__isnull=False).values("pk")[:1])
    rows = RegressionRun.objects.filter(wanted).select_related(*_RELATED).defer("revision__sample_post_data")
    return list(rows.order_by("-revision__created_at", "-revision_id"))


def visible_previous(user: User, run: RegressionRun) -> RegressionRun | None:
    """The result of the version before, among those that a user sees."""
    return previous_run(run, among=visible_revisions(user))


def outcomes_on(user: User, case: Case) -> QuerySet[RegressionOutcome]:
    """What versions that a user sees answered to a case in the results that stand, newest version first."""
    connected = TaskConnection.objects.filter(task=case.task_id).order_by().values("model")
    standing = RegressionOutcome.objects.filter(
        case=case, attempt=F("run__measured_attempt"), run__revision__model__in=connected
    )
    rows = standing.filter(run__revision__in=visible_revisions(user)).select_related("run__revision__model")
    return rows.order_by("-run__revision__created_at", "-run__revision_id")


def unfinished_revisions() -> QuerySet[RegressionRun, Any]:
    """Ids of revisions of which a run waits or goes on."""
    return RegressionRun.objects.filter(state__in=CASE_RUN_LIFECYCLE.live).order_by().values("revision")
