"""What this process knows of its host: the host's name, and the tools, opened once."""

from __future__ import annotations

import asyncio
import contextlib

from mop.audit.services import Actor
from mop.errors import MopError
from mop.hosting.tools import HostTools, open_host_tools

WORKER = Actor.system("worker")

_tools: HostTools | None = None
_opening = asyncio.Lock()
_host = "worker"


def set_host_name(name: str) -> None:
    """Name this worker host, for people who look where a revision runs."""
    global _host  # noqa: PLW0603 - one worker per process
    _host = name


def host_name() -> str:
    return _host


async def open_early() -> None:
    """Open this process's tools before the first work needs them; who needs them meets what is wrong, and tells it."""
    with contextlib.suppress(MopError):
        await host_tools()


async def host_tools() -> HostTools:
    """This process's tools, opened at first use: a host without sandbox then says so on the revision."""
    global _tools  # noqa: PLW0603 - one worker per process
    async with _opening:
        if _tools is None:
            _tools = await asyncio.to_thread(open_host_tools)
        return _tools


def end_services() -> None:
    """End what this process runs on its host, at once; what cannot be cleared away the next worker does."""
    if _tools is not None:
        with contextlib.suppress(OSError):
            _tools.host.end_own()
