"""The whole verification of a local folder, without server and database: what `mop check` and `mop run` do."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from django.utils import timezone

from mop.errors import BlockingFindingsError, ModelFault, MopError
from mop.findings.policy_file import installation_policy
from mop.findings.recording import blocking_error, scan_warnings
from mop.onboarding.contract import TaskInput, prove_contract, read_tasks
from mop.onboarding.inspection import inspect_environment, inspect_folder
from mop.onboarding.stages import (
    Configuration,
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
from mop.onboarding.workshop import Workshop, open_workshop
from mop.scanning.findings import ScanReport, merge
from mop.scanning.policy import Decision, decide, findings_with_actions
from mop.serving.service import Service
from mop.storage import SnapshotLimits, folder_in_use, store_folder, unpack

__all__ = [
    "Configuration",
    "Listener",
    "Report",
    "StageResult",
    "TaskInput",
    "open_workshop",
    "read_tasks",
    "serve_folder",
    "verify_folder",
]

GIB = 1024**3
# Standard_F4s_v2, the default instance type
DEFAULT_CONFIGURATION = Configuration(cpus=4, memory_bytes=8 * GIB)

STAGES = ("snapshot", "scan", "environment", "endpoint", "deployment", "contract")


@dataclass(frozen=True)
class StageResult:
    """One stage: how long it took and whether it `passed`, `failed` or was `skipped`."""

    name: str
    seconds: float
    result: str


@dataclass(frozen=True)
class Report:
    """What a verification found.

    Attributes:
        status: verified, verifyFailed, vulnerable, toBeRetried, or undecided (no tasks were given).
        error: the first broken rule, or the outside cause.
        warnings: what does not decide.
        stages: every stage in order.
        findings: of the scanners.
        sandbox_level: level that the model ran at; 0 is none.
        python: exact version that it ran on.
        artifact_digest: of the folder's snapshot.
    """

    status: str
    error: MopError | None
    warnings: tuple[str, ...]
    stages: tuple[StageResult, ...]
    findings: tuple[dict[str, Any], ...]
    sandbox_level: int
    python: str | None
    artifact_digest: str | None


class Listener(Protocol):
    """Who watches a verification."""

    def stage_started(self, name: str) -> None:
        """A stage begins."""

    def stage_ended(self, result: StageResult) -> None:
        """A stage is over."""

    def log(self, stage: str, line: str) -> None:
        """One line of a stage's log."""


@dataclass
class _Progress:
    listener: Listener
    stages: list[StageResult] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    python: str | None = None
    digest: str | None = None
    scan: ScanReport = field(default_factory=lambda: ScanReport((), ()))

    @property
    def decision(self) -> Decision:
        """What the installation's policy makes of the scan; waivers are a server's."""
        return decide(self.scan, installation_policy().policy, (), today=timezone.localdate())

    def look(self, report: ScanReport) -> None:
        """Add what scanners found.

        Raises:
            BlockingFindingsError: the policy blocks it.
        """
        self.scan = merge([self.scan, report])
        if (error := blocking_error(self.decision)) is not None:
            raise error

    def scan_warnings(self) -> list[str]:
        """The findings that warn."""
        return scan_warnings(self.decision, self.scan)

    @contextlib.contextmanager
    def stage(self, name: str) -> Any:
        """Time a stage and tell the listener."""
        self.listener.stage_started(name)
        began = time.monotonic()
        result = "failed"
        try:
            yield lambda line: self.listener.log(name, line)
            result = "passed"
        finally:
            self.stages.append(StageResult(name, time.monotonic() - began, result))
            self.listener.stage_ended(self.stages[-1])


