"""States of a load test, what they mean, how they look, and which may follow which."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models


class LoadTestState(models.TextChoices):
    """Where a load test stands; the first two are those of a revision without one."""

    NOT_AVAILABLE = "notAvailable", "notAvailable"
    NOT_STARTED = "notStarted", "notStarted"
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    FINISHED = "finished", "finished"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it."""
        return self in FINAL

    @property
    def is_live(self) -> bool:
        """Whether it runs, or will by itself."""
        return self in LIVE

    @property
    def tone(self) -> str:
        """The colour family of the badge: ok, bad, busy or quiet."""
        return TONES.get(self, "busy")

    @property
    def meaning(self) -> str:
        """One sentence for people who meet the word for the first time."""
        return MEANINGS[self]


S = LoadTestState

LIVE = frozenset({S.QUEUED, S.RUNNING})
FINAL = frozenset({S.FINISHED, S.FAILED, S.CANCELLED})

TRANSITIONS: dict[LoadTestState, frozenset[LoadTestState]] = {
    S.QUEUED: frozenset({S.RUNNING, S.FAILED, S.CANCELLED}),
    S.RUNNING: frozenset({S.FINISHED, S.FAILED, S.CANCELLED}),
    **{state: frozenset() for state in FINAL},
}

TONES = {
    S.NOT_AVAILABLE: "quiet",
    S.NOT_STARTED: "quiet",
    S.FINISHED: "ok",
    S.FAILED: "bad",
    S.CANCELLED: "quiet",
}

MEANINGS = {
    S.NOT_AVAILABLE: "A load test follows verification.",
    S.NOT_STARTED: "No load test was asked for; an owner can enable it.",
    S.QUEUED: "The load test waits until a host runs nothing else.",
    S.RUNNING: "The load test runs; its steps appear as they end.",
    S.FINISHED: "The load test ran to its end.",
    S.FAILED: "The load test could not be run; its result names the reason.",
    S.CANCELLED: "An owner ended the load test; the steps that ended are kept.",
}


def state_of_run(states: Collection[LoadTestState]) -> LoadTestState:
    """The one state of a run with a test for each modality: what still happens comes first, then what went wrong."""
    found = set(states)
    if found & LIVE:
        return S.RUNNING if found != {S.QUEUED} else S.QUEUED
    return next((state for state in (S.FAILED, S.CANCELLED) if state in found), S.FINISHED)
