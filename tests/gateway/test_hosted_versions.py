"""Real versions in the real cage behind the gateway: served, switched, killed and started again, and silent."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from asgiref.sync import async_to_sync
from azure.ai.contentsafety import ContentSafetyClient
from azure.ai.contentsafety.models import AnalyzeTextOptions
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from gateway.test_analyze import severities
from hosting.conftest import built, root
from mop.engine.database import in_database
from mop.environments import Environment
from mop.gateway.models import Answer
from mop.gateway.serve import serve_release
from mop.hosting import this_host
from mop.hosting.tools import HostTools
from mop.registry.models import Revision
from mop.releases.models import Service
from mop.releases.release_models import Release
from mop.releases.release_states import ReleaseState
from mop.storage import SnapshotLimits, store_folder
from support.factories import make_task, put
from support.model_folders import write_model
from support.releases import approved, make_releasable, next_version
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


def version(revision: Revision, folder: Path, level: int, environment: Environment, tools: HostTools) -> Revision:
    """A version that finds `darn` of a level, snapshot and scanned."""
    script = write_model(folder / revision.version) / "src" / "inference.py"
    script.write_text(script.read_text() + CONVERTERS.replace("LEVEL", str(level)))
    manifest = async_to_sync(store_folder)(script.parents[1], tools.artifacts, limits=SnapshotLimits(), log=print)
    put(Revision.objects.filter(pk=revision.pk), artifact_digest=manifest.digest)
    keep_scan(revision, environment_digest=environment.files)
    return Revision.objects.select_related("model").get(pk=revision.pk)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - what runs on this host tells nobody
            await asyncio.sleep(0.02)


def test_versions_are_served_switched_and_started_again_and_nothing_tells_what_was_asked(  # noqa: C901 - one story
    tools: HostTools,
    built: tuple[HostTools, Environment],
    tmp_path: Path,
    service: Service,
    key: str,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO)
    model = make_releasable(make_task("hate", taxonomy="Hate")).model
    first = approved(version(model.revisions.get(), tmp_path, 2, built[1], tools), service)

    async def block() -> None:
        stop, addresses = asyncio.Event(), asyncio.Queue[str]()
        serving = asyncio.create_task(
            serve_release(service.name, host="127.0.0.1", port=0, stop=stop, listening=addresses.put_nowait)
        )
        try:
            await talk(await addresses.get())
        finally:
            stop.set()
            await serving

    async def talk(address: str) -> None:
        client = ContentSafetyClient(address, AzureKeyCredential(key), retry_total=0)

        async def ask(text: str) -> int | None:
            found = await asyncio.to_thread(client.analyze_text, AnalyzeTextOptions(text=text))
            return severities(found)["Hate"]

        async def is_ready() -> bool:
            answer = await asyncio.to_thread(httpx.get, f"{address}/ready")
            return answer.status_code == 200 and await released(first)

        async def switched() -> bool:
            return await ask("darn") == 6

        async def killed() -> bool:
            answer = await asyncio.to_thread(httpx.get, f"{address}/ready")
            return answer.status_code == 503

        async def back() -> bool:
            return not await killed()

        await until(is_ready)
        assert (await ask("darn"), await ask("fine")) == (2, 0)
        second = await in_database(second_release)()
        await until(switched)  # and nothing fails meanwhile
        assert await released(second)

        for text in ("raise unmistakable", "die unmistakable"):
            with pytest.raises(HttpResponseError) as caught:
                await ask(text)
            assert caught.value.error is not None
            assert caught.value.error.code == "InternalError"
            assert "unmistakable" not in str(caught.value)
        await until(back)
        assert await ask("darn") == 6

        name = f"{model.name} v1.0.1"
        [front] = [one.front for one in tools.host._leases.living() if one.name == name]  # type: ignore[attr-defined]
        os.killpg(front.pid, signal.SIGKILL)
        await until(killed)
        await until(back)
        assert await ask("darn") == 6

    def second_release() -> Release:
        return approved(version(next_version(model), tmp_path, 6, built[1], tools), service)

    async def released(release: Release) -> bool:
        return await in_database(Release.objects.filter(pk=release.pk, state=ReleaseState.RELEASED).exists)()

    async_to_sync(block)()
    assert f"live is now: {model.name} v1.0.1 (release" in caplog.text
    assert "unmistakable" not in caplog.text
    assert "asked darn" not in caplog.text
    assert tools.host._leases.living() == []  # type: ignore[attr-defined]
    assert [one.status for one in Answer.objects.order_by("pk")][-3:] == [500, 200, 200]
