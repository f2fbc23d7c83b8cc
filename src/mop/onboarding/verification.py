"""The whole verification of a local folder, without server and database: what `mop check` and `mop run` do."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from django.utils import timezone

from mop.errors import BlockingFindingsError, ModelFault, MopError
from mop.findings.policy_file import installation_policy
from mop.findings.recording import blocking_error, scan_warnings
from mop.hosting.configuration import Configuration
from mop.hosting.inspection import inspect_environment, inspect_folder
from mop.hosting.jobs import ServiceSpec
from mop.hosting.preparation import PreparedModel, build_environment, check_folder, unpack_artifact
from mop.hosting.service import ServiceObserver, model_service
from mop.hosting.tools import GIB, HostTools
from mop.onboarding.contract import TaskInput, prove_contract
from mop.sandbox import Granted
from mop.scanning.findings import ScanReport, merge
from mop.scanning.policy import Decision, decide, findings_with_actions
from mop.serving.service import Service
from mop.storage import SnapshotLimits, folder_in_use, store_folder

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
    tools: HostTools,
    listener: Listener,
    tasks: Sequence[TaskInput] | None,
    sample: Any = None,
    limits: SnapshotLimits | None = None,
    configuration: Configuration | None = None,
) -> Report:
    """Do to a local folder what the pipeline does to a revision. Expected failures are in the report.

    Args:
        folder: the model folder.
        tools: the host's tools.
        listener: is told of stages and log lines.
        tasks: connected tasks; None leaves the label rules out and the status undecided.
        sample: item of `inference()`; None for none.
        limits: caps of the snapshot; the defaults are PRODUCT's.
        configuration: of the model service; the default is PRODUCT's, on the default instance type.
    """
    progress = _Progress(listener)
    try:
        async with _service(
            folder, tools, progress, limits or SnapshotLimits(), configuration or DEFAULT_CONFIGURATION
        ) as service:
            with progress.stage("contract") as log:
                progress.warnings += await prove_contract(service, tasks=tasks, sample=sample, log=log)
    except BlockingFindingsError as error:
        return _report(progress, tools, "vulnerable", error)
    except MopError as error:
        status = "verifyFailed" if isinstance(error, ModelFault) else "toBeRetried"
        return _report(progress, tools, status, error)
    return _report(progress, tools, "undecided" if tasks is None else "verified", None)


@contextlib.asynccontextmanager
async def serve_folder(
    folder: Path,
    *,
    tools: HostTools,
    listener: Listener,
    configuration: Configuration | None = None,
    uds: Path | None = None,
    port: int | None = None,
) -> AsyncIterator[Service]:
    """A ready service of a local folder while the block runs, on `uds`, else on `port` of the loopback address.

    Raises:
        MopError: why the folder cannot be served.
    """
    progress = _Progress(listener)
    async with _service(
        folder, tools, progress, SnapshotLimits(), configuration or DEFAULT_CONFIGURATION, uds=uds, port=port
    ) as service:
        yield service


@contextlib.asynccontextmanager
async def _service(
    folder: Path,
    tools: HostTools,
    progress: _Progress,
    limits: SnapshotLimits,
    configuration: Configuration,
    *,
    uds: Path | None = None,
    port: int | None = None,
) -> AsyncIterator[Service]:
    with progress.stage("snapshot") as log:
        manifest = await store_folder(folder, tools.artifacts, limits=limits, log=log)
        progress.digest = manifest.digest
        unpacked = await unpack_artifact(manifest.digest, tools=tools, log=log)
    with progress.stage("scan") as log, folder_in_use(unpacked):
        parts = await check_folder(unpacked, tools=tools, log=log)
        progress.look(await inspect_folder(unpacked, manifest.digest, tools=tools, log=log))
    with progress.stage("environment") as log:
        environment = await build_environment(parts, tools=tools, log=log)
        progress.python = environment.python_version
        progress.look((await inspect_environment(environment, parts, tools=tools, log=log)).report)
        progress.warnings += [*parts.warnings, *environment.notes, *progress.scan_warnings()]
    spec = ServiceSpec(
        name=f"check-{uuid.uuid4().hex[:12]}", owner="mop check", configuration=configuration, uds=uds, port=port
    )
    model = PreparedModel(unpacked, parts, environment)
    with _ServiceStages(progress) as stages:
        async with model_service(spec, model, tools=tools, log=stages.log, observer=stages) as hosted:
            yield hosted.service


class _ServiceStages(ServiceObserver):
    """The stages `endpoint` and `deployment`; the one that runs when the block fails has failed."""

    def __init__(self, progress: _Progress) -> None:
        self._progress = progress
        self._running = contextlib.ExitStack()
        self._name = "endpoint"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, traceback)

    def log(self, line: str) -> None:
        """Take a line of the stage that runs, or of the service afterwards."""
        self._progress.listener.log(self._name, line)

    async def endpoint_creating(self) -> None:
        self._begin("endpoint")

    async def endpoint_created(self, given: Granted, description: str) -> None:  # noqa: ARG002 - the observer's signature
        self._running.close()

    async def deployment_creating(self) -> None:
        self._begin("deployment")

    async def deployment_created(self, seconds: float) -> None:  # noqa: ARG002 - the same
        self._running.close()

    def _begin(self, name: str) -> None:
        self._name = name
        self._running.enter_context(self._progress.stage(name))


def _report(progress: _Progress, tools: HostTools, status: str, error: MopError | None) -> Report:
    done = {stage.name for stage in progress.stages}
    skipped = [StageResult(name, 0.0, "skipped") for name in STAGES if name not in done]
    return Report(
        status=status,
        error=error,
        warnings=tuple(progress.warnings),
        stages=(*progress.stages, *skipped),
        findings=tuple(findings_with_actions(progress.scan, progress.decision)),
        sandbox_level=int(tools.sandbox.level),
        python=progress.python,
        artifact_digest=progress.digest,
    )
