"""Changing states, on a table of the test's own: transitions, idempotence, fence, attempts, deaths at failpoints."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, models
from django.test import TestCase
from django.test.utils import isolate_apps
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from mop import failpoints
from mop.areas.area import Area
from mop.areas.words import AuditAction
from mop.audit.models import AuditEvent
from mop.audit.transitions import Change, Entity
from mop.engine import fence
from mop.engine.clock import DatabaseClock
from mop.engine.fence import WorkerLostError, stand_behind_fence
from mop.engine.lifecycle import Lifecycle, State, Tone, final, live
from mop.engine.models import DurableWork, Worker
from mop.engine.watch import Run
from mop.errors import HostLostError, StaleAttemptError
from support.areas import also_registered
from support.factories import ACTOR

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


class ParcelAction(AuditAction):
    STATE = "parcel.state"
    TRIED = "parcel.tried"


@pytest.fixture(autouse=True)
def parcels_area() -> Iterator[None]:
    """The area that declares what is recorded of parcels."""
    with also_registered(Area(name="parcels", audit_actions=ParcelAction)):
        yield


class ParcelState(State):
    QUEUED = live("queued", "The parcel waits.")
    PACKED = live("packed", "The parcel is packed.")
    STAMPED = live("stamped", "The parcel is stamped.")
    SENT = final("sent", "The parcel was sent.", tone=Tone.OK)
    LOST = final("lost", "The parcel was lost.", tone=Tone.BAD)


S = ParcelState
PATH = (S.QUEUED, S.PACKED, S.STAMPED, S.SENT)

with isolate_apps("mop.engine"):

    class Parcel(DurableWork):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        state = models.CharField(max_length=16, choices=S, default=S.QUEUED)
        attempt = models.PositiveIntegerField(default=1)
        weight = models.PositiveIntegerField(default=0)
        sent_at = models.DateTimeField(null=True)
        created_at = models.DateTimeField(default=timezone.now)

        class Meta:
            app_label = "engine"
            db_table = "test_parcel"

        def __str__(self) -> str:
            return f"parcel of {self.weight} g"


told: list[Change[Parcel, ParcelState]] = []


def set_fields(change: Change[Parcel, ParcelState]) -> None:
    if change.to == S.SENT:
        change.row.sent_at = change.at


PARCEL = Entity(
    model=Parcel,
    lifecycle=Lifecycle(path=PATH, exits={S.LOST}),
    name="parcel",
    object_type="parcel",
    action=ParcelAction.STATE,
    field="state",
    set_fields=set_fields,
    tell=told.append,
    audit_data=lambda parcel: {"weight": parcel.weight},
)
# the same table, where what was lost is sent again
TRIED = Entity(
    model=Parcel,
    lifecycle=Lifecycle(path=PATH, exits={S.LOST}, restarts={S.LOST}),
    name="tried parcel",
    object_type="parcel",
    action=ParcelAction.TRIED,
    field="state",
)


@pytest.fixture(scope="module", autouse=True)
def table(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.create_model(Parcel)
    yield
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.delete_model(Parcel)


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    told.clear()


def begun(entity: Entity[Parcel, ParcelState] = PARCEL) -> Parcel:
    parcel = Parcel()
    entity.begin(parcel, actor=ACTOR)
    return parcel


def audited(parcel: Parcel) -> list[dict[str, object]]:
    events = AuditEvent.objects.filter(object_id=str(parcel.pk)).order_by("id")
    return [event.data for event in events]


def states_of(parcel: Parcel) -> list[object]:
    return [data["to"] for data in audited(parcel)]


def test_state_facts_audit_record_and_what_is_told_come_together():
    parcel = begun()
    assert PARCEL.advance(parcel.pk, to=S.PACKED, actor=ACTOR, detail="in paper", facts={"weight": 12})
    parcel.refresh_from_db()
    assert (parcel.state, parcel.weight) == ("packed", 12)
    assert audited(parcel) == [
        {"from": None, "to": "queued", "error": None, "weight": 0},
        {"from": "queued", "to": "packed", "error": None, "weight": 12},
    ]
    event = AuditEvent.objects.filter(object_id=str(parcel.pk)).first()
    assert event is not None
    assert (event.action, event.object_type, event.object_label) == ("parcel.state", "parcel", "parcel of 12 g")
    assert [(change.before, change.to, change.detail) for change in told] == [
        (None, S.QUEUED, ""),
        (S.QUEUED, S.PACKED, "in paper"),
    ]


def test_columns_of_a_state_are_set_with_it_and_an_error_is_kept_until_the_next():
    parcel = begun(TRIED)
    error = HostLostError("no van")
    TRIED.advance(parcel.pk, to=S.LOST, actor=ACTOR, attempt=1, error=error)
    parcel.refresh_from_db()
    assert parcel.error == error.to_dict()
    assert audited(parcel)[-1]["error"] == "HostLostError"
    TRIED.restart(parcel, actor=ACTOR)
    parcel.refresh_from_db()
    assert parcel.error is None
    sent = begun()
    for state in PATH[1:]:
        PARCEL.advance(sent.pk, to=state, actor=ACTOR)
    sent.refresh_from_db()
    assert sent.sent_at is not None


@pytest.mark.parametrize("state", list(S))
def test_only_declared_transitions_are_walked(state: ParcelState):
    for to in set(S) - PARCEL.lifecycle.transitions[state] - {state, S.QUEUED}:
        parcel = begun()
        Parcel.objects.filter(pk=parcel.pk).update(state=state)
        with pytest.raises(StaleAttemptError, match=f"is {state.value} and cannot become {to.value}"):
            PARCEL.advance(parcel.pk, to=to, actor=ACTOR, facts={"weight": 9})
        parcel.refresh_from_db()
        assert (parcel.state, parcel.weight, states_of(parcel)) == (state, 0, ["queued"])


def test_a_step_that_runs_again_saves_its_facts_and_enters_nothing_twice():
    parcel = begun()
    PARCEL.advance(parcel.pk, to=S.PACKED, actor=ACTOR)
    PARCEL.advance(parcel.pk, to=S.STAMPED, actor=ACTOR)
    told.clear()
    for to, weight in ((S.PACKED, 7), (S.STAMPED, 8)):
        assert PARCEL.advance(parcel.pk, to=to, actor=ACTOR, facts={"weight": weight}) is False
        parcel.refresh_from_db()
        assert (parcel.state, parcel.weight) == ("stamped", weight)
    assert states_of(parcel) == ["queued", "packed", "stamped"]
    assert told == []


def test_the_end_may_be_written_again_but_nothing_else_after_it():
    parcel = begun()
    PARCEL.advance(parcel.pk, to=S.PACKED, actor=ACTOR)
    assert PARCEL.advance(parcel.pk, to=S.LOST, actor=ACTOR)
    assert PARCEL.advance(parcel.pk, to=S.LOST, actor=ACTOR) is False
    for to in (S.PACKED, S.STAMPED):
        with pytest.raises(StaleAttemptError):
            PARCEL.advance(parcel.pk, to=to, actor=ACTOR)


def test_a_deleted_row_takes_no_answer():
    parcel = begun()
    Parcel.objects.all().delete()
    with pytest.raises(StaleAttemptError, match="was deleted"):
        PARCEL.advance(parcel.pk, to=S.PACKED, actor=ACTOR)
    with pytest.raises(StaleAttemptError, match="was deleted"):
        PARCEL.claim(Run(str(parcel.pk)), host="w1")


def test_a_fact_that_is_no_column_is_a_bug():
    with pytest.raises(AttributeError, match="no column 'colour'"):
        PARCEL.advance(begun().pk, to=S.PACKED, actor=ACTOR, facts={"colour": "red"})


def test_a_new_attempt_starts_again_and_late_answers_to_the_last_are_refused():
    parcel = begun(TRIED)
    TRIED.advance(parcel.pk, to=S.PACKED, actor=ACTOR, attempt=1)
    TRIED.claim(Run(str(parcel.pk), 1), host="w1")
    with pytest.raises(StaleAttemptError, match="cannot begin again"):
        TRIED.restart(TRIED.lock(parcel.pk), actor=ACTOR)
    TRIED.advance(parcel.pk, to=S.LOST, actor=ACTOR, attempt=1)
    TRIED.restart(TRIED.lock(parcel.pk), actor=ACTOR)
    parcel.refresh_from_db()
    assert (parcel.state, parcel.attempt, parcel.host) == ("queued", 2, "")
    with pytest.raises(StaleAttemptError, match="attempt 2, not 1"):
        TRIED.advance(parcel.pk, to=S.PACKED, actor=ACTOR, attempt=1)
    with pytest.raises(StaleAttemptError):
        TRIED.claim(Run(str(parcel.pk), 1), host="w1")
    assert TRIED.advance(parcel.pk, to=S.PACKED, actor=ACTOR, attempt=2), "each attempt enters it"
    assert [(data["attempt"], data["to"]) for data in audited(parcel)] == [
        (1, "queued"),
        (1, "packed"),
        (1, "lost"),
        (2, "queued"),
        (2, "packed"),
    ]


def test_attempts_are_given_where_the_lifecycle_has_them_and_nowhere_else():
    with pytest.raises(TypeError, match="has no attempts"):
        PARCEL.advance(begun().pk, to=S.PACKED, actor=ACTOR, attempt=1)
    with pytest.raises(TypeError, match="has attempts"):
        TRIED.advance(begun(TRIED).pk, to=S.PACKED, actor=ACTOR)
    with pytest.raises(TypeError, match="has attempts"):
        TRIED.claim(Run(str(begun(TRIED).pk)), host="w1")


def test_a_host_claims_what_is_live_once_or_again():
    parcel = begun()
    run = Run(str(parcel.pk))
    for host in ("w1", "w1", "w2"):
        assert PARCEL.claim(run, host=host).host == host
    PARCEL.advance(parcel.pk, to=S.LOST, actor=ACTOR)
    with pytest.raises(StaleAttemptError, match="is lost"):
        PARCEL.claim(run, host="w1")


def test_wanted_is_what_is_live_in_its_own_attempt():
    goes_on, ended, again = begun(), begun(), begun(TRIED)
    PARCEL.advance(ended.pk, to=S.LOST, actor=ACTOR)
    TRIED.advance(again.pk, to=S.LOST, actor=ACTOR, attempt=1)
    TRIED.restart(TRIED.lock(again.pk), actor=ACTOR)
    gone = Run(str(uuid.uuid4()))
    assert PARCEL.wanted([Run(str(goes_on.pk)), Run(str(ended.pk)), gone]) == {Run(str(goes_on.pk))}
    assert TRIED.wanted([Run(str(again.pk), 1), Run(str(again.pk), 2)]) == {Run(str(again.pk), 2)}


def test_what_waits_is_in_the_first_state_without_a_host_since_before_the_moment():
    old, young, taken, further = begun(), begun(), begun(), begun()
    now = timezone.now()
    Parcel.objects.exclude(pk=young.pk).update(created_at=now - dt.timedelta(minutes=1))
    PARCEL.claim(Run(str(taken.pk)), host="w1")
    PARCEL.advance(further.pk, to=S.PACKED, actor=ACTOR)
    assert list(PARCEL.waiting(now - dt.timedelta(seconds=30))) == [old]


@pytest.fixture
def lost_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """This process writes as a worker from when it is called, and is lost."""
    monkeypatch.setattr(fence, "_executor_id", "")
    monkeypatch.setattr(fence, "_on_lost", None)

    def lose() -> None:
        Worker.objects.create(executor_id="worker:w1:1", name="w1", lock="", process="", lost_at=DatabaseClock())
        stand_behind_fence("worker:w1:1", lambda _reason: None)

    return lose


LATE: dict[str, Callable[[Parcel], object]] = {
    "advances": lambda parcel: PARCEL.advance(parcel.pk, to=S.PACKED, actor=ACTOR),
    "repeats": lambda parcel: PARCEL.advance(parcel.pk, to=S.QUEUED, actor=ACTOR, facts={"weight": 5}),
    "claims": lambda parcel: PARCEL.claim(Run(str(parcel.pk)), host="w1"),
    "locks": lambda parcel: PARCEL.lock(parcel.pk),
}


@pytest.mark.parametrize("late", LATE)
def test_a_lost_worker_writes_nothing(late: str, lost_worker: Callable[[], None]):
    parcel = begun()
    lost_worker()
    with pytest.raises(WorkerLostError):
        LATE[late](parcel)
    parcel.refresh_from_db()
    assert (parcel.state, parcel.host, parcel.weight, states_of(parcel)) == ("queued", "", 0, ["queued"])


class Killed(BaseException):
    """Stands for SIGKILL in this process."""


@pytest.fixture
def deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Armed failpoints, at which this process raises instead of dying."""

    def die(_pid: int, _signal: int) -> None:
        raise Killed

    monkeypatch.setattr(failpoints, "_armed", tmp_path)
    monkeypatch.setattr(os, "kill", die)
    return tmp_path


@pytest.mark.parametrize(("side", "stands"), [("before", "queued"), ("after", "packed")])
def test_a_death_beside_the_commit_leaves_all_or_nothing_and_the_step_may_run_again(
    deaths: Path, side: str, stands: str
):
    parcel = begun()
    failpoints.file_of(deaths, f"{side} parcel packed").touch()
    with pytest.raises(Killed), TestCase.captureOnCommitCallbacks(execute=True):
        PARCEL.advance(parcel.pk, to=S.PACKED, actor=ACTOR, facts={"weight": 3})
    parcel.refresh_from_db()
    assert (parcel.state, parcel.weight) == (stands, 3 if stands == "packed" else 0)
    assert states_of(parcel) == ["queued", "packed"][: 1 + (stands == "packed")]
    PARCEL.advance(parcel.pk, to=S.PACKED, actor=ACTOR, facts={"weight": 3})
    parcel.refresh_from_db()
    assert (parcel.state, parcel.weight, states_of(parcel)) == ("packed", 3, ["queued", "packed"])
