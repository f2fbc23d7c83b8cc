"""The durable onboarding of one attempt: fetch, build, deploy and verify.

Each step may run again after a crash: statuses are entered once per attempt, snapshots and environments are found
by their content, and services die with the worker that started them.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from dbos import DBOS
from django.conf import settings

from mop.engine.database import in_database
from mop.engine.steps import ERROR, Outcome, concluded, error_of, guarded
from mop.engine.watch import Run, Watch
from mop.errors import ModelFault, MopError, StorageUnavailableError
from mop.hosting.jobs import RevisionJob, ServiceSpec
from mop.hosting.preparation import PreparedModel, build_environment, check_folder, unpack_artifact
from mop.hosting.scan_gate import scan_environment, scan_folder
from mop.hosting.service import ServiceObserver, revision_service
from mop.hosting.signing import open_signatures
from mop.hosting.this_host import host_name, host_tools
from mop.hosting.tools import host_lock
from mop.onboarding.area import ONBOARD
from mop.onboarding.contract import prove_contract
from mop.onboarding.converters import prove_converters
from mop.onboarding.jobs import OnboardingJob, claim, conclude, digest_of, keep_snapshot, move, read_job
from mop.onboarding.logs import LogWriter
from mop.onboarding.models import LogKind
from mop.onboarding.proofs import record_proofs
from mop.onboarding.source_lines import lines_around
from mop.registry.advance import REVISION
from mop.registry.statuses import RevisionStatus
from mop.sandbox import Granted
from mop.sources.prefixes import allowed
from mop.sources.purposes import Purpose
from mop.sources.storage_settings import storage_config
from mop.storage import SnapshotLimits, folder_in_use
from mop.storage.snapshot_process import run_snapshot_job

logger = logging.getLogger(__name__)
watch = Watch("revision", REVISION.wanted)


@DBOS.workflow(name=ONBOARD.name)
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


@DBOS.step(name="onboarding.take")
async def take_step(revision_id: str, attempt: int) -> Outcome:
    """The host takes the attempt out of the queue."""

    async def take() -> None:
        await in_database(claim)(revision_id, attempt, host_name())

    return await guarded(Run(revision_id, attempt), take, watch=watch)


@DBOS.step(name="onboarding.fetch", preemptible=True)
async def fetch_step(revision_id: str, attempt: int) -> Outcome:
    """Snapshot the folder into the artifact store; a retry uses the snapshot that stands."""
    return await _on_job(_fetch, revision_id, attempt)


@DBOS.step(name="onboarding.build", preemptible=True)
async def build_step(revision_id: str, attempt: int) -> Outcome:
    """Check the structure, scan the folder, make the environment, scan that too."""
    return await _on_job(_build, revision_id, attempt)


@DBOS.step(name="onboarding.deploy", preemptible=True)
async def deploy_step(revision_id: str, attempt: int) -> Outcome:
    """Reserve, start in the cage, prove the contract."""
    return await _on_job(_deploy, revision_id, attempt)


@DBOS.step(name="onboarding.conclude")
async def conclude_step(revision_id: str, attempt: int, outcome: Outcome) -> str:
    """Write how a failed attempt ended, with the lines of the model's file that are at fault."""
    return await concluded(
        await _with_source(revision_id, outcome), failed=functools.partial(conclude, revision_id, attempt)
    )


async def _with_source(revision_id: str, outcome: Outcome) -> Outcome:
    error = error_of(outcome)
    if outcome is None or not isinstance(error, ModelFault):
        return outcome
    try:
        digest = await in_database(digest_of)(revision_id)
        error.source = await lines_around((await host_tools()).artifacts, digest, error.place)
    except MopError as unreadable:  # the error itself is what counts
        logger.info("the lines around %s of revision %s are not shown: %s", error.place, revision_id, unreadable)
    return {**outcome, ERROR: error.to_dict()}


async def _on_job(
    step: Callable[[OnboardingJob], Coroutine[Any, Any, None]], revision_id: str, attempt: int
) -> Outcome:
    """Run a step on the job of the attempt, as long as the attempt is wanted."""

    async def work() -> None:
        await step(await in_database(read_job)(revision_id, attempt, host_name()))

    return await guarded(Run(revision_id, attempt), work, watch=watch)


