"""The generator's own process: `python -m mop.loadtest.generator`.

The first line of its input is what to do, `{"plan", "endpoint"}`; anything after it, and its end, cancels. Its output
is JSON lines, told apart by `event`: `progress`, `step`, at last `end`; or `error` if the endpoint is not reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.metadata
import json
import os
import platform
import resource
import select
import signal
import sys
from collections.abc import Iterator
from typing import Any

import uvloop

from mop.errors import MopError
from mop.loadtest.clock import MonotonicClock
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.http_transport import HttpTransport, find_host
from mop.loadtest.measure import LoadGenerator
from mop.loadtest.plan import Plan
from mop.loadtest.results import Progress, StepResult

GC_THRESHOLD = 50_000  # a collection in the middle of a step is a pause of its own


def main() -> None:
    """Run one load test."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner cancels
    order = json.loads(sys.stdin.buffer.readline())
    plan, endpoint = Plan.from_dict(order["plan"]), Endpoint.from_dict(order["endpoint"])
    if plan.cpus is not None:
        os.sched_setaffinity(0, plan.cpus)
    _allow_descriptors()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(plan, endpoint))


def _allow_descriptors() -> None:
    # without a limit on connections, the limit on descriptors is what is left
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _run(plan: Plan, endpoint: Endpoint) -> None:
    try:
        host = await find_host(endpoint)
    except MopError as error:
        _write({"event": "error", "error": error.to_dict()})
        return
    clock = MonotonicClock()
    load = LoadGenerator(
        plan,
        clock=clock,
        open_transport=lambda: HttpTransport(endpoint, host),
        listener=_Lines(),
        precedence=real_time,
    )
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        loop.remove_reader(sys.stdin.fileno())
        load.cancel()

    loop.add_reader(sys.stdin.fileno(), cancel)
    try:
        ended = await load.run()
    finally:
        clock.close()
    _write({"event": "end", "ended": ended, "generator": about_this_process()})


class _Lines:
    """Tells the owner."""

    def progress(self, progress: Progress) -> None:
        # an owner that does not read loses progress, and costs the generator nothing
        if select.select([], [sys.stdout], [], 0)[1]:
            _write({"event": "progress", "progress": progress.to_dict()})

    def step(self, result: StepResult) -> None:
        _write({"event": "step", "step": result.to_dict()})


@contextlib.contextmanager
def real_time() -> Iterator[None]:
    """Run before every ordinary process meanwhile, where the system lets us.

    Who measures is not to wait for those that it measures: an ordinary process waits some milliseconds for its turn on
    a busy CPU. It sleeps between requests, so it takes no more of the CPU than otherwise.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (OSError, AttributeError):  # not allowed, or another system than Linux: the lag shows what that costs
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def about_this_process() -> dict[str, str]:
    """What makes requests and numbers, and how it runs."""
    packages = {name: importlib.metadata.version(name) for name in ("mop", "numpy", "uvloop", "httptools")}
    with real_time():
        ahead = hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) == os.SCHED_RR
    scheduling = "real time" if ahead else "ordinary"
    return {**packages, "python": platform.python_version(), "scheduling": scheduling}


def _write(event: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(event).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
