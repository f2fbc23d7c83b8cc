"""The one function that changes a load test's state."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from mop import failpoints
from mop.audit.services import Actor, record
from mop.engine.fence import hold_fence
from mop.errors import MopError, StaleAttemptError
from mop.loadtest.actions import Action
from mop.loadtest.models import LoadTest
from mop.loadtest.states import TRANSITIONS, LoadTestState


@transaction.atomic
def advance_test(
    *,
    test_id: uuid.UUID,
    to: LoadTestState,
    actor: Actor,
    error: MopError | None = None,
    facts: dict[str, Any] | None = None,
) -> bool:
    """Move a load test to the state `to`, with the facts (field names of LoadTest) that became known with it.

    A step that runs again after a crash may ask for the state that stands: then only the facts are saved.

    Returns:
        Whether the state changed.

    Raises:
        StaleAttemptError: the load test is gone, or may not enter `to` from where it stands.
        WorkerLostError: this process is a worker whose work was given to another.
    """
    hold_fence()
    test = LoadTest.objects.select_for_update(of=("self",)).select_related("revision__model").filter(pk=test_id).first()
    if test is None:
        raise StaleAttemptError(f"load test {test_id} was deleted")
    before = test.get_state()
    changes = before != to
    if before.is_final or (changes and to not in TRANSITIONS[before]):
        raise StaleAttemptError(f"the {test} is {before.value} and can not become {to.value}")
    for field, value in (facts or {}).items():
        setattr(test, field, value)
    if changes:
        _enter(test, to, error)
    test.save()
    if changes:
        tell(test, actor=actor, before=before, error=error)
        failpoints.hit(f"before load test {to.value}")
        transaction.on_commit(functools.partial(failpoints.hit, f"after load test {to.value}"))
    return changes


def _enter(test: LoadTest, to: LoadTestState, error: MopError | None) -> None:
    now = timezone.now()
    test.state = to
    if to == LoadTestState.RUNNING:
        test.started_at = test.started_at or now
    if to.is_final:
        test.ended_at = now
        test.progress = None
        test.note = ""
        test.error = error.to_dict() if error else None


def tell(test: LoadTest, *, actor: Actor, before: LoadTestState | None, error: MopError | None = None) -> None:
    """Write the state that a load test just entered into the audit log."""
    record(
        actor=actor,
        action=Action.STATE,
        object_type="loadtest",
        object_id=test.pk,
        object_label=str(test),
        data={
            "revision": str(test.revision_id),
            "from": before.value if before else None,
            "to": test.get_state().value,
            "error": error.name if error else None,
        },
    )
