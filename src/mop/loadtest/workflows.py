"""The durable load test: the service is started as for verification, and measured step by step.

Every step is kept as soon as it ends. After a crash of the worker the work runs again: the service is started anew, and
measuring goes on after the last step that is kept; the one that was interrupted is repeated with its warm-up. The same
happens when the service or the generator is lost in the middle of a step: nothing of such a step is kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from dbos import DBOS

from mop.engine.database import in_database
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import HostLostError, LoadGeneratorLostError, LoadTargetUnreachableError, MopError, ServiceFault
from mop.hosting.running import wait_ready
from mop.hosting.service import revision_service
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
    verification_waits,
)
from mop.loadtest.live import LiveNumbers
from mop.loadtest.plan import Plan
from mop.loadtest.process import Watched, cpus_beside, generate
from mop.loadtest.run_log import Log, LoggedStart, LoggedSteps, log_of
from mop.loadtest.sending import conditions_of, endpoint_of
from mop.loadtest.steps import Ending, Measured, run_steps
from mop.loadtest.utilization import Given
from mop.serving.service import Service

GIVE_WAY_SECONDS = 2.0  # between two looks whether verification waits
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
    async with LiveNumbers(job.test_id) as live, log_of(job.revision_job.revision_id, job.modality) as log:

        def wait(line: str) -> None:
            log(line)
            live.say(line)

        log(f"load test by {job.plan.strategy}, at most {len(job.plan.targets)} steps, on {host_name()}")
        try:
            ending = await _measure_in_turn(job, live, log, wait)
        except MopError as error:
            log(f"failed: {error.message}")
            raise
        log(f"ended: {ending.value}")
        return ending


async def _measure_in_turn(job: LoadTestJob, live: LiveNumbers, log: Log, wait: Log) -> Ending:
    """Wait until the host is free, and measure; again, after giving way to verification between two steps."""
    while True:
        if job.gives_way:
            await _after_verification(job, wait)
        try:
            async with host_lock().alone(wait):
                await in_database(begin)(job.test_id)
                return await _measure_alone(job, live, log)
        except _GaveWay:
            log("gives way; measuring goes on with the next step")


async def _after_verification(job: LoadTestJob, wait: Log) -> None:
    if await _verification_waits(job):
        wait("waits until no version waits for verification")
    while await _verification_waits(job):  # noqa: ASYNC110 - other processes decide, and the database tells nobody
        await asyncio.sleep(GIVE_WAY_SECONDS)


async def _verification_waits(job: LoadTestJob) -> bool:
    return await in_database(verification_waits)(job.revision_job.revision_id, host_name())


class _GaveWay(Exception):
    """A version waits for verification; the host is its until it is decided."""


async def _measure_alone(job: LoadTestJob, live: LiveNumbers, log: Log) -> Ending:
    for _ in range(STARTS - 1):
        try:
            return await _measure_once(job, live, log)
        except LOST as error:
            logger.warning("load test %s begins anew: %s", job.test_id, error.message)
            log(f"begins anew: {error.message}")
    return await _measure_once(job, live, log)


async def _measure_once(job: LoadTestJob, live: LiveNumbers, log: Log) -> Ending:
    live.say("starts the model")
    async with revision_service(job.revision_job, log=log, observer=LoggedStart(live, log)) as hosted:
        service, given = hosted.service, hosted.given
        endpoint, sent = await endpoint_of(service, job.modality)
        await in_database(store_conditions)(job.test_id, conditions_of(job.known, given, endpoint, sent))
        watched = Watched(service.usage, Given(cpus=given.cpus, memory_bytes=given.memory_bytes))
        plan = replace(job.plan, cpus=cpus_beside(set(service.host_cpus())))
        return await run_steps(plan, _DurableSteps(job, plan, endpoint, service, watched, live, log))


class _DurableSteps:
    """Steps measured by a generator process each, and kept as rows; they outlive this worker."""

    def __init__(
        self,
        job: LoadTestJob,
        plan: Plan,
        endpoint: Endpoint,
        service: Service,
        watched: Watched,
        live: LiveNumbers,
        log: Log,
    ) -> None:
        self._job = job
        self._test_id = job.test_id
        self._has_measured = False
        self._plan = plan
        self._endpoint = endpoint
        self._service = service
        self._watched = watched
        self._live = live
        self._log = log

    async def measured(self) -> Measured:
        """The rows that are kept, also from before a crash."""
        done = await in_database(read_done)(self._test_id)
        return Measured([step.outcome for step in done.steps], done.seconds)

    async def measure(self, place: int, target: int) -> bool:
        """Measure a step while the service lives, and keep its row.

        Raises:
            _GaveWay: a version waits for verification, and this turn has measured a step already.
        """
        if self._job.gives_way and self._has_measured and await _verification_waits(self._job):
            raise _GaveWay
        plan = replace(self._plan, targets=(target,))
        self._live.place = (place + 1, len(self._plan.targets))
        began = time.monotonic()
        self._log(f"step at {target} begins")
        listener = LoggedSteps(self._live, self._log)
        step = generate(plan, self._endpoint, listener=listener, watched=self._watched, log=self._log)
        result = await while_it_lives(self._service, await host_tools(), step, f"the step at {target}")
        await in_database(store_step)(self._test_id, result.steps[0], time.monotonic() - began)
        self._has_measured = True
        return True


async def while_it_lives(service: Service, tools: HostTools, work: Coroutine[Any, Any, _T], what: str) -> _T:
    """What `work` returns, if the service was there all the while, and can go on.

    Raises:
        HostLostError: the service ended meanwhile: what was measured is of no worth.
        ModelFault: why its model cannot answer any more.
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
