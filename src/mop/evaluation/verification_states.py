"""The lifecycle of a verification."""

from __future__ import annotations

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class VerificationState(State):
    """Where a verification stands."""

    QUEUED = live("queued", "The verification waits for a worker host.")
    RUNNING = live("running", "Dataset and predictions are read, and every number is computed again.")
    FINISHED = final("finished", "Every number was computed again; the report says which holds.", tone=Tone.OK)
    FAILED = final("failed", "The verification could not be done; it names the reason.", tone=Tone.BAD)


S = VerificationState

VERIFICATION_LIFECYCLE = Lifecycle(path=(S.QUEUED, S.RUNNING, S.FINISHED), exits={S.FAILED})
