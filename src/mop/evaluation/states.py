"""The lifecycle of an evaluation."""

from __future__ import annotations

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class EvaluationState(State):
    """Where an evaluation stands."""

    QUEUED = live("queued", "The evaluation waits for a worker host, or for another try.")
    RUNNING = live("running", "The version's model answers the dataset's rows.")
    FINISHED = final("finished", "Every row was counted; the result stands.", tone=Tone.OK)
    FAILED = final("failed", "The evaluation failed; the reason is shown.", tone=Tone.BAD)
    MAPPING_ERROR = final(
        "mappingError", "The labels of model, task and dataset do not fit each other; no row was run.", tone=Tone.BAD
    )
    CANCELLED = final("cancelled", "The evaluation was ended before its last row.", tone=Tone.QUIET)


S = EvaluationState

EVALUATION_LIFECYCLE = Lifecycle(
    path=(S.QUEUED, S.RUNNING, S.FINISHED),
    exits={S.FAILED, S.MAPPING_ERROR, S.CANCELLED},
    further={S.RUNNING: {S.QUEUED}},  # a cause outside the model; what was answered is kept
    restarts={S.FINISHED, S.FAILED, S.MAPPING_ERROR, S.CANCELLED},
)
