"""The lifecycle of a verification."""

from __future__ import annotations

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class VerificationState(State):
    """Where a verification stands."""

    QUEUED = live("queued", "The verification waits for a worker host.")
    RUNNING = live("running", "Every number is being computed again from the dataset and the predictions.")
    FINISHED = final("finished", "Every number was computed again; the report says which holds.", tone=Tone.OK)
    FAILED = final("failed", "The verification failed; the reason is shown.", tone=Tone.BAD)


S = VerificationState

VERIFICATION_LIFECYCLE = Lifecycle(path=(S.QUEUED, S.RUNNING, S.FINISHED), exits={S.FAILED})
