"""What tests ask of running services and processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from mop.serving.http_client import request
from mop.serving.local_service import LocalService


async def metric(service: LocalService, name: str) -> float:
    """One sample of /metrics."""
    page = (await request(service.address, "GET", "/metrics")).body.decode()
    samples = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    return float(samples.get(f"mop_service_{name}", 0))


async def reached(probe: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is so; each question is a round trip."""
    async with asyncio.timeout(20):
        while not await probe():
            pass


def model_pids(service: LocalService) -> list[int]:
    """The model processes of a service."""
    return child_pids(service._front.pid)


def child_pids(pid: int) -> list[int]:
    """The children of a process, whichever of its threads started them."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def descendants(pid: int) -> list[int]:
    """Everything below a process."""
    return [found for child in child_pids(pid) for found in (child, *descendants(child))]


async def gone(pid: int) -> None:
    """Wait until a process that may be nobody's child has ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pidfd, ended.set)
    try:
        async with asyncio.timeout(20):
            await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
