"""A service that ends or gives up while a load test's step is measured: what was measured is no result."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

from mop.errors import DeploymentCrashedError, HostLostError, MopError
from mop.hosting.tools import HostTools, open_host_tools
from mop.loadtest.workflows import while_it_lives
from mop.serving.local_service import LocalService

from .conftest import MakeModel, StartService

pytestmark = pytest.mark.sandbox
NUMBER = 4711
CRASHES = "def inference_batch(self, items):\n    os._exit(3)"


@pytest.fixture(scope="module")
def tools() -> HostTools:
    return open_host_tools()


async def ask(service: LocalService) -> int:
    """A step of one request, whatever becomes of it."""
    with contextlib.suppress(MopError):
        await service.score({"text": "x"}, mop=False)
    return NUMBER


async def test_of_a_service_that_lives_it_is(start: StartService, make_model: MakeModel, tools: HostTools):
    service = await start(make_model())
    assert await while_it_lives(service, tools, ask(service), "the step") == NUMBER


async def test_a_model_that_is_replaced_costs_only_its_requests(
    start: StartService, make_model: MakeModel, tools: HostTools
):
    service = await start(make_model(CRASHES))
    assert await while_it_lives(service, tools, ask(service), "the step") == NUMBER


async def test_a_model_that_gives_up_is_the_reason(start: StartService, make_model: MakeModel, tools: HostTools):
    service = await start(make_model(CRASHES), max_boots=0)
    with pytest.raises(DeploymentCrashedError, match="exited with code 3"):
        await while_it_lives(service, tools, ask(service), "the step")


async def test_a_front_that_is_killed_is_the_reason(start: StartService, make_model: MakeModel, tools: HostTools):
    service = await start(make_model())

    async def kill_and_ask() -> int:
        os.kill(service._front.pid, signal.SIGKILL)
        return await ask(service)

    with pytest.raises(HostLostError, match="lost in the middle of the step"):
        await while_it_lives(service, tools, kill_and_ask(), "the step")
