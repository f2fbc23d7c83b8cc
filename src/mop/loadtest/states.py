"""The lifecycle of a load test."""

from __future__ import annotations

from collections.abc import Collection

from mop.engine.lifecycle import Lifecycle, State, Tone, absent, final, live


class LoadTestState(State):
    """Where a load test stands; the first two are those of a revision without one."""

    NOT_AVAILABLE = absent("notAvailable", "A load test follows verification.")
    NOT_STARTED = absent("notStarted", "No load test was requested; an owner can enable it.")
    QUEUED = live("queued", "The load test waits until a host runs nothing else.")
    RUNNING = live("running", "The load test runs; its steps appear as they end.")
    FINISHED = final("finished", "The load test finished.", tone=Tone.OK)
    FAILED = final("failed", "The load test failed; its result shows the reason.", tone=Tone.BAD)
    CANCELLED = final("cancelled", "An owner ended the load test; the steps that ended are kept.", tone=Tone.QUIET)


S = LoadTestState

LOAD_TEST_LIFECYCLE = Lifecycle(path=(S.QUEUED, S.RUNNING, S.FINISHED), exits={S.FAILED, S.CANCELLED})


def state_of_run(states: Collection[LoadTestState]) -> LoadTestState:
    """The one state of a run with a test for each modality: what still happens comes first, then what went wrong."""
    found = set(states)
    if found & LOAD_TEST_LIFECYCLE.live:
        return S.RUNNING if found != {S.QUEUED} else S.QUEUED
    return next((state for state in (S.FAILED, S.CANCELLED) if state in found), S.FINISHED)
