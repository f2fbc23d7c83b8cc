"""The durable making of bundles. Each step may run again after a crash: equal bytes have equal names."""

from __future__ import annotations

import functools
import logging

from dbos import DBOS
from django.conf import settings

from mop.engine.database import in_database
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.hosting.this_host import host_tools
from mop.hosting.tools import host_lock
from mop.releases.bundles.making import make_bundle
from mop.releases.bundles.names import WORKFLOW
from mop.releases.bundles.services import fail, finish, source_of, wanted_bundles
from mop.storage.signing_keys import read_signing_keys

watch = Watch("bundle", wanted_bundles)

logger = logging.getLogger(__name__)


@DBOS.workflow(name=WORKFLOW)
async def make(bundle_id: int, attempt: int) -> str:
    """Make a bundle.

    Returns:
        `done`, `failed`, or `stale` when nobody waits for it.
    """
    outcome = await make_step(bundle_id, attempt)
    return "done" if outcome is None else await conclude_step(bundle_id, attempt, outcome)


@DBOS.step(name="releases.bundle.make", preemptible=True)
async def make_step(bundle_id: int, attempt: int) -> Outcome:
    """Put the parts into the store, sign them, verify the file and write where it is."""

    async def work() -> None:
        source = await in_database(source_of)(bundle_id, attempt)
        keys = read_signing_keys(settings.MOP_SIGNING_KEY, settings.MOP_SIGNING_PUBLIC_KEYS)
        tools = await host_tools()
        async with host_lock().shared(logger.info):
            made = await make_bundle(source, store=tools.artifacts, keys=keys)
            await in_database(finish)(bundle_id, attempt, made)

    return await guarded(Run(str(bundle_id), attempt), work, watch=watch)


@DBOS.step(name="releases.bundle.conclude")
async def conclude_step(bundle_id: int, attempt: int, outcome: Outcome) -> str:
    """Write how a failed try ended."""
    return await concluded(outcome, failed=functools.partial(fail, bundle_id, attempt))
