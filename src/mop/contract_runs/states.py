"""The lifecycle of a contract run, and where a version stands with a connected task."""

from __future__ import annotations

from mop.engine.lifecycle import Lifecycle, State, Tone, absent, final, live


class ContractRunState(State):
    """Where a contract run stands; the first two are those of a version without one."""

    NOT_AVAILABLE = absent("notAvailable", "The version is not verified; its verification checks the task.")
    NOT_CHECKED = absent("notChecked", "The version was not checked with this task; an owner can start the check.")
    QUEUED = live("queued", "The contract run waits for a worker host.")
    RUNNING = live("running", "The answers of the version's model are being checked.")
    PASSED = final("passed", "The version's answers follow the contract.", tone=Tone.OK)
    FAILED = final("failed", "The version broke a rule of the contract.", tone=Tone.BAD)
    UNDECIDED = final("undecided", "A cause outside the model ended the contract run.", tone=Tone.WARN)
    CANCELLED = final("cancelled", "An owner ended the contract run.", tone=Tone.QUIET)


S = ContractRunState

CONTRACT_RUN_LIFECYCLE = Lifecycle(path=(S.QUEUED, S.RUNNING, S.PASSED), exits={S.FAILED, S.UNDECIDED, S.CANCELLED})
