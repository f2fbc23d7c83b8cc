"""The durable contract run: the service is started as for verification, asked, and stopped.

After a crash of the worker the run begins again: it proves the same from the same files, and writes what it found once.
"""

from __future__ import annotations

import functools
import logging

from dbos import DBOS

from mop.contract_runs.advance import CONTRACT_RUN
from mop.contract_runs.area import RUN
from mop.contract_runs.jobs import ContractRunJob, accept, begin, read_job, refuse, say
from mop.engine.database import in_database
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import HostLostError
from mop.hosting.service import revision_service
from mop.hosting.this_host import host_name
from mop.hosting.tools import host_lock
from mop.onboarding.contract import prove_contract
from mop.onboarding.converters import prove_converters
from mop.onboarding.proofs import record_proofs

STARTS = 3  # of the service in one run of the work; what is lost so often will be lost again

logger = logging.getLogger(__name__)
watch = Watch("contract run", CONTRACT_RUN.wanted)


@DBOS.workflow(name=RUN.name)
async def run(run_id: str) -> str:
    """Bring one contract run to its end.

    Returns:
        The state it ended in, or `stale` when somebody cancelled or deleted it.
    """
    return await conclude_step(run_id, await prove_step(run_id))


@DBOS.step(name="contract_runs.prove", preemptible=True)
async def prove_step(run_id: str) -> Outcome:
    """Prove the contract; the result is the warnings."""

    async def work() -> list[str]:
        return await _prove(await in_database(read_job)(run_id, host_name()))

    return await guarded(Run(run_id), work, watch=watch)


@DBOS.step(name="contract_runs.conclude")
async def conclude_step(run_id: str, outcome: Outcome) -> str:
    """Write how it ended."""
    return await concluded(outcome, failed=functools.partial(refuse, run_id), done=functools.partial(accept, run_id))


async def _prove(job: ContractRunJob) -> list[str]:
    async with host_lock().shared(_quiet):
        await in_database(begin)(job.run_id)
        for _ in range(STARTS - 1):
            try:
                return await _prove_once(job)
            except HostLostError as error:
                await in_database(say)(job.run_id, f"begins anew: {error.message}")
                logger.warning("contract run %s begins anew: %s", job.run_id, error.message)
        return await _prove_once(job)


async def _prove_once(job: ContractRunJob) -> list[str]:
    # a sample is proved by itself: the tasks were proved with the version, or are by runs of their own
    async with revision_service(job.revision_job, log=_quiet) as hosted:
        warnings = await prove_contract(hosted.service, tasks=job.tasks, sample=job.sample, log=_quiet)
        converters = await prove_converters(hosted.service, (task.modality for task in job.tasks), log=_quiet)
    await in_database(record_proofs)(job.revision_job.revision_id, (), converters)
    return list(warnings)


def _quiet(_line: str) -> None:
    """Drop lines that the logs of the verification have."""
