"""The owner's side of the generator's process: start it, hear it, cancel it; and watch the service meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mop.errors import InternalError, LoadGeneratorLostError, from_dict
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.plan import Plan
from mop.loadtest.results import Listener, LoadTestResult, Progress, StepResult
from mop.loadtest.steps import Ending
from mop.loadtest.utilization import Given, utilization
from mop.serving.service import UsageSample

LONGEST_LINE_BYTES = 1 << 20
SAMPLE_INTERVAL_S = 0.5
PATIENCE_S = 15  # for a generator that was cancelled, or told its end, to exit
KEPT_STDERR_BYTES = 2000


@dataclass(frozen=True)
class Watched:
    """The service whose utilization is sampled.

    Attributes:
        sample: reads what it has used so far; called in a thread.
        given: what is 100 per cent.
    """

    sample: Callable[[], UsageSample]
    given: Given


async def generate(
    plan: Plan,
    endpoint: Endpoint,
    *,
    listener: Listener,
    cancelled: asyncio.Event | None = None,
    watched: Watched | None = None,
    log: Callable[[str], None] | None = None,
) -> LoadTestResult:
    """Run a load test in a process of its own.

    Args:
        plan: what to do.
        endpoint: where to, and what is sent.
        listener: hears of it while it runs.
        cancelled: once set, the test ends with what it has. A cancelled task kills it and has nothing.
        watched: the service, where it can be watched.
        log: takes each line that the generator writes to standard error.

    Raises:
        LoadTargetUnreachableError: nobody takes connections there.
        LoadGeneratorLostError: the generator ended without a result.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mop.loadtest.generator"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE_BYTES,
        start_new_session=True,  # Ctrl-C reaches the owner alone, which cancels
    )
    run = _GeneratorProcess(process, listener, watched, log)
    reading = asyncio.create_task(run.read_stderr())
    helpers = [asyncio.create_task(run.sample())]
    if cancelled is not None:
        helpers.append(asyncio.create_task(run.cancel_when(cancelled)))
    try:
        await run.order(plan, endpoint)
        ended, about = await run.hear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
    finally:
        for helper in helpers:
            helper.cancel()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        failed = await asyncio.gather(reading, *helpers, return_exceptions=True)
    for error in failed:
        if isinstance(error, Exception):  # a meter that broke: no result without the utilization that was asked for
            raise error
    return LoadTestResult(
        strategy=plan.strategy,
        ended=ended,
        steps=tuple(run.steps),
        address=endpoint.address,
        seed=plan.seed,
        arrivals=plan.arrivals,
        warm_up_s=plan.warm_up_s,
        timeout_s=plan.timeout_s,
        payload_bytes=len(endpoint.payload),
        payload_sha256=endpoint.payload_sha256,
        generator=about,
    )


def cpus_beside(service: set[int]) -> tuple[int, ...] | None:
    """The CPUs that this process may use and the service does not; None where that leaves none."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return tuple(sorted(os.sched_getaffinity(0) - service)) or None


class _GeneratorProcess:
    """One generator while it runs."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        listener: Listener,
        watched: Watched | None,
        log: Callable[[str], None] | None,
    ) -> None:
        self.steps: list[StepResult] = []
        self._process = process
        self._listener = listener
        self._watched = watched
        self._log = log
        self._samples: list[UsageSample] = []
        self._stderr = b""

    async def order(self, plan: Plan, endpoint: Endpoint) -> None:
        order = json.dumps({"plan": plan.to_dict(), "endpoint": endpoint.to_dict()}).encode("ascii")
        stdin = self._pipe()
        with contextlib.suppress(ConnectionError):  # it ended already: what it wrote tells why
            stdin.write(order + b"\n")
            await stdin.drain()

    async def hear(self) -> tuple[Ending, dict[str, str]]:
        """Pass on what it tells, to its end."""
        if self._process.stdout is None:
            raise InternalError("The load generator has no output.")
        while line := await self._process.stdout.readline():
            event: dict[str, Any] = json.loads(line)
            if event["event"] == "progress":
                self._listener.progress(Progress.from_dict(event["progress"]))
            elif event["event"] == "step":
                self._step(StepResult.from_dict(event["step"]))
            elif event["event"] == "error":
                raise from_dict(event["error"])
            else:
                return Ending(event["ended"]), event["generator"]
        await self._process.wait()
        told = self._stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise LoadGeneratorLostError(
            f"The load generator ended with status {self._process.returncode} and no result. {told}".rstrip()
        )

    def _step(self, result: StepResult) -> None:
        if self._watched is not None:
            end = result.began_ns + round(result.duration_s * 1e9)
            used = utilization(self._samples, result.began_ns, end, self._watched.given)
            self._samples = [sample for sample in self._samples if sample.at_ns >= end]
            result = replace(result, utilization=used)
        self.steps.append(result)
        self._listener.step(result)

    async def sample(self) -> None:
        """Look at the service twice a second."""
        while self._watched is not None:
            self._samples.append(await asyncio.to_thread(self._watched.sample))
            await asyncio.sleep(SAMPLE_INTERVAL_S)

    async def read_stderr(self) -> None:
        """Log what it writes there, and keep the end."""
        rest = b""
        while self._process.stderr is not None and (part := await self._process.stderr.read(KEPT_STDERR_BYTES)):
            self._stderr = (self._stderr + part)[-KEPT_STDERR_BYTES:]
            *lines, rest = (rest + part).split(b"\n")
            self._tell(lines)
            rest = rest[-KEPT_STDERR_BYTES:]
        self._tell([rest] if rest else [])

    def _tell(self, lines: list[bytes]) -> None:
        for line in lines:
            if self._log is not None:
                self._log(f"load generator: {line.decode('utf-8', 'replace')}")

    async def cancel_when(self, cancelled: asyncio.Event) -> None:
        """Tell it to end; kill it if it does not."""
        await cancelled.wait()
        self._pipe().close()
        await asyncio.sleep(PATIENCE_S)
        self._process.kill()

    def _pipe(self) -> asyncio.StreamWriter:
        if self._process.stdin is None:
            raise InternalError("The load generator has no input.")
        return self._process.stdin