async def _fetch(job: OnboardingJob) -> None:
    async with _log(job, LogKind.BUILD) as log, host_lock().shared(log):
        if job.artifact_digest:
            log(f"uses the snapshot {job.artifact_digest[:12]} that this version already has")
            await in_database(move)(job, RevisionStatus.DATA_DOWNLOADED, detail="snapshot of an earlier attempt")
            return
        # again: an administrator may have taken the prefix from the team since the version was added
        await in_database(allowed)(job.team, Purpose.MODELS, job.model_url)
        log(f"reads {job.model_url}")
        tools = await host_tools()
        signatures = open_signatures(tools.artifacts)  # a key that cannot be used is told before anything is read
        try:
            async with asyncio.timeout(settings.MOP_FETCH_DEADLINE):
                snapshot = await run_snapshot_job(
                    job.model_url,
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
        await in_database(keep_snapshot)(job, snapshot)


async def _build(job: OnboardingJob) -> None:
    revision_job = _revision_job(job)
    async with _log(job, LogKind.BUILD) as log, host_lock().shared(log):
        await in_database(move)(job, RevisionStatus.ENVIRONMENT_CREATING)
        tools = await host_tools()
        unpacked = await unpack_artifact(job.artifact_digest, tools=tools, log=log)
        parts = await check_folder(unpacked, tools=tools, log=log)
        with folder_in_use(unpacked):
            report = await scan_folder(revision_job, unpacked, tools, log)
            environment = await build_environment(parts, tools=tools, log=log)
        scanned = await scan_environment(revision_job, PreparedModel(unpacked, parts, environment), report, tools, log)
        await in_database(move)(
            job,
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


async def _deploy(job: OnboardingJob) -> None:
    async with _log(job, LogKind.DEPLOYMENT) as log, host_lock().shared(log):
        async with revision_service(_revision_job(job), log=log, observer=_Statuses(job, log)) as hosted:
            warnings = await prove_contract(hosted.service, tasks=job.tasks, sample=job.sample_post_data, log=log)
            converters = await prove_converters(hosted.service, (task.modality for task in job.tasks), log=log)
        for warning in warnings:
            log(f"warning: {warning}")
        log("the model answered by contract")
    await in_database(record_proofs)(job.revision_id, job.connected, converters)
    # readers of the log stop at the final status, so the last lines are stored before it
    await in_database(move)(
        job, RevisionStatus.VERIFIED, facts={"warnings": [*dict.fromkeys((*job.warnings, *warnings))]}
    )


class _Statuses(ServiceObserver):
    """Lets the attempt enter the statuses of its deployment."""

    def __init__(self, job: OnboardingJob, log: LogWriter) -> None:
        self._job = job
        self._log = log

    async def endpoint_creating(self) -> None:
        await in_database(move)(self._job, RevisionStatus.ENDPOINT_CREATING)

    async def endpoint_created(self, given: Granted, description: str) -> None:
        facts = {"granted": given.to_dict()}
        await in_database(move)(self._job, RevisionStatus.ENDPOINT_CREATED, detail=description, facts=facts)

    async def deployment_creating(self) -> None:
        await in_database(move)(self._job, RevisionStatus.DEPLOYMENT_CREATING)

    async def deployment_created(self, seconds: float) -> None:
        ready = f"ready after {seconds:.2f} s"
        self._log(ready)
        await in_database(move)(self._job, RevisionStatus.DEPLOYMENT_CREATED, detail=ready)


def _revision_job(job: OnboardingJob) -> RevisionJob:
    return RevisionJob(
        revision_id=job.revision_id,
        attempt=job.attempt,
        artifact_digest=job.artifact_digest,
        spec=ServiceSpec(
            name=f"{job.revision_id}-{job.attempt}",
            owner=job.name,
            configuration=job.configuration,
            allowed_hosts=job.allowed_hosts,
            sample=job.sample_post_data,
        ),
    )


def _log(job: OnboardingJob, kind: LogKind) -> LogWriter:
    return LogWriter(job.revision_id, kind, lines_max=settings.MOP_LOG_LINES_MAX)
