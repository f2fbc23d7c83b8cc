"""Changing the state of a run on a golden set, and what a run of this kind is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mop.audit.transitions import Change, Entity
from mop.engine.bulk import each_of
from mop.errors import RunNotPossibleError
from mop.evaluation.case_runs.kinds import (
    CaseKind,
    CaseTask,
    Key,
    Question,
    Wanted,
    case_task_of,
    set_fields,
)
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE, CaseRunState
from mop.golden_sets.actions import Action
from mop.golden_sets.models import GoldenOutcome, GoldenRow, GoldenRun, GoldenVersion
from mop.golden_sets.notices import notify_end
from mop.golden_sets.selectors import digest_of_row
from mop.onboarding.proofs import is_proved
from mop.registry.statuses import RevisionStatus


def _tell(change: Change[GoldenRun, CaseRunState]) -> None:
    notify_end(change.row, actor=change.actor, error=change.error)


GOLDEN_RUN: Entity[GoldenRun, CaseRunState] = Entity(
    model=GoldenRun,
    lifecycle=CASE_RUN_LIFECYCLE,
    name="golden set run",
    object_type="golden_set_run",
    action=Action.RUN_STATE,
    field="state",
    related=("revision__model", "revision__instance_type", "version__golden_set__task"),
    since="queued_at",
    set_fields=set_fields,
    tell=_tell,
    audit_data=lambda run: {
        "revision": str(run.revision_id),
        "golden_set": run.version.golden_set_id,
        "version": run.version.number,
    },
)


def _tasks(run: GoldenRun) -> Sequence[CaseTask]:
    connections = run.revision.model.connections.select_related("task__taxonomy")
    connection = connections.filter(task=run.version.golden_set.task_id).first()
    is_newest = GoldenVersion.objects.filter(pk=run.version_id, is_newest=True).exists()
    is_verified = run.revision.get_status() == RevisionStatus.VERIFIED
    if connection is None or not is_newest or not is_verified or not is_proved(run.revision, connection):
        raise RunNotPossibleError(
            f"The {run} cannot be done as things stand.",
            hint="The version must be verified and proved with the task, the task connected, and the golden set's "
            "version the newest.",
        )
    return (case_task_of(connection),)


def _wanted(version_id: int, task: CaseTask) -> Wanted:
    digest = digest_of_row(version_id, task)
    return dict.fromkeys(GoldenRow.objects.filter(version=version_id).values_list("number", flat=True), digest)


def _load(version_id: int, task: CaseTask, keys: Sequence[Key]) -> Sequence[Question]:
    digest = digest_of_row(version_id, task)
    rows = GoldenRow.objects.filter(version=version_id, number__in=each_of(keys))
    return [
        Question(number, digest, content.encode(), expected, frozenset((expected,)))
        for number, content, expected in rows.values_list("number", "content", "expected")
    ]


def _standing(keys: Collection[Key]) -> Collection[Key]:
    return keys  # rows go with their golden set alone, and with it the run


GOLDEN: CaseKind[GoldenRun] = CaseKind(
    entity=GOLDEN_RUN,
    outcomes=GoldenOutcome,
    key="number",
    tasks=_tasks,
    source=lambda run: run.version_id,
    wanted=_wanted,
    load=_load,
    standing=_standing,
)
