"""The lifecycle of a run over cases."""

from __future__ import annotations

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class CaseRunState(State):
    """Where a run stands."""

    QUEUED = live("queued", "The run waits for a worker host.")
    RUNNING = live("running", "The version's model answers the cases.")
    FINISHED = final("finished", "Every case has an outcome; the result stands.", tone=Tone.OK)
    FAILED = final("failed", "The run failed; the reason is shown.", tone=Tone.BAD)
    MAPPING_ERROR = final(
        "mappingError", "The labels of model and task do not fit each other; no case was run.", tone=Tone.BAD
    )
    CANCELLED = final("cancelled", "The run was ended before its last case.", tone=Tone.QUIET)


S = CaseRunState

CASE_RUN_LIFECYCLE = Lifecycle(
    path=(S.QUEUED, S.RUNNING, S.FINISHED),
    exits={S.FAILED, S.MAPPING_ERROR, S.CANCELLED},
    restarts={S.FINISHED, S.FAILED, S.MAPPING_ERROR, S.CANCELLED},
)
