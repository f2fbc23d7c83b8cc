"""The lifecycles of a case and of an import."""

from __future__ import annotations

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class CaseState(State):
    """Where a case stands. Nothing moves by itself; a live state waits for a person."""

    OPEN = live("open", "Nobody has taken the case yet.")
    ASSIGNED = live("assigned", "The assignee looks into the case.")
    CONFIRMED = live(
        "confirmed", "The service answered wrongly; the case waits for a version that fixes it.", tone=Tone.WARN
    )
    FIXED = final("fixed", "A version answers the case as expected.", tone=Tone.OK)
    CLOSED = final("closed", "The fix was accepted.", tone=Tone.QUIET)
    REJECTED = final("rejected", "The case is no fault of a model; regression tests leave it out.", tone=Tone.QUIET)


C = CaseState

CASE_LIFECYCLE = Lifecycle(
    path=(C.OPEN, C.ASSIGNED, C.CONFIRMED, C.FIXED, C.CLOSED),
    exits={C.REJECTED},
    further={C.OPEN: {C.CONFIRMED, C.FIXED}, C.ASSIGNED: {C.OPEN, C.FIXED}},
    restarts={C.FIXED, C.CLOSED, C.REJECTED},
)

WAITING = (C.OPEN, C.ASSIGNED, C.CONFIRMED)
"""States in which a case needs somebody."""


class ImportState(State):
    """Where an import stands."""

    UPLOADING = live("uploading", "Parts of the file are still missing.")
    QUEUED = live("queued", "The file waits for a worker.")
    RUNNING = live("running", "The rows of the file are being imported.")
    FINISHED = final("finished", "Every row became a case or is listed in the report.", tone=Tone.OK)
    FAILED = final("failed", "The import ended early; the reason is shown.", tone=Tone.BAD)
    CANCELLED = final("cancelled", "Somebody ended the import; cases that it made stay.", tone=Tone.QUIET)


IMPORT_LIFECYCLE = Lifecycle(
    path=(ImportState.UPLOADING, ImportState.QUEUED, ImportState.RUNNING, ImportState.FINISHED),
    exits={ImportState.FAILED, ImportState.CANCELLED},
)
