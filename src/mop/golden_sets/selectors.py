"""Reads of golden sets and of the runs on them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from mop.areas.work import StagePosition
from mop.catalog.models import Task
from mop.errors import NotFoundError
from mop.evaluation.case_runs.kinds import CaseTask, question_digest
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE
from mop.golden_sets.models import GoldenOutcome, GoldenRun, GoldenSet, GoldenVersion
from mop.onboarding.models import TaskProof
from mop.registry.models import Revision, TaskConnection
from mop.registry.stage_order import ready_for
from mop.registry.statuses import RevisionStatus

_RELATED = ("revision__model", "revision__instance_type", "version__golden_set__task", "version__supplied_by")


def newest_versions(task: Task) -> QuerySet[GoldenVersion]:
    """The versions of a task's golden sets that count, by the names of the sets."""
    rows = GoldenVersion.objects.filter(golden_set__task=task, is_newest=True)
    return rows.select_related("golden_set__task", "supplied_by").order_by("golden_set__name")


def get_golden_set(task: Task, name: str) -> GoldenSet:
    """A golden set of a task by name.

    Raises:
        NotFoundError: there is none.
    """
    found = GoldenSet.objects.select_related("task", "created_by").filter(task=task, name=name).first()
    if found is None:
        raise NotFoundError(f"The task {task} has no golden set {name!r}.")
    return found


def versions_of(golden_set: GoldenSet) -> QuerySet[GoldenVersion]:
    """The versions of a golden set, newest first."""
    return golden_set.versions.select_related("supplied_by", "golden_set__task").order_by("-number")


def get_version(golden_set: GoldenSet, number: int | None = None) -> GoldenVersion:
    """A version of a golden set; the newest without a number.

    Raises:
        NotFoundError: there is none.
    """
    wanted = Q(is_newest=True) if number is None else Q(number=number)
    found = versions_of(golden_set).filter(wanted).first()
    if found is None:
        raise NotFoundError(f"The golden set {golden_set} has no version {number}.")
    return found


def missing(revision: Revision | None = None, *, waits: bool = True) -> list[tuple[uuid.UUID, int]]:
    """Runs that are to be made, of one revision or of all, as ids of revision and golden version; newest first.

    A revision that was not proved with a task that was connected later is not run for it. One query.

    Args:
        revision: of which; None: of all.
        waits: leave out revisions that an earlier stage is still busy with.
    """
    proofs = TaskProof.objects.filter(
        revision=OuterRef("pk"), task=OuterRef("task_id"), customized_name=OuterRef("customized_name")
    )
    made = GoldenRun.objects.filter(revision=OuterRef("pk"), version=OuterRef("golden_version_id"))
    versions = "model__connections__task__golden_sets__versions"
    found = Revision.objects.filter(**{"status": RevisionStatus.VERIFIED, f"{versions}__is_newest": True}).annotate(
        task_id=F("model__connections__task_id"),
        customized_name=F("model__connections__customized_name"),
        golden_version_id=F(f"{versions}__pk"),
    )
    if revision is not None:
        found = found.filter(pk=revision.pk)
    found = found.filter(Exists(proofs), ~Exists(made))
    if waits:
        found = ready_for(StagePosition.GOLDEN_SETS, found)
    rows = found.order_by("-created_at", "golden_version_id")
    return list(rows.values_list("pk", "golden_version_id"))


def digest_of_row(version_id: int, task: CaseTask) -> str:
    """Of any row of a version, which never change, and of how it is asked."""
    return question_digest(task, str(version_id))


def is_asked_as_now(run: GoldenRun, task: CaseTask) -> bool:
    """Whether the result that stands is of rows that were asked as they would be now. One query."""
    rows = GoldenOutcome.objects.filter(run=run, attempt=run.measured_attempt or 0)
    return not rows.exclude(case_digest=digest_of_row(run.version_id, task)).exists()


def current_runs() -> QuerySet[GoldenRun]:
    """Runs that count: on the newest version of a golden set of a connected task, of a verified revision."""
    connected = TaskConnection.objects.filter(
        model=OuterRef("revision__model"), task=OuterRef("version__golden_set__task")
    )
    rows = GoldenRun.objects.filter(
        Exists(connected), version__is_newest=True, revision__status=RevisionStatus.VERIFIED
    )
    return rows.select_related(*_RELATED)


def runs_of(revision: Revision) -> QuerySet[GoldenRun]:
    """The runs of a revision on golden sets of connected tasks: the newest version of each set first."""
    connected = TaskConnection.objects.filter(model=revision.model_id, task=OuterRef("version__golden_set__task"))
    rows = GoldenRun.objects.filter(Exists(connected), revision=revision).select_related(*_RELATED)
    return rows.order_by("version__golden_set__task__name", "version__golden_set__name", "-version__number")


def failures_of(run: GoldenRun) -> QuerySet[GoldenOutcome]:
    """The rows that failed in the result that stands, in their order."""
    return GoldenOutcome.objects.filter(run=run, attempt=run.measured_attempt or 0, is_passed=False).order_by("number")


def golden_sets_of(task: Task) -> QuerySet[GoldenSet]:
    """The golden sets of a task, by name."""
    return GoldenSet.objects.filter(task=task).select_related("task", "created_by").order_by("name")


def unfinished_revisions() -> QuerySet[GoldenRun, Any]:
    """Ids of revisions of which a run waits or goes on."""
    return GoldenRun.objects.filter(state__in=CASE_RUN_LIFECYCLE.live).order_by().values("revision")
