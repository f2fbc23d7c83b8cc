"""Real versions in the real cage behind the gateway: served, switched, killed and started again, and silent."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from azure.ai.contentsafety import ContentSafetyClient
from azure.ai.contentsafety.models import AnalyzeTextOptions
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from gateway.test_analyze import severities
from gateway.test_released_models import LIMITS, MemoryReleases, everywhere
from hosting.conftest import built, root
from mop.environments import Environment
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.released_models import ReleasedModels
from mop.gateway.running import open_gateway
from mop.gateway.running_versions import HostedVersion
from mop.gateway.wanted import Wanted, WantedRelease
from mop.hosting import this_host
from mop.hosting.tools import HostTools
from mop.registry.models import Revision
from mop.releases.models import Service
from mop.storage import SnapshotLimits, store_folder
from support.factories import make_model, put
from support.model_folders import write_model
from support.scans import keep_scan

__all__ = ["built", "root"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sandbox,
    pytest.mark.second_tier,
    pytest.mark.xdist_group("hosting"),
]

CONVERTERS = """
    def convert_acs_text_request_to_model_inference_input(self, req):
        print("asked", req.text)
        if req.text == "die unmistakable":
            os._exit(3)
        if req.text == "raise unmistakable":
            raise ValueError(req.text)
        return {"text": req.text}

    def convert_model_inference_output_to_acs_text_response(self, out):
        from mop_utils.util import AcsTextResponse
        response = AcsTextResponse()
        response.hate.severity_level = LEVEL if out["bad"] else 0
        response.hate.harmful_score = 0.9
        return response
"""
DEADLINE_S = 30.0


@pytest.fixture
def tools(built: tuple[HostTools, Environment], monkeypatch: pytest.MonkeyPatch) -> Iterator[HostTools]:
    monkeypatch.setattr(this_host, "_tools", built[0])
    yield built[0]
    this_host.end_services()


def release(number: int, folder: Path, level: int, environment: Environment, tools: HostTools) -> WantedRelease:
    """A release of a version that finds `darn` of a level."""
    script = write_model(folder / f"model-{number}") / "src" / "inference.py"
    script.write_text(script.read_text() + CONVERTERS.replace("LEVEL", str(level)))
    manifest = async_to_sync(store_folder)(script.parents[1], tools.artifacts, limits=SnapshotLimits(), log=print)
    revision = make_model().revisions.get()
    put(Revision.objects.filter(pk=revision.pk), artifact_digest=manifest.digest, status="verified")
    keep_scan(revision, environment_digest=environment.files)
    return WantedRelease(number, revision.pk, f"model v{number}")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - what runs on this host tells nobody
            await asyncio.sleep(0.02)


def test_versions_are_served_switched_and_started_again_and_nothing_tells_what_was_asked(
    tools: HostTools,
    built: tuple[HostTools, Environment],
    tmp_path: Path,
    service: Service,
    key: str,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO)
    first, second = (release(number, tmp_path, level, built[1], tools) for number, level in ((1, 2), (2, 6)))
    releases = MemoryReleases(Wanted(everywhere(first)))
    metrics = GatewayMetrics(service.name)
    versions: dict[uuid.UUID, HostedVersion] = {}

    def start(revision_id: uuid.UUID, label: str) -> HostedVersion:
        versions[revision_id] = HostedVersion(revision_id, label, owner="test")
        return versions[revision_id]

    async def block() -> None:
        models = ReleasedModels(releases, start, LIMITS, metrics)
        async with models.following(), open_gateway(service, models, metrics) as gateway:
            client = ContentSafetyClient(gateway.address, AzureKeyCredential(key), retry_total=0)

            async def ask(text: str) -> int | None:
                found = await asyncio.to_thread(client.analyze_text, AnalyzeTextOptions(text=text))
                return severities(found)["Hate"]

            async def is_ready() -> bool:
                return models.is_ready

            async def switched() -> bool:
                return await ask("darn") == 6

            async def killed() -> bool:
                return not models.is_ready

            await until(is_ready)
            assert (await ask("darn"), await ask("fine")) == (2, 0)
            releases.state = Wanted(everywhere(first), (second,))
            await until(switched)  # and nothing fails meanwhile
            assert releases.taken == [2]

            for text in ("raise unmistakable", "die unmistakable"):
                with pytest.raises(HttpResponseError) as caught:
                    await ask(text)
                assert caught.value.error is not None
                assert caught.value.error.code == "InternalError"
                assert "unmistakable" not in str(caught.value)
            await until(switched)

            [front] = [one.front for one in tools.host._leases.living() if one.name == "model v2"]  # type: ignore[attr-defined]
            os.killpg(front.pid, signal.SIGKILL)
            await until(killed)
            await until(is_ready)
            assert await ask("darn") == 6

    async_to_sync(block)()
    assert [version.is_ready for version in versions.values()] == [False, False]
    assert "live is now: model v2 (release 2)" in caplog.text
    assert "unmistakable" not in caplog.text
    assert "asked darn" not in caplog.text
    assert tools.host._leases.living() == []  # type: ignore[attr-defined]
