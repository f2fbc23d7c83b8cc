"""Changing the state of a case and of an import."""

from __future__ import annotations

from mop.audit.transitions import Change, Entity
from mop.dsat.actions import Action
from mop.dsat.models import Case, Import
from mop.dsat.notices import notify_state
from mop.dsat.states import CASE_LIFECYCLE, IMPORT_LIFECYCLE, CaseState, ImportState


def _set_case_fields(change: Change[Case, CaseState]) -> None:
    change.row.state_changed_at = change.row.changed_at = change.at


def _tell(change: Change[Case, CaseState]) -> None:
    notify_state(change.row, before=change.before, actor=change.actor)


CASE = Entity(
    model=Case,
    lifecycle=CASE_LIFECYCLE,
    name="DSAT case",
    object_type="dsat case",
    action=Action.CASE_STATE,
    field="state",
    related=("task",),
    set_fields=_set_case_fields,
    tell=_tell,
    failpoint="dsat case",
)


def _set_import_fields(change: Change[Import, ImportState]) -> None:
    change.row.state_changed_at = change.at


IMPORT = Entity(
    model=Import,
    lifecycle=IMPORT_LIFECYCLE,
    name="DSAT import",
    object_type="dsat import",
    action=Action.IMPORT_STATE,
    field="state",
    related=("task", "submitter"),
    set_fields=_set_import_fields,
    audit_data=lambda row: {"task": row.task.name, "added": row.added, "refused": row.refused},
    failpoint="dsat import",
)
