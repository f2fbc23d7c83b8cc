"""The log of a load test: its service, its generator, and what is measured."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.conf import settings

from mop.hosting.service import ServiceObserver
from mop.loadtest.live import LiveNumbers
from mop.loadtest.results import Progress, StepResult
from mop.onboarding.logs import SharedLogWriter
from mop.onboarding.models import LogKind
from mop.sandbox import Granted

Log = Callable[[str], None]


def log_of(revision_id: uuid.UUID, modality: str) -> SharedLogWriter:
    """The revision's load test log, for a test of one modality; those of other modalities may run on other hosts."""
    return SharedLogWriter(
        revision_id, LogKind.LOAD_TEST, lines_max=settings.MOP_LOG_LINES_MAX, prefix=f"[{modality}] "
    )


class LoggedSteps:
    """A listener of `generate` that logs each step that ends, and passes everything on to the live numbers."""

    def __init__(self, live: LiveNumbers, log: Log) -> None:
        self._live = live
        self._log = log

    def progress(self, progress: Progress) -> None:
        """A step goes on; the page shows its numbers."""
        self._live.progress(progress)

    def step(self, result: StepResult) -> None:
        """A step ended."""
        self._log(told(result))
        for reason in (*result.untrusted_because, *result.warnings):
            self._log(f"  {reason}")
        self._live.step(result)


class LoggedStart(ServiceObserver):
    """Logs how the service comes up, and shows that it waits for room."""

    def __init__(self, live: LiveNumbers, log: Log) -> None:
        self._live = live
        self._log = log

    def waits_for_room(self, line: str) -> None:
        self._live.say(line)

    async def endpoint_created(self, given: Granted, description: str) -> None:  # noqa: ARG002 - the observer's signature
        self._log("the service starts")

    async def deployment_created(self, seconds: float) -> None:
        self._log(f"the service is ready after {seconds:.1f} s")


def told(result: StepResult) -> str:
    """A step in one line."""
    requests, latency = result.requests, result.latency_ms
    parts = [f"step at {result.target}: {requests.successful} of {requests.total} requests succeeded"]
    parts.append(f"{result.rps:.1f} a second")
    if latency.p50 is not None and latency.p99 is not None:
        parts.append(f"P50 {latency.p50:.1f} ms, P99 {latency.p99:.1f} ms")
    parts += [f"{count} x {way}" for way, count in result.failures.items()]
    return ", ".join(parts)
