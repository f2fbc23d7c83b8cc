"""The durable load test: the service is started as for verification, and measured step by step.

Every step is kept as soon as it ends. After a crash of the worker the work runs again: the service is started anew, and
measuring goes on after the last step that is kept; the one that was interrupted is repeated with its warm-up. The same
happens when the service or the generator is lost in the middle of a step: nothing of such a step is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from dbos import DBOS

from mop.engine.database import in_database
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import HostLostError, LoadGeneratorLostError, LoadTargetUnreachableError, MopError, ServiceFault
from mop.loadtest.advance import LOAD_TEST
from mop.loadtest.live import LiveNumbers
from mop.loadtest.orders import (
    TestOrder,
    begin,
    conclude,
    read_done,
    read_order,
    store_conditions,
    store_step,
)
from mop.loadtest.plan import Plan, Target
from mop.loadtest.process import Watched, cpus_beside, generate
from mop.loadtest.sending import conditions_of, target_of
from mop.loadtest.services import LOAD_TEST_WORKFLOW
from mop.loadtest.steps import Ending, ending, fits
from mop.loadtest.utilization import Given
from mop.onboarding.allowed_network import allowed_network
from mop.onboarding.looks import look_again
from mop.onboarding.signing import check_signature
from mop.onboarding.stages import (
    build_environment,
    check_folder,
    granted,
    held,
    in_use,
    reserve,
    running_service,
    service_config,
    wait_ready,
)
from mop.onboarding.workflows import host_name, workshop
from mop.onboarding.workshop import Workshop, quiet_host
from mop.sandbox import Granted
from mop.serving.service import Service
from mop.storage import unpack

STARTS = 3  # of the service in one run of the work; what is lost so often will be lost again
LOST = (HostLostError, LoadGeneratorLostError, LoadTargetUnreachableError)
MEND = "Enable the load test again; if it happens again, look for what ends processes on this host."

_T = TypeVar("_T")

logger = logging.getLogger(__name__)
watch = Watch("load test", LOAD_TEST.wanted)


@DBOS.workflow(name=LOAD_TEST_WORKFLOW)
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
        return (await _measure(await in_database(read_order)(test_id, host_name()))).value

    return await guarded(Run(test_id), work, watch=watch)


@DBOS.step(name="loadtest.conclude")
async def conclude_step(test_id: str, outcome: Outcome) -> str:
    """Write how it ended."""

    def failed(error: MopError) -> str:
        return conclude(test_id, error=error)

    def done(ended: str) -> str:
        return conclude(test_id, ended=ended)

    return await concluded(outcome, failed=failed, done=done)


async def _measure(order: TestOrder) -> Ending:
    """All steps, on a host that does nothing else meanwhile; begun anew when the service or the generator is lost."""
    async with LiveNumbers(order.test_id) as live, quiet_host().alone(live.say):
        await in_database(begin)(order.test_id)
        for _ in range(STARTS - 1):
            try:
                return await _measure_once(order, live)
            except LOST as error:
                logger.warning("load test %s begins anew: %s", order.test_id, error.message)
        return await _measure_once(order, live)


async def _measure_once(order: TestOrder, live: LiveNumbers) -> Ending:
    async with _service(order, live) as (service, given):
        target, sent = await target_of(service, order.modality)
        await in_database(store_conditions)(order.test_id, conditions_of(order.known, given, target, sent))
        watched = Watched(service.usage, Given(cpus=given.cpus, memory_bytes=given.memory_bytes))
        plan = replace(order.plan, cpus=cpus_beside(set(service.host_cpus())))
        return await _steps(order.test_id, plan, target, service, watched, live)


@contextlib.asynccontextmanager
async def _service(order: TestOrder, live: LiveNumbers) -> AsyncIterator[tuple[Service, Granted]]:
    """The revision's service, ready, from the snapshot and the environment that were verified; and what it is given."""
    live.say("starts the model")
    shop = await workshop()
    revision = order.revision
    unpacked = shop.folder / revision.artifact_digest
    await unpack(revision.artifact_digest, shop.artifacts, unpacked, log=_quiet)
    model = await check_folder(unpacked, workshop=shop, log=_quiet)
    environment = await build_environment(model, workshop=shop, log=_quiet)
    await look_again(revision, model, unpacked, environment, shop, _quiet)
    configuration = revision.configuration
    name = f"load-test-{order.test_id}"
    owner = f"load test of {revision.name}"
    reservation = await reserve(name, owner=owner, configuration=configuration, workshop=shop, log=live.say)
    async with (
        in_use(unpacked, environment),
        held(reservation, shop),
        allowed_network(revision.allowed_hosts, workshop=shop, log=_quiet) as network,
    ):
        await check_signature(shop.artifacts, revision.artifact_digest, unpacked, log=_quiet)
        config = service_config(
            name, model=model, environment=environment, configuration=configuration, workshop=shop, network=network
        )
        async with running_service(reservation, config, workshop=shop, log=_quiet) as service:
            await wait_ready(service, shop)
            yield service, granted(configuration, shop)


async def _steps(
    test_id: uuid.UUID, plan: Plan, target: Target, service: Service, watched: Watched, live: LiveNumbers
) -> Ending:
    """Measure the steps that are missing, until a rule ends the test; says which."""
    for number, aim in enumerate(plan.targets):
        done = await in_database(read_done)(test_id)
        outcomes = [step.outcome for step in done.steps]
        if reason := ending(plan.strategy, outcomes):
            return reason
        if number < len(done.steps):
            continue
        if not fits(done.seconds, plan.step_s, plan.budget_s):
            return Ending.BUDGET
        live.place = (number + 1, len(plan.targets))
        began = time.monotonic()
        step = generate(replace(plan, targets=(aim,)), target, listener=live, watched=watched)
        result = await while_it_lives(service, await workshop(), step, f"the step at {aim:g}")
        await in_database(store_step)(test_id, result.steps[0], time.monotonic() - began)
    done = await in_database(read_done)(test_id)
    return ending(plan.strategy, [step.outcome for step in done.steps]) or Ending.FINISHED


async def while_it_lives(service: Service, shop: Workshop, work: Coroutine[Any, Any, _T], what: str) -> _T:
    """What `work` returns, if the service was there all the while, and can go on.

    Raises:
        HostLostError: the service ended meanwhile: what was measured is of no worth.
        ModelFault: why its model can not answer any more.
    """
    working, ended = asyncio.ensure_future(work), asyncio.ensure_future(service.ended())
    try:
        await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HostLostError(f"The service was lost in the middle of {what}: {ended.result()}.", mend=MEND)
        try:
            # a front that was killed may not be reaped yet, and a model that gives up fails what is asked of it at once
            await wait_ready(service, shop)
        except HostLostError as error:
            raise HostLostError(f"The service was lost in the middle of {what}. {error.message}", mend=MEND) from error
        except ServiceFault as error:  # it is there: the step's own connections may not be closed yet
            logger.info("after %s the service answered: %s", what, error.message)
        return working.result()
    finally:
        for task in (working, ended):
            task.cancel()
        await asyncio.gather(working, ended, return_exceptions=True)


def _quiet(_line: str) -> None:
    """Drop lines that the logs of the verification have."""
