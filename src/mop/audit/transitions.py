"""Changing the state of durable work: for every kind of work, `Entity.advance` and its neighbours alone do it.

    PARCEL = Entity(
        model=Parcel, lifecycle=PARCEL_LIFECYCLE, name="parcel", object_type="parcel", action=Action.STATUS
    )
    PARCEL.begin(Parcel(address="Delft"), actor=actor)
    PARCEL.advance(parcel_id, to=ParcelState.PACKED, actor=actor, facts={"weight": 12})

In one transaction, with a failpoint (†) on both sides of its commit:

    fence ─ lock row ─ attempt ─ transition ─ state, error, facts ─ audit record ─ what is told ─ † ─ COMMIT ─ †
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from mop import failpoints
from mop.areas.words import AuditAction
from mop.audit.models import AuditEvent
from mop.audit.services import Actor, record
from mop.engine.fence import hold_fence
from mop.engine.lifecycle import Lifecycle, State
from mop.engine.models import DurableWork
from mop.engine.watch import Run
from mop.errors import MopError, StaleAttemptError

M = TypeVar("M", bound=DurableWork)
S = TypeVar("S", bound=State)


@dataclass(frozen=True, kw_only=True)
class Change(Generic[M, S]):
    """A state that a row enters.

    Attributes:
        before: the state that it leaves; None for a new row.
        detail: one line for the timeline.
        error: why, where the state is a failure.
    """

    row: M
    before: S | None
    to: S
    at: dt.datetime
    actor: Actor
    detail: str
    error: MopError | None


def _nothing(_change: Change[Any, Any]) -> None:
    pass


def _no_data(_row: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Entity(Generic[M, S]):
    """One kind of durable work: its table and lifecycle, and what a change of its state brings with it.

    Attributes:
        model: the table; a primary key that reads as text, the columns of DurableWork, and `attempt` where the
            lifecycle has attempts.
        field: the column of the state.
        name: the word for one of them, in messages and failpoints.
        object_type: the word of the audit log for one of them.
        action: the word of the audit log for a change of its state.
        related: what is read together with a row, for its label and for `tell`.
        since: the column that says since when a row waits in the first state.
        set_fields: sets other columns that belong to the state, before the row is saved.
        tell: writes what else tells of the change, in the same transaction: an event of the timeline, a notification.
        audit_data: what the audit record holds besides states, attempt and error.
        failpoint: stands before the state in the names of failpoints; the name unless given.
    """

    model: type[M]
    lifecycle: Lifecycle[S]
    name: str
    object_type: str
    action: AuditAction
    field: str = "status"
    related: tuple[str, ...] = ()
    since: str = "created_at"
    set_fields: Callable[[Change[M, S]], None] = _nothing
    tell: Callable[[Change[M, S]], None] = _nothing
    audit_data: Callable[[M], Mapping[str, Any]] = _no_data
    failpoint: str | None = None

    def state_of(self, row: M) -> S:
        return self.lifecycle.states(getattr(row, self.field))

    def advance(
        self,
        pk: object,
        *,
        to: S,
        actor: Actor,
        attempt: int | None = None,
        detail: str = "",
        error: MopError | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Move a row to the state `to`, with the facts (values of its columns) that became known with it.

        State, facts, audit record and what is told are written in one transaction. A step that runs again after a
        crash may ask for a state that its row entered already: then only the facts are saved.

        Returns:
            Whether the state changed.

        Raises:
            StaleAttemptError: the row is gone, is in another attempt, or may not enter `to` from where it stands.
            WorkerLostError: this process is a worker whose work was given to another.
            TypeError: a bug: the lifecycle has attempts and none is given, or the other way round.
        """
        self._check_attempt(attempt)
        with transaction.atomic():
            row = self.lock(pk, attempt=attempt)
            return self.move(row, to, actor=actor, detail=detail, error=error, facts=facts)

    def lock(self, pk: object, *, attempt: int | None = None) -> M:
        """A row, locked until the transaction ends.

        Args:
            pk: which row.
            attempt: the try that the caller works on; None for people, who act on whatever stands.

        Raises:
            StaleAttemptError: it is gone, or in another attempt.
            WorkerLostError: this process is a worker whose work was given to another.
        """
        hold_fence()
        rows = self._rows().select_for_update(of=("self",)).select_related(*self.related or (None,))
        row = rows.filter(pk=pk).first()
        if row is None:
            raise StaleAttemptError(f"{self.name} {pk} was deleted")
        if attempt is not None and attempt != _attempt_of(row):
            raise StaleAttemptError(f"{self.name} {pk} is in attempt {_attempt_of(row)}, not {attempt}")
        return row

    def move(
        self,
        row: M,
        to: S,
        *,
        actor: Actor,
        detail: str = "",
        error: MopError | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """What `advance` does, for a row that the caller holds locked."""
        before = self.state_of(row)
        if before != to and to in self.lifecycle.transitions[before]:
            self._enter(row, before, to, actor=actor, detail=detail, error=error, facts=facts)
            return True
        if before == to or (before.is_live and self._entered(row, to)):
            self._set_facts(row, facts)
            row.save()
            return False
        raise StaleAttemptError(f"{row} is {before.value} and cannot become {to.value}")

    def begin(self, row: M, *, actor: Actor, detail: str = "") -> None:
        """Save a new row in the first state. Call it in a transaction."""
        self._enter(row, None, self.lifecycle.start, actor=actor, detail=detail)

    def restart(self, row: M, *, actor: Actor, detail: str = "") -> None:
        """Begin the next attempt of a row that the caller holds locked.

        Raises:
            StaleAttemptError: no attempt may follow the state in which it stands.
        """
        before = self.state_of(row)
        if before not in self.lifecycle.restarts:
            raise StaleAttemptError(f"{row} is {before.value} and cannot begin again")
        setattr(row, "attempt", _attempt_of(row) + 1)  # noqa: B010 - only rows with attempts have the column
        row.host = ""
        self._enter(row, before, self.lifecycle.start, actor=actor, detail=detail)

    def claim(self, run: Run, *, host: str) -> M:
        """Take a run for a host: it no longer waits in the queue. A step may claim what its host has already.

        Raises:
            StaleAttemptError: it is over.
            WorkerLostError: this worker's work was given to another.
        """
        self._check_attempt(run.attempt)
        with transaction.atomic():
            row = self.lock(run.id, attempt=run.attempt)
            if not self.state_of(row).is_live:
                raise StaleAttemptError(f"{row} is {self.state_of(row).value}")
            if row.host != host:
                row.host = host
                row.save(update_fields=["host"])
            return row

    def wanted(self, runs: Collection[Run]) -> set[Run]:
        """Of these runs, those that are still worked on. One query."""
        columns = ("pk", "attempt") if self.lifecycle.has_attempts else ("pk",)
        rows = self._in(self.lifecycle.live).filter(pk__in={run.id for run in runs})
        return {Run(str(pk), *attempt) for pk, *attempt in rows.values_list(*columns)} & set(runs)

    def waiting(self, before: dt.datetime) -> QuerySet[M]:
        """Rows that wait for a host since before a moment: the enqueue of their work may have been lost."""
        return self._in({self.lifecycle.start}).filter(**{"host": "", f"{self.since}__lt": before})

    def release(self, host: str) -> None:
        """What a lost host worked on waits for another; until one takes it, it has a place in the queue again."""
        self._in(self.lifecycle.live).filter(host=host).update(host="")

    def _rows(self) -> QuerySet[M]:
        return self.model._default_manager.all()  # noqa: SLF001 - Django's documented name for it

    def _in(self, states: Collection[S]) -> QuerySet[M]:
        return self._rows().filter(**{f"{self.field}__in": states})

    def _entered(self, row: M, to: S) -> bool:
        """Whether a row was in a state before, in the attempt that it is in; the audit log keeps them."""
        changes = AuditEvent.objects.filter(
            object_type=self.object_type, object_id=str(row.pk), action=self.action, data__to=to.value
        )
        if self.lifecycle.has_attempts:
            changes = changes.filter(data__attempt=_attempt_of(row))
        return changes.exists()

    def _check_attempt(self, attempt: int | None) -> None:
        if (attempt is not None) != self.lifecycle.has_attempts:
            raise TypeError(f"a {self.name} has {'' if self.lifecycle.has_attempts else 'no '}attempts")

    def _enter(
        self,
        row: M,
        before: S | None,
        to: S,
        *,
        actor: Actor,
        detail: str,
        error: MopError | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        change = Change(row=row, before=before, to=to, at=timezone.now(), actor=actor, detail=detail, error=error)
        setattr(row, self.field, to)
        row.error = error.to_dict() if error else None
        self.set_fields(change)
        self._set_facts(row, facts)
        row.save()
        data = {
            "from": before.value if before else None,
            "to": to.value,
            "error": error.name if error else None,
            **({"attempt": _attempt_of(row)} if self.lifecycle.has_attempts else {}),
            **self.audit_data(row),
        }
        record(
            actor=actor,
            action=self.action,
            object_type=self.object_type,
            object_id=row.pk,
            object_label=str(row),
            data=data,
        )
        self.tell(change)
        name = f"{self.name if self.failpoint is None else self.failpoint} {to.value}".strip()
        failpoints.hit(f"before {name}")
        transaction.on_commit(functools.partial(failpoints.hit, f"after {name}"))

    def _set_facts(self, row: M, facts: Mapping[str, Any] | None) -> None:
        for column, value in (facts or {}).items():
            if not hasattr(row, column):  # it would be lost without a word
                raise AttributeError(f"a {self.name} has no column {column!r}")
            setattr(row, column, value)


def _attempt_of(row: DurableWork) -> int:
    return int(getattr(row, "attempt"))  # noqa: B009 - as above
