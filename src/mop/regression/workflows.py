"""The durable regression test of a version."""

from __future__ import annotations

from dbos import DBOS

from mop.engine.steps import Outcome
from mop.engine.watch import Watch
from mop.evaluation.case_runs.running import ended, measured
from mop.regression.advance import REGRESSION, REGRESSION_RUN
from mop.regression.area import RUN

watch = Watch("regression test", REGRESSION_RUN.wanted)


@DBOS.workflow(name=RUN.name)
async def run(run_id: str, attempt: int) -> str:
    """Bring one attempt to its end.

    Returns:
        `finished`, the state it ended in otherwise, or `stale` when somebody cancelled or deleted it.
    """
    outcome = await measure_step(run_id, attempt)
    return "finished" if outcome is None else await conclude_step(run_id, attempt, outcome)


@DBOS.step(name="regression.measure", preemptible=True)
async def measure_step(run_id: str, attempt: int) -> Outcome:
    """Answer every case that has no outcome yet, and let the result stand."""
    return await measured(REGRESSION, run_id, attempt, watch=watch)


@DBOS.step(name="regression.conclude")
async def conclude_step(run_id: str, attempt: int, outcome: Outcome) -> str:
    """Write why it did not finish."""
    return await ended(REGRESSION, run_id, attempt, outcome)
