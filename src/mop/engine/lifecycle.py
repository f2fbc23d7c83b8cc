"""Lifecycles: the states of durable work, what they mean, how they look, and which may follow which.

    class ParcelState(State):
        QUEUED = live("queued", "The parcel waits for a host.")
        PACKED = live("packed", "The parcel is packed.")
        SENT = final("sent", "The parcel was sent.", tone=Tone.OK)
        LOST = final("lost", "The parcel was lost.", tone=Tone.BAD)

    PARCEL_LIFECYCLE = Lifecycle(
        path=(ParcelState.QUEUED, ParcelState.PACKED, ParcelState.SENT),
        exits={ParcelState.LOST},
    )

A declaration that contradicts itself raises when its module is imported. `mop.audit.transitions` changes states by it.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Generic, Self, TypeVar

from django.db import models


class Tone(enum.StrEnum):
    """The colour family of a badge."""

    OK = "ok"
    BAD = "bad"
    WARN = "warn"
    BUSY = "busy"
    QUIET = "quiet"


class Phase(enum.Enum):
    """What a state says about the time to come."""

    LIVE = enum.auto()
    FINAL = enum.auto()
    ABSENT = enum.auto()


class State(models.TextChoices):
    """Base of the states of one kind of work. The value is the word used everywhere: database, API, portal, CLI."""

    meaning: str
    tone: Tone
    phase: Phase

    def __new__(cls, value: str, meaning: str = "", tone: Tone = Tone.BUSY, phase: Phase = Phase.LIVE) -> Self:
        """A member as `live`, `final` and `absent` declare it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.tone = tone
        member.phase = phase
        return member

    @property
    def is_live(self) -> bool:
        """Whether work goes on, or will by itself."""
        return self.phase is Phase.LIVE

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens until somebody acts."""
        return self.phase is Phase.FINAL


Declared = tuple[str, str, Tone, Phase, str]


def live(value: str, meaning: str, *, tone: Tone = Tone.BUSY, label: str = "") -> Declared:
    """A state in which work goes on, or will by itself.

    Args:
        value: the word used everywhere.
        meaning: one sentence for people who meet the word for the first time.
        tone: how its badge looks.
        label: the word on forms; the value unless given.
    """
    return value, meaning, tone, Phase.LIVE, label or value


def final(value: str, meaning: str, *, tone: Tone, label: str = "") -> Declared:
    """A state in which nothing more happens until somebody acts; arguments as for `live`."""
    return value, meaning, tone, Phase.FINAL, label or value


def absent(value: str, meaning: str, *, label: str = "") -> Declared:
    """A word that is shown where there is no such work yet; no row is ever in it. Arguments as for `live`."""
    return value, meaning, Tone.QUIET, Phase.ABSENT, label or value


S = TypeVar("S", bound=State)


class Lifecycle(Generic[S]):
    """The transitions between the states of one kind of work.

    Args:
        path: the states in their order when nothing goes wrong; work starts in the first and ends in the last.
        exits: states that every state of the path but the last may go to.
        further: other transitions.
        restarts: states after which a new attempt may begin, at the start of the path. Only a lifecycle with restarts
            has attempts.

    Attributes:
        states: the class of the states.
        transitions: the states that may follow each state, within one attempt.
        live: states in which work goes on.
        final: states in which it ended.

    Raises:
        ValueError: the declaration contradicts itself; the message names every contradiction.
    """

    def __init__(
        self,
        *,
        path: Sequence[S],
        exits: Collection[S] = (),
        further: Mapping[S, Collection[S]] = MappingProxyType({}),
        restarts: Collection[S] = (),
    ) -> None:
        self.path = tuple(path)
        self.states: type[S] = type(self.path[0])
        self.restarts = frozenset(restarts)
        self.live = frozenset(state for state in self.states if state.is_live)
        self.final = frozenset(state for state in self.states if state.is_final)
        following: dict[S, set[S]] = {state: set(further.get(state, ())) for state in self.states}
        for state, follower in zip(self.path, self.path[1:], strict=False):
            following[state] |= {follower, *exits}
        self.transitions: Mapping[S, frozenset[S]] = MappingProxyType(
            {state: frozenset(followers) for state, followers in following.items()}
        )
        if problems := sorted(self._problems()):
            raise ValueError(f"the lifecycle of {self.states.__name__} contradicts itself: {'; '.join(problems)}")

    @property
    def start(self) -> S:
        """The state that work begins in."""
        return self.path[0]

    @property
    def has_attempts(self) -> bool:
        """Whether work that ended may be tried again."""
        return bool(self.restarts)

    def reachable(self, state: S) -> frozenset[S]:
        """The state, and all that can follow it within an attempt."""
        found, ahead = {state}, [state]
        while ahead:
            new = self.transitions[ahead.pop()] - found
            found |= new
            ahead += new
        return frozenset(found)

    def _problems(self) -> Iterator[str]:
        if len(set(self.path)) < len(self.path):
            yield "a state stands twice in the path"
        if not self.start.is_live:
            yield f"it starts in {self.start.value}, which is not live"
        from_start = self.reachable(self.start)
        for state in self.states:
            followers = self.transitions[state]
            if not state.meaning:
                yield f"{state.value} has no meaning"
            if state.phase is Phase.ABSENT:
                if followers or state in from_start or state in self.restarts:
                    yield f"{state.value} is absent, but has transitions"
                continue
            if state not in from_start:
                yield f"{state.value} cannot be reached from {self.start.value}"
            if state.is_live and not self.reachable(state) & self.final:
                yield f"{state.value} is live, but never leads to a final state"
            if state.is_final and followers & self.live:
                yield f"{state.value} is final, but goes on to a live state; what begins again is a restart"
