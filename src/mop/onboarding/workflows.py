"""The durable onboarding of one attempt: fetch, build, deploy and verify.

Each step may run again after a crash: statuses are entered once per attempt, snapshots and environments are found
by their content, and services die with the worker that started them.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from dbos import DBOS
from django.conf import settings

from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError, hold_fence
from mop.errors import InternalError, MopError, PlatformFault, StaleAttemptError, StorageUnavailableError, from_dict
from mop.hosting.jobs import RevisionJob, ServiceSpec
from mop.hosting.preparation import PreparedModel, build_environment, check_folder, unpack_artifact
from mop.hosting.scan_gate import scan_environment, scan_folder
from mop.hosting.service import ServiceObserver, revision_service
from mop.hosting.signing import open_signatures
from mop.hosting.this_host import host_name, host_tools
from mop.hosting.tools import quiet_host
from mop.onboarding.attempt_watch import AttemptWatch
from mop.onboarding.contract import prove_contract
from mop.onboarding.logs import LogWriter
from mop.onboarding.models import LogKind
from mop.onboarding.orders import Order, claim, conclude, move, read_order
from mop.registry.sources import storage_config
from mop.registry.statuses import RevisionStatus
from mop.sandbox import Granted
from mop.storage import SnapshotLimits, folder_in_use
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
        tools = await host_tools()
        signatures = open_signatures(tools.artifacts)  # a key that can not be used is told before anything is read
        try:
            async with asyncio.timeout(settings.MOP_FETCH_DEADLINE):
                snapshot = await run_snapshot_job(
                    order.model_url,
                    config=storage_config(),
                    store=tools.artifact_folder,
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
    job = _job(order)
    async with _log(order, LogKind.BUILD) as log, quiet_host().shared(log):
        await in_database(move)(order, RevisionStatus.ENVIRONMENT_CREATING)
        tools = await host_tools()
        unpacked = await unpack_artifact(order.artifact_digest, tools=tools, log=log)
        parts = await check_folder(unpacked, tools=tools, log=log)
        with folder_in_use(unpacked):
            report = await scan_folder(job, unpacked, tools, log)
            environment = await build_environment(parts, tools=tools, log=log)
        scanned = await scan_environment(job, PreparedModel(unpacked, parts, environment), report, tools, log)
        await in_database(move)(
            order,
            RevisionStatus.ENVIRONMENT_CREATED,
            detail=f"Python {environment.python_version}, {'reused' if environment.reused else 'built'} "
            f"in {environment.seconds:.2f} s",
            facts={
                "environment_key": environment.key,
                "python_version": environment.python_version,
                "pip_version": environment.pip_version,
                "warnings": [*parts.warnings, *environment.notes, *scanned],
            },
        )


async def _deploy(order: Order) -> None:
    async with _log(order, LogKind.DEPLOYMENT) as log, quiet_host().shared(log):
        async with revision_service(_job(order), log=log, observer=_Statuses(order, log)) as hosted:
            warnings = await prove_contract(hosted.service, tasks=order.tasks, sample=order.sample_post_data, log=log)
        for warning in warnings:
            log(f"warning: {warning}")
        log("the model answered by contract")
        await in_database(move)(
            order, RevisionStatus.VERIFIED, facts={"warnings": [*dict.fromkeys((*order.warnings, *warnings))]}
        )


class _Statuses(ServiceObserver):
    """Lets the attempt enter the statuses of its deployment."""

    def __init__(self, order: Order, log: LogWriter) -> None:
        self._order = order
        self._log = log

    async def endpoint_creating(self) -> None:
        await in_database(move)(self._order, RevisionStatus.ENDPOINT_CREATING)

    async def endpoint_created(self, given: Granted, description: str) -> None:
        facts = {"granted": given.to_dict()}
        await in_database(move)(self._order, RevisionStatus.ENDPOINT_CREATED, detail=description, facts=facts)

    async def deployment_creating(self) -> None:
        await in_database(move)(self._order, RevisionStatus.DEPLOYMENT_CREATING)

    async def deployment_created(self, seconds: float) -> None:
        ready = f"ready after {seconds:.2f} s"
        self._log(ready)
        await in_database(move)(self._order, RevisionStatus.DEPLOYMENT_CREATED, detail=ready)


def _job(order: Order) -> RevisionJob:
    return RevisionJob(
        revision_id=order.revision_id,
        attempt=order.attempt,
        artifact_digest=order.artifact_digest,
        spec=ServiceSpec(
            name=f"{order.revision_id}-{order.attempt}",
            owner=order.name,
            configuration=order.configuration,
            allowed_hosts=order.allowed_hosts,
            sample=order.sample_post_data,
        ),
    )


def _log(order: Order, kind: LogKind) -> LogWriter:
    return LogWriter(order.revision_id, kind, lines_max=settings.MOP_LOG_LINES_MAX)
