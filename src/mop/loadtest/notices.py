"""What owners are told of load tests: how one ended."""

from __future__ import annotations

from django.urls import reverse

from mop.audit.services import Actor
from mop.errors import MopError
from mop.loadtest.kinds import Kind
from mop.loadtest.models import LoadTest
from mop.loadtest.states import LoadTestState
from mop.notifications.scopes import Scope
from mop.notifications.services import News, notify
from mop.registry.notices import MODEL_SCOPE

ENDINGS: dict[LoadTestState, tuple[Kind, str]] = {
    LoadTestState.FINISHED: (Kind.LOAD_TEST_FINISHED, "has finished"),
    LoadTestState.FAILED: (Kind.LOAD_TEST_FAILED, "failed"),
}


def notify_end(test: LoadTest, *, actor: Actor, error: MopError | None) -> None:
    """Tell the owners how a load test ended; of a cancelled one they know. Call it in the transaction that ends it."""
    if test.get_state() not in ENDINGS:
        return
    kind, ending = ENDINGS[test.get_state()]
    revision = test.revision
    steps = test.steps.count()
    notify(
        actor=actor,
        people=revision.model.owners.order_by("pk"),
        news=News(
            kind=kind,
            event=f"revision:{revision.pk}:load-test:{test.pk}",  # goes with the revision
            title=f"The load test of {revision} {ending}",
            reason=error.message if error else f"{test.modality}: {steps} step{'s' * (steps != 1)} measured.",
            hint=error.hint if error else "",
            link=reverse("loadtest:result", args=(revision.model.name, revision.version)),
            scope=Scope(MODEL_SCOPE, revision.model_id),
        ),
    )
