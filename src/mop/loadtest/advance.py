"""Changing a load test's state."""

from __future__ import annotations

from mop.audit.transitions import Change, Entity
from mop.loadtest.actions import Action
from mop.loadtest.models import LoadTest
from mop.loadtest.notices import notify_end
from mop.loadtest.states import LOAD_TEST_LIFECYCLE, LoadTestState


def _set_fields(change: Change[LoadTest, LoadTestState]) -> None:
    test = change.row
    if change.to == LoadTestState.RUNNING:
        test.started_at = change.at
    if change.to.is_final:
        test.ended_at = change.at
        test.progress = None
        test.note = ""


def _tell(change: Change[LoadTest, LoadTestState]) -> None:
    notify_end(change.row, actor=change.actor, error=change.error)


LOAD_TEST = Entity(
    model=LoadTest,
    lifecycle=LOAD_TEST_LIFECYCLE,
    name="load test",
    object_type="loadtest",
    action=Action.STATE,
    field="state",
    related=("revision__model",),
    set_fields=_set_fields,
    tell=_tell,
    audit_data=lambda test: {"revision": str(test.revision_id)},
)
