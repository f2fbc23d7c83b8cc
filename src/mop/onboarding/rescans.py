"""Scanning a revision again when somebody asks: its snapshot and its environment, with today's scanners and policy."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path

from dbos import DBOS
from django.utils import timezone

from mop.audit.services import Actor
from mop.engine.database import in_database
from mop.engine.steps import Outcome, error_of, guarded
from mop.engine.watch import Run, Watch
from mop.errors import ModelFault, StaleAttemptError
from mop.findings.consequences import record_and_conclude
from mop.findings.models import ScanReason
from mop.findings.policy_file import installation_policy
from mop.findings.recording import ScanResult, judge
from mop.findings.rescans import end_rescan, wanted_rescans
from mop.findings.selectors import environment_as_seen, environment_that_was_built
from mop.hosting.inspection import Inspection, inspect_as_seen, inspect_environment, inspect_folder
from mop.hosting.preparation import build_environment, check_folder, unpack_artifact
from mop.hosting.scan_gate import require_end
from mop.hosting.this_host import host_tools
from mop.hosting.tools import HostTools, host_lock
from mop.onboarding.area import RESCAN
from mop.registry.models import Revision
from mop.scanning.findings import merge
from mop.storage import folder_in_use

RESCANNER = Actor.system("rescan")
watch = Watch("rescan", wanted_rescans)

logger = logging.getLogger(__name__)


@DBOS.workflow(name=RESCAN.name)
async def rescan(revision_id: str, workflow_id: str) -> str:
    """Scan a revision and write down what became of it.

    Returns:
        `done`, or the name of the error.
    """
    outcome = await scan_step(revision_id, workflow_id)
    await end_step(workflow_id, outcome)
    error = error_of(outcome)
    return error.name if error else "done"


@DBOS.step(name="onboarding.rescan.scan", preemptible=True)
async def scan_step(revision_id: str, workflow_id: str) -> Outcome:
    """Look at everything."""

    async def work() -> None:
        digest = await in_database(_digest_of)(revision_id)
        await _scan(uuid.UUID(revision_id), workflow_id, digest)

    return await guarded(Run(workflow_id), work, watch=watch)


@DBOS.step(name="onboarding.rescan.end")
async def end_step(workflow_id: str, outcome: Outcome) -> None:
    """Note that the rescan ended, also when its revision is gone and nobody waits for it."""
    await in_database(end_rescan)(workflow_id, failure=error_of(outcome))


async def _scan(revision_id: uuid.UUID, workflow_id: str, digest: str) -> None:
    policy = installation_policy()
    started = timezone.now()
    tools = await host_tools()
    async with host_lock().shared(logger.info):
        folder = await unpack_artifact(digest, tools=tools, log=logger.debug)
        with folder_in_use(folder):
            report = await inspect_folder(folder, digest, tools=tools, log=logger.info, fresh=True)
            inspection = None
            if await in_database(environment_that_was_built)(revision_id):
                inspection = await _environment(revision_id, folder, tools)
    result = ScanResult(
        key=workflow_id,
        reason=ScanReason.RESCAN,
        started_at=started,
        report=merge([report, inspection.report]) if inspection else report,
        environment_key=inspection.environment_key if inspection else "",
        environment_digest=inspection.environment_digest if inspection else "",
        packages=inspection.packages if inspection else (),
        advisories=inspection.advisories if inspection else {},
        is_complete=inspection is not None,
    )
    if not (await in_database(judge)(revision_id, result.report, policy)).blocked:
        require_end(result.report)
    await in_database(record_and_conclude)(revision_id=revision_id, result=result, policy=policy, actor=RESCANNER)


async def _environment(revision_id: uuid.UUID, folder: Path, tools: HostTools) -> Inspection | None:
    """Look at the environment; of one that cannot be made any more, what was seen stands, with today's advisories."""
    model = await check_folder(folder, tools=tools, log=logger.debug)
    try:
        environment = await build_environment(model, tools=tools, log=logger.debug)
    except ModelFault as error:
        logger.warning("the environment of revision %s cannot be made any more: %s", revision_id, error.message)
        seen = await in_database(environment_as_seen)(revision_id)
        return None if seen is None else await inspect_as_seen(seen)
    return await inspect_environment(environment, model, tools=tools, log=logger.info, fresh=True)


def _digest_of(revision_id: str) -> str:
    digest = Revision.objects.filter(pk=revision_id).values_list("artifact_digest", flat=True).first()
    if not digest:
        raise StaleAttemptError(f"revision {revision_id} was deleted")
    return digest