async def verify_folder(
    folder: Path,
    *,
    workshop: Workshop,
    listener: Listener,
    tasks: Sequence[TaskInput] | None,
    sample: Any = None,
    limits: SnapshotLimits | None = None,
    configuration: Configuration | None = None,
) -> Report:
    """Do to a local folder what the pipeline does to a revision. Expected failures are in the report.

    Args:
        folder: the model folder.
        workshop: the host's tools.
        listener: is told of stages and log lines.
        tasks: connected tasks; None leaves the label rules out and the status undecided.
        sample: item of `inference()`; None for none.
        limits: caps of the snapshot; the defaults are PRODUCT's.
        configuration: of the model service; the default is PRODUCT's, on the default instance type.
    """
    progress = _Progress(listener)
    try:
        async with _service(
            folder, workshop, progress, limits or SnapshotLimits(), configuration or DEFAULT_CONFIGURATION
        ) as service:
            with progress.stage("contract") as log:
                progress.warnings += await prove_contract(service, tasks=tasks, sample=sample, log=log)
    except BlockingFindingsError as error:
        return _report(progress, workshop, "vulnerable", error)
    except MopError as error:
        status = "verifyFailed" if isinstance(error, ModelFault) else "toBeRetried"
        return _report(progress, workshop, status, error)
    return _report(progress, workshop, "undecided" if tasks is None else "verified", None)


@contextlib.asynccontextmanager
async def serve_folder(
    folder: Path,
    *,
    workshop: Workshop,
    listener: Listener,
    configuration: Configuration | None = None,
    uds: Path | None = None,
    port: int | None = None,
) -> AsyncIterator[Service]:
    """A ready service of a local folder while the block runs, on `uds`, else on `port` of the loopback address.

    Raises:
        MopError: why the folder can not be served.
    """
    progress = _Progress(listener)
    async with _service(
        folder, workshop, progress, SnapshotLimits(), configuration or DEFAULT_CONFIGURATION, uds=uds, port=port
    ) as service:
        yield service


@contextlib.asynccontextmanager
async def _service(
    folder: Path,
    workshop: Workshop,
    progress: _Progress,
    limits: SnapshotLimits,
    configuration: Configuration,
    *,
    uds: Path | None = None,
    port: int | None = None,
) -> AsyncIterator[Service]:
    name = f"check-{uuid.uuid4().hex[:12]}"
    with progress.stage("snapshot") as log:
        manifest = await store_folder(folder, workshop.artifacts, limits=limits, log=log)
        progress.digest = manifest.digest
        unpacked = workshop.folder / manifest.digest
        await unpack(manifest.digest, workshop.artifacts, unpacked, log=log)
    with progress.stage("scan") as log, folder_in_use(unpacked):
        model = await check_folder(unpacked, workshop=workshop, log=log)
        progress.look(await inspect_folder(unpacked, manifest.digest, workshop=workshop, log=log))
    with progress.stage("environment") as log:
        environment = await build_environment(model, workshop=workshop, log=log)
        progress.python = environment.python_version
        progress.look((await inspect_environment(environment, model, workshop=workshop, log=log)).report)
        progress.warnings += [*model.warnings, *environment.notes, *progress.scan_warnings()]
    with progress.stage("endpoint") as log:
        log(describe_grant(granted(configuration, workshop), configuration))
        reservation = await reserve(name, owner="mop check", configuration=configuration, workshop=workshop, log=log)
        config = service_config(
            name,
            model=model,
            environment=environment,
            configuration=configuration,
            workshop=workshop,
            uds=uds,
            port=port,
        )
    deployment_log: Callable[[str], None] = lambda line: progress.listener.log("deployment", line)  # noqa: E731
    async with (
        in_use(unpacked, environment),
        held(reservation, workshop),
        running_service(reservation, config, workshop=workshop, log=deployment_log) as service,
    ):
        with progress.stage("deployment"):
            await wait_ready(service, workshop)
        yield service


def _report(progress: _Progress, workshop: Workshop, status: str, error: MopError | None) -> Report:
    done = {stage.name for stage in progress.stages}
    skipped = [StageResult(name, 0.0, "skipped") for name in STAGES if name not in done]
    return Report(
        status=status,
        error=error,
        warnings=tuple(progress.warnings),
        stages=(*progress.stages, *skipped),
        findings=tuple(findings_with_actions(progress.scan, progress.decision)),
        sandbox_level=int(workshop.sandbox.level),
        python=progress.python,
        artifact_digest=progress.digest,
    )
