"""The durable load test: the service is started as for verification, and measured step by step.

Every step is kept as soon as it ends. After a crash of the worker the work runs again: the service is started anew, and
measuring goes on after the last step that is kept; the one that was interrupted is repeated with its warm-up. The same
happens when the service or the generator is lost in the middle of a step: nothing of such a step is kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from dbos import DBOS

from mop.engine.database import in_database
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import HostLostError, LoadGeneratorLostError, LoadTargetUnreachableError, MopError, ServiceFault
from mop.hosting.running import wait_ready
from mop.hosting.service import ServiceObserver, revision_service
from mop.hosting.this_host import host_name, host_tools
from mop.hosting.tools import HostTools, host_lock
from mop.loadtest.advance import LOAD_TEST
from mop.loadtest.area import RUN
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.jobs import (
    LoadTestJob,
    begin,
    conclude,
    read_done,
    read_job,
    store_conditions,
    store_step,
)
from mop.loadtest.live import LiveNumbers
from mop.loadtest.plan import Plan
from mop.loadtest.process import Watched, cpus_beside, generate
from mop.loadtest.sending import conditions_of, endpoint_of
from mop.loadtest.steps import Ending, Measured, run_steps
from mop.loadtest.utilization import Given
from mop.serving.service import Service

STARTS = 3  # of the service in one run of the work; what is lost so often will be lost again
LOST = (HostLostError, LoadGeneratorLostError, LoadTargetUnreachableError)
HINT = "Enable the load test again; if it happens again, look for what ends processes on this host."

_T = TypeVar("_T")

logger = logging.getLogger(__name__)
watch = Watch("load test", LOAD_TEST.wanted)


@DBOS.workflow(name=RUN.name)
async def run(test_id: str) -> str:
    """Bring one load test to its end.

    Returns:
        The state it ended in, or `stale` when somebody cancelled or deleted it.
    """
    return await conclude_step(test_id, await measure_step(test_id))


@DBOS.step(name="loadtest.measure", preemptible=True)
async def measure_step(test_id: str) -> Outcome:
    """Measure every step that is not kept yet; the result is why there is no further one."""

    async def work() -> str:
        return (await _measure(await in_database(read_job)(test_id, host_name()))).value

    return await guarded(Run(test_id), work, watch=watch)


@DBOS.step(name="loadtest.conclude")
async def conclude_step(test_id: str, outcome: Outcome) -> str:
    """Write how it ended."""

    def failed(error: MopError) -> str:
        return conclude(test_id, error=error)

    def done(ended: str) -> str:
        return conclude(test_id, ended=ended)

    return await concluded(outcome, failed=failed, done=done)


async def _measure(job: LoadTestJob) -> Ending:
    """All steps, on a host that does nothing else meanwhile; begun anew when the service or the generator is lost."""
    async with LiveNumbers(job.test_id) as live, host_lock().alone(live.say):
        await in_database(begin)(job.test_id)
        for _ in range(STARTS - 1):
            try:
                return await _measure_once(job, live)
            except LOST as error:
                logger.warning("load test %s begins anew: %s", job.test_id, error.message)
        return await _measure_once(job, live)


async def _measure_once(job: LoadTestJob, live: LiveNumbers) -> Ending:
    live.say("starts the model")
    async with revision_service(job.revision_job, log=_quiet, observer=_Waiting(live)) as hosted:
        service, given = hosted.service, hosted.given
        endpoint, sent = await endpoint_of(service, job.modality)
        await in_database(store_conditions)(job.test_id, conditions_of(job.known, given, endpoint, sent))
        watched = Watched(service.usage, Given(cpus=given.cpus, memory_bytes=given.memory_bytes))
        plan = replace(job.plan, cpus=cpus_beside(set(service.host_cpus())))
        return await run_steps(plan, _DurableSteps(job.test_id, plan, endpoint, service, watched, live))


class _Waiting(ServiceObserver):
    """Shows that the service waits for room."""

    def __init__(self, live: LiveNumbers) -> None:
        self._live = live

    def waits_for_room(self, line: str) -> None:
        self._live.say(line)


class _DurableSteps:
    """Steps measured by a generator process each, and kept as rows; they outlive this worker."""

    def __init__(
        self, test_id: uuid.UUID, plan: Plan, endpoint: Endpoint, service: Service, watched: Watched, live: LiveNumbers
    ) -> None:
        self._test_id = test_id
        self._plan = plan
        self._endpoint = endpoint
        self._service = service
        self._watched = watched
        self._live = live

    async def measured(self) -> Measured:
        """The rows that are kept, also from before a crash."""
        done = await in_database(read_done)(self._test_id)
        return Measured([step.outcome for step in done.steps], done.seconds)

    async def measure(self, place: int, target: int) -> bool:
        """Measure a step while the service lives, and keep its row."""
        plan = replace(self._plan, targets=(target,))
        self._live.place = (place + 1, len(self._plan.targets))
        began = time.monotonic()
        step = generate(plan, self._endpoint, listener=self._live, watched=self._watched)
        result = await while_it_lives(self._service, await host_tools(), step, f"the step at {target}")
        await in_database(store_step)(self._test_id, result.steps[0], time.monotonic() - began)
        return True


async def while_it_lives(service: Service, tools: HostTools, work: Coroutine[Any, Any, _T], what: str) -> _T:
    """What `work` returns, if the service was there all the while, and can go on.

    Raises:
        HostLostError: the service ended meanwhile: what was measured is of no worth.
        ModelFault: why its model can not answer any more.
    """
    working, ended = asyncio.ensure_future(work), asyncio.ensure_future(service.ended())
    try:
        await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HostLostError(f"The service was lost in the middle of {what}: {ended.result()}.", hint=HINT)
        try:
            # a front that was killed may not be reaped yet, and a model that gives up fails what is asked of it at once
            await wait_ready(service, tools)
        except HostLostError as error:
            raise HostLostError(f"The service was lost in the middle of {what}. {error.message}", hint=HINT) from error
        except ServiceFault as error:  # it is there: the step's own connections may not be closed yet
            logger.info("after %s the service answered: %s", what, error.message)
        return working.result()
    finally:
        for task in (working, ended):
            task.cancel()
        await asyncio.gather(working, ended, return_exceptions=True)


def _quiet(_line: str) -> None:
    """Drop lines that the logs of the verification have."""
