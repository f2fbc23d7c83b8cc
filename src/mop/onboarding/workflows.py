"""The durable onboarding of one attempt: fetch, build, deploy and verify.

Each step may run again after a crash: statuses are entered once per attempt, snapshots and environments are found
by their content, and services die with the worker that started them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from dbos import DBOS
from django.conf import settings

from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError, hold_fence
from mop.errors import InternalError, MopError, PlatformFault, StaleAttemptError, StorageUnavailableError, from_dict
from mop.onboarding.allowed_network import allowed_network
from mop.onboarding.attempt_watch import AttemptWatch
from mop.onboarding.contract import prove_contract
from mop.onboarding.logs import LogWriter
from mop.onboarding.looks import look_again, look_at_environment, look_at_folder
from mop.onboarding.models import LogKind
from mop.onboarding.orders import Order, claim, conclude, move, read_order
from mop.onboarding.signing import check_signature, open_signatures
from mop.onboarding.stages import (
    build_environment,
    check_folder,
    describe_grant,
    granted,
    held,
    in_use,
    reserve,
    running_service,
    service_config,
    wait_ready,
)
from mop.onboarding.workshop import Workshop, open_workshop, quiet_host
from mop.registry.sources import storage_config
from mop.registry.statuses import RevisionStatus
from mop.serving.service import Service
from mop.storage import SnapshotLimits, folder_in_use, unpack
from mop.storage.snapshot_process import run_snapshot_job

ONBOARDING_WORKFLOW = "onboarding.run"
STALE = "stale"

Outcome = dict[str, Any] | None  # None: the step is done; {"error": ...} or {"stale": ...} ends the attempt

logger = logging.getLogger(__name__)
watch = AttemptWatch()


@DBOS.workflow(name=ONBOARDING_WORKFLOW)
async def onboard(revision_id: str, attempt: int) -> str:
    """Bring one attempt to its end.

    Returns:
        The status it ended in, or `stale` when somebody moved the revision on.
    """
    for step in (take_step, fetch_step, build_step, deploy_step):
        outcome = await step(revision_id, attempt)
        if outcome is not None:
            return await conclude_step(revision_id, attempt, outcome)
    return RevisionStatus.VERIFIED.value


def _guarded(step: Callable[[Order], Coroutine[Any, Any, None]]) -> Callable[[str, int], Awaitable[Outcome]]:
    """Run a step on its order as long as the attempt is wanted, and turn expected failures into its outcome."""

    @functools.wraps(step)
    async def run(revision_id: str, attempt: int) -> Outcome:
        outcome = await _tried(step, revision_id, attempt)
        if outcome is not None:
            await in_database(hold_fence)()  # what fails because this worker was frozen is no outcome
        return outcome

    return run


async def _tried(step: Callable[[Order], Coroutine[Any, Any, None]], revision_id: str, attempt: int) -> Outcome:
    try:
        order = await in_database(read_order)(revision_id, attempt, host_name())
        await watch.run(revision_id, attempt, step(order))
    except StaleAttemptError as error:
        return {STALE: error.message}
    except WorkerLostError:
        raise  # no outcome: the step goes on elsewhere
    except MopError as error:
        if isinstance(error, PlatformFault):
            logger.error("the platform is at fault for revision %s: %s %s", revision_id, error.message, error.mend)  # noqa: TRY400 - expected, no traceback
        return {"error": error.to_dict()}
    except Exception as error:
        logger.exception("revision %s, attempt %s", revision_id, attempt)
        return {"error": InternalError(f"{type(error).__name__}: {error}").to_dict()}
    return None


@DBOS.step(name="onboarding.take")
async def take_step(revision_id: str, attempt: int) -> Outcome:
    """The host takes the attempt out of the queue."""
    try:
        await in_database(claim)(revision_id, attempt, host_name())
    except StaleAttemptError as error:
        return {STALE: error.message}
    return None


@DBOS.step(name="onboarding.fetch", preemptible=True)
async def fetch_step(revision_id: str, attempt: int) -> Outcome:
    """Snapshot the folder into the artifact store; a retry uses the snapshot that stands."""
    return await _guarded(_fetch)(revision_id, attempt)


@DBOS.step(name="onboarding.build", preemptible=True)
async def build_step(revision_id: str, attempt: int) -> Outcome:
    """Check the structure, scan the folder, make the environment, scan that too."""
    return await _guarded(_build)(revision_id, attempt)


@DBOS.step(name="onboarding.deploy", preemptible=True)
async def deploy_step(revision_id: str, attempt: int) -> Outcome:
    """Reserve, start in the cage, prove the contract."""
    return await _guarded(_deploy)(revision_id, attempt)


@DBOS.step(name="onboarding.conclude")
async def conclude_step(revision_id: str, attempt: int, outcome: dict[str, Any]) -> str:
    """Write how a failed attempt ended."""
    if "error" not in outcome:
        return STALE
    try:
        return (await in_database(conclude)(revision_id, attempt, from_dict(outcome["error"]))).value
    except StaleAttemptError:
        return STALE


async def _fetch(order: Order) -> None:
    async with _log(order, LogKind.BUILD) as log, quiet_host().shared(log):
        if order.artifact_digest:
            log(f"uses the snapshot {order.artifact_digest[:12]} that this version already has")
            await in_database(move)(order, RevisionStatus.DATA_DOWNLOADED, detail="snapshot of an earlier attempt")
            return
        log(f"reads {order.model_url}")
        shop = await workshop()
        signatures = open_signatures(shop.artifacts)  # a key that can not be used is told before anything is read
        try:
            async with asyncio.timeout(settings.MOP_FETCH_DEADLINE):
                snapshot = await run_snapshot_job(
                    order.model_url,
                    config=storage_config(),
                    store=shop.artifact_folder,
                    limits=SnapshotLimits(files=settings.MOP_MODEL_FILES_MAX, total_bytes=settings.MOP_MODEL_BYTES_MAX),
                    log=log,
                )
        except TimeoutError:
            raise StorageUnavailableError(
                f"The folder was not read within {settings.MOP_FETCH_DEADLINE:.0f} s."
            ) from None
        if signatures:
            await signatures.sign(snapshot.digest)
        await in_database(move)(
            order,
            RevisionStatus.DATA_DOWNLOADED,
            detail=f"{snapshot.files} files, {snapshot.bytes:,} bytes",
            facts={
                "artifact_digest": snapshot.digest,
                "artifact_files": snapshot.files,
                "artifact_bytes": snapshot.bytes,
            },
        )


async def _build(order: Order) -> None:
    async with _log(order, LogKind.BUILD) as log, quiet_host().shared(log):
        await in_database(move)(order, RevisionStatus.ENVIRONMENT_CREATING)
        shop = await workshop()
        unpacked = shop.folder / order.artifact_digest
        await unpack(order.artifact_digest, shop.artifacts, unpacked, log=log)
        model = await check_folder(unpacked, workshop=shop, log=log)
        with folder_in_use(unpacked):
            folder = await look_at_folder(order, unpacked, shop, log)
            environment = await build_environment(model, workshop=shop, log=log)
        scanned = await look_at_environment(order, model, folder, environment, shop, log)
        await in_database(move)(
            order,
            RevisionStatus.ENVIRONMENT_CREATED,
            detail=f"Python {environment.python_version}, {'reused' if environment.reused else 'built'} "
            f"in {environment.seconds:.2f} s",
            facts={
                "environment_key": environment.key,
                "python_version": environment.python_version,
                "pip_version": environment.pip_version,
                "warnings": [*model.warnings, *environment.notes, *scanned],
            },
        )


async def _deploy(order: Order) -> None:
    async with _log(order, LogKind.DEPLOYMENT) as log, quiet_host().shared(log):
        shop = await workshop()
        unpacked = shop.folder / order.artifact_digest
        # both are found by content; they are made again when another host takes the attempt over here
        await unpack(order.artifact_digest, shop.artifacts, unpacked, log=_quiet)
        model = await check_folder(unpacked, workshop=shop, log=_quiet)
        environment = await build_environment(model, workshop=shop, log=_quiet)
        await look_again(order, model, unpacked, environment, shop, log)
        await in_database(move)(order, RevisionStatus.ENDPOINT_CREATING)
        given = granted(order.configuration, shop)
        name = f"{order.revision_id}-{order.attempt}"
        reservation = await reserve(name, owner=order.name, configuration=order.configuration, workshop=shop, log=log)
        room = describe_grant(given, order.configuration)
        log(room)
        async with (
            in_use(unpacked, environment),
            held(reservation, shop),
            allowed_network(order.allowed_hosts, workshop=shop, log=log) as network,
        ):
            config = service_config(
                name,
                model=model,
                environment=environment,
                configuration=order.configuration,
                workshop=shop,
                network=network,
            )
            await check_signature(shop.artifacts, order.artifact_digest, unpacked, log=log)
            await in_database(move)(
                order, RevisionStatus.ENDPOINT_CREATED, detail=room, facts={"granted": given.to_dict()}
            )
            await in_database(move)(order, RevisionStatus.DEPLOYMENT_CREATING)
            async with running_service(reservation, config, workshop=shop, log=log) as service:
                warnings = await _prove(service, order, shop, log)
        for warning in warnings:
            log(f"warning: {warning}")
        log("the model answered by contract")
    # whoever follows the log stops at the final status, so the last lines are stored before it
    await in_database(move)(
        order, RevisionStatus.VERIFIED, facts={"warnings": [*dict.fromkeys((*order.warnings, *warnings))]}
    )


async def _prove(service: Service, order: Order, shop: Workshop, log: LogWriter) -> Sequence[str]:
    """Wait until the service is ready, and prove its contract; gives the warnings."""
    began = time.monotonic()
    await wait_ready(service, shop)
    ready = f"ready after {time.monotonic() - began:.2f} s"
    log(ready)
    await in_database(move)(order, RevisionStatus.DEPLOYMENT_CREATED, detail=ready)
    return await prove_contract(service, tasks=order.tasks, sample=order.sample_post_data, log=log)


def _log(order: Order, kind: LogKind) -> LogWriter:
    return LogWriter(order.revision_id, kind, lines_max=settings.MOP_LOG_LINES_MAX)


def _quiet(_line: str) -> None:
    """Drop lines that the build log already has."""


_workshop: Workshop | None = None
_opening = asyncio.Lock()
_host = "worker"


def set_host_name(name: str) -> None:
    """Name this worker host, for people who look where a revision runs."""
    global _host  # noqa: PLW0603 - one worker per process
    _host = name


def host_name() -> str:
    """The name of this worker host."""
    return _host


async def open_early() -> None:
    """Open this process's tools before the first attempt needs them; it meets what is wrong again, and tells it."""
    with contextlib.suppress(MopError):
        await workshop()


async def workshop() -> Workshop:
    """This process's tools, opened at first use: a host without sandbox then says so on the revision."""
    global _workshop  # noqa: PLW0603 - one worker per process
    async with _opening:
        if _workshop is None:
            _workshop = await asyncio.to_thread(open_workshop)
        return _workshop
