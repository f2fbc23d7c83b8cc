"""Changing a contract run's state. What a run that passed proves is written in the same transaction."""

from __future__ import annotations

from mop.audit.services import record
from mop.audit.transitions import Change, Entity
from mop.contract_runs.actions import Action
from mop.contract_runs.models import ContractRun
from mop.contract_runs.states import CONTRACT_RUN_LIFECYCLE, ContractRunState
from mop.onboarding.models import TaskProof
from mop.registry.models import Revision


def _set_fields(change: Change[ContractRun, ContractRunState]) -> None:
    run = change.row
    if change.to == ContractRunState.RUNNING:
        run.started_at = change.at
    if change.to.is_final:
        run.ended_at = change.at
        run.note = ""


def _tell(change: Change[ContractRun, ContractRunState]) -> None:
    if change.to != ContractRunState.PASSED:
        return
    run = change.row
    if run.task is not None:
        TaskProof.objects.get_or_create(revision_id=run.revision_id, task=run.task, customized_name=run.customized_name)
        return
    Revision.objects.filter(pk=run.revision_id).update(sample_post_data=run.sample)
    record(
        actor=change.actor,
        action=Action.SAMPLE_CHANGED,
        object_type="revision",
        object_id=run.revision_id,
        object_label=str(run.revision),
        data={"asked_by": run.created_by_label, "contract_run": str(run.pk)},
    )


CONTRACT_RUN = Entity(
    model=ContractRun,
    lifecycle=CONTRACT_RUN_LIFECYCLE,
    name="contract run",
    object_type="contract_run",
    action=Action.STATE,
    field="state",
    related=("revision__model", "task"),
    set_fields=_set_fields,
    tell=_tell,
    audit_data=lambda run: {"revision": str(run.revision_id), "subject": run.subject},
)
