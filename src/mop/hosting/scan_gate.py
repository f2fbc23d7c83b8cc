"""What is scanned of a revision, when, and what follows: nothing is built or started that the policy blocks."""

from __future__ import annotations

from pathlib import Path

from django.utils import timezone

from mop.engine.database import in_database
from mop.environments import Environment
from mop.errors import ScanIncompleteError
from mop.findings.models import ScanReason
from mop.findings.policy_file import InstallationPolicy, installation_policy
from mop.findings.recording import ScanResult, blocking_error, judge, record_scan, scan_warnings
from mop.findings.selectors import scanned_environment
from mop.hosting.inspection import inspect_environment, inspect_folder
from mop.hosting.jobs import RevisionJob
from mop.hosting.preparation import Log, PreparedModel
from mop.hosting.this_host import WORKER
from mop.hosting.tools import HostTools
from mop.scanning.findings import ScanReport, merge


async def scan_folder(job: RevisionJob, folder: Path, tools: HostTools, log: Log) -> ScanReport:
    """Scan the snapshot before anything of it is installed.

    Raises:
        BlockingFindingsError: the policy blocks what was found; it is written down.
        ScanIncompleteError: nothing of it blocks, but not all of it was looked at.
        PolicyFileError: the installation's policy cannot be read.
    """
    policy = installation_policy()
    started = timezone.now()
    report = await inspect_folder(folder, job.artifact_digest, tools=tools, log=log)
    decision = await in_database(judge)(job.revision_id, report, policy)
    if decision.blocked:
        result = ScanResult(
            key=_key(job),
            reason=ScanReason.ONBOARDING,
            started_at=started,
            report=report,
            is_complete=False,
        )
        await _written(job, result, policy, log)
    require_end(report)
    return report


async def scan_environment(
    job: RevisionJob, model: PreparedModel, folder: ScanReport, tools: HostTools, log: Log
) -> list[str]:
    """Scan the environment, match its packages, and write down everything that was found of the revision.

    Args:
        job: of the revision.
        model: whose environment it is.
        folder: what `scan_folder` found.
        tools: of this host.
        log: takes one line.

    Returns:
        What is shown among the revision's warnings.

    Raises:
        BlockingFindingsError: the policy blocks what was found.
        ScanIncompleteError: nothing of it blocks, but not all of it was looked at.
        PolicyFileError: the installation's policy cannot be read.
    """
    policy = installation_policy()
    started = timezone.now()
    environment = model.environment
    inspection = await inspect_environment(environment, model.parts, tools=tools, log=log)
    result = ScanResult(
        key=_key(job, environment),
        reason=ScanReason.ONBOARDING,
        started_at=started,
        report=merge([folder, inspection.report]),
        environment_key=environment.key,
        environment_digest=environment.files,
        packages=inspection.packages,
        advisories=inspection.advisories,
    )
    if not (await in_database(judge)(job.revision_id, result.report, policy)).blocked:
        require_end(result.report)
    return await _written(job, result, policy, log)


def require_end(report: ScanReport) -> None:
    """Let nothing through of which scanners did not finish.

    Raises:
        ScanIncompleteError: the scan's time was over, or a scanner was given up.
    """
    for scanner, reason in report.incomplete.items():
        raise ScanIncompleteError(f"The scanner {scanner} did not finish: {reason}.")


async def rescan_if_rebuilt(job: RevisionJob, model: PreparedModel, tools: HostTools, log: Log) -> None:
    """Before a service starts, scan its environment if it was made anew, here or on another host.

    Raises:
        BlockingFindingsError: the policy blocks what was found.
        PolicyFileError: the installation's policy cannot be read.
    """
    if await in_database(scanned_environment)(job.revision_id) == model.environment.files:
        return
    report = await scan_folder(job, model.folder, tools, log)
    await scan_environment(job, model, report, tools, log)


async def _written(job: RevisionJob, result: ScanResult, policy: InstallationPolicy, log: Log) -> list[str]:
    recorded = await in_database(record_scan)(revision_id=job.revision_id, result=result, policy=policy, actor=WORKER)
    for finding in recorded.decision.blocked:
        log(f"blocks: {finding.message}")
    if (error := blocking_error(recorded.decision)) is not None:
        raise error
    return scan_warnings(recorded.decision, result.report)


def _key(job: RevisionJob, environment: Environment | None = None) -> str:
    """A scan is written once for each attempt, and for each environment that was made in it."""
    return f"onboarding:{job.attempt}" + (f":{environment.files[:32]}" if environment else "")
