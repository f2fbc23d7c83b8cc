"""The lifecycle of a try."""

from __future__ import annotations

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class TrialState(State):
    """Where a try stands."""

    QUEUED = live("queued", "The try waits for a worker host.")
    RUNNING = live("running", "A fresh process of the model is started and asked.")
    ANSWERED = final("answered", "The model answered.", tone=Tone.OK)
    FAILED = final("failed", "The model did not answer.", tone=Tone.BAD)
    UNDECIDED = final("undecided", "A cause outside the model ended the try; send the input again.", tone=Tone.WARN)
    CANCELLED = final("cancelled", "The try was ended.", tone=Tone.QUIET)


S = TrialState

TRIAL_LIFECYCLE = Lifecycle(path=(S.QUEUED, S.RUNNING, S.ANSWERED), exits={S.FAILED, S.UNDECIDED, S.CANCELLED})
