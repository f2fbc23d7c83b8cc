"""What the pipeline looks at, when, and what it makes of it: nothing is built or started that the policy blocks."""

from __future__ import annotations

from pathlib import Path

from django.utils import timezone

from mop.engine.database import in_database
from mop.environments import Environment
from mop.findings.models import ScanReason
from mop.findings.policy_file import InstallationPolicy, installation_policy
from mop.findings.recording import ScanResult, blocking_error, judge, record_scan, scan_warnings
from mop.findings.selectors import scanned_environment
from mop.onboarding.inspection import inspect_environment, inspect_folder
from mop.onboarding.orders import WORKER, Order
from mop.onboarding.stages import Log
from mop.onboarding.structure import ModelFolder
from mop.onboarding.workshop import Workshop
from mop.scanning.findings import ScanReport, merge


async def look_at_folder(order: Order, folder: Path, shop: Workshop, log: Log) -> ScanReport:
    """Scan the snapshot before anything of it is installed.

    Raises:
        BlockingFindingsError: the policy blocks what was found; it is written down.
        PolicyFileError: the installation's policy can not be read.
    """
    policy = installation_policy()
    started = timezone.now()
    report = await inspect_folder(folder, order.artifact_digest, workshop=shop, log=log)
    decision = await in_database(judge)(order.revision_id, report, policy)
    if decision.blocked:
        result = ScanResult(
            key=_key(order),
            reason=ScanReason.ONBOARDING,
            started_at=started,
            report=report,
            is_complete=False,
        )
        await _written(order, result, policy, log)
    return report


async def look_at_environment(
    order: Order, model: ModelFolder, folder: ScanReport, environment: Environment, shop: Workshop, log: Log
) -> list[str]:
    """Scan the environment, match its packages, and write down everything that was found of the revision.

    Returns:
        What is shown among the revision's warnings.

    Raises:
        BlockingFindingsError: the policy blocks what was found.
        PolicyFileError: the installation's policy can not be read.
    """
    started = timezone.now()
    inspection = await inspect_environment(environment, model, workshop=shop, log=log)
    result = ScanResult(
        key=_key(order, environment),
        reason=ScanReason.ONBOARDING,
        started_at=started,
        report=merge([folder, inspection.report]),
        environment_key=environment.key,
        environment_digest=environment.files,
        packages=inspection.packages,
        advisories=inspection.advisories,
    )
    return await _written(order, result, installation_policy(), log)


async def look_again(
    order: Order, model: ModelFolder, folder: Path, environment: Environment, shop: Workshop, log: Log
) -> None:
    """Before a service starts, look at its environment if it was made anew, here or on another host.

    Raises:
        BlockingFindingsError: the policy blocks what was found.
        PolicyFileError: the installation's policy can not be read.
    """
    if await in_database(scanned_environment)(order.revision_id) == environment.files:
        return
    report = await look_at_folder(order, folder, shop, log)
    await look_at_environment(order, model, report, environment, shop, log)


async def _written(order: Order, result: ScanResult, policy: InstallationPolicy, log: Log) -> list[str]:
    recorded = await in_database(record_scan)(revision_id=order.revision_id, result=result, policy=policy, actor=WORKER)
    for finding in recorded.decision.blocked:
        log(f"blocks: {finding.message}")
    if (error := blocking_error(recorded.decision)) is not None:
        raise error
    return scan_warnings(recorded.decision, result.report)


def _key(order: Order, environment: Environment | None = None) -> str:
    """A scan is written once for each attempt, and for each environment that was made in it."""
    return f"onboarding:{order.attempt}" + (f":{environment.files[:32]}" if environment else "")
