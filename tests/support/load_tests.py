"""Load tests in any state, made by the functions that the workflow calls. Import it when Django is set up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mop.loadtest.conditions import Conditions
from mop.loadtest.jobs import begin, conclude, store_conditions, store_progress, store_step
from mop.loadtest.models import LoadTest
from mop.loadtest.planning import RunRequest
from mop.loadtest.reading import read
from mop.loadtest.results import Confidence, Lag, Latency, Progress, Requests, StepResult, Utilization
from mop.loadtest.services import enable_load_test
from mop.registry.models import Revision
from support.factories import ACTOR

GIB = 1024**3
CONDITIONS: dict[str, Any] = {
    "configuration": {
        "instance_type": "Standard_F4s_v2",
        "server": "mop",
        "worker_number": 1,
        "thread_number": 8,
        "batch_enabled": True,
        "batch_max_size": 12,
        "batch_idle_size": 3,
        "batch_max_interval": 0.002,
    },
    "asked_cpus": 4,
    "asked_memory_bytes": 8 * GIB,
    "artifact_digest": "5f2b" * 16,
    "seed": 7,
    "host": "worker-1",
    "cpus": 2.0,
    "memory_bytes": 8 * GIB,
    "host_cpus": 2,
    "sandbox_level": 2,
    "sandbox_parts": ["bubblewrap", "rlimits"],
    "mop_version": "0.1.0",
    "format": "model",
    "not_json": "",
    "payload_bytes": 1012,
    "payload_sha256": "ab12" * 16,
}


def step_result(
    target: int, rps: float, *, failed: int = 0, doubts: Sequence[str] = (), disk: float | None = 3.0
) -> StepResult:
    """A step of 10 s whose latency grows with its target."""
    average = 1000 * target / rps
    total = round(rps * 10) + failed
    return StepResult(
        target=target,
        duration_s=10.0,
        rps=rps,
        latency_ms=Latency(average, average * 0.9, average * 1.4, average * 1.7, average * 2.6, average * 4),
        confidence_ms=Confidence(),
        requests=Requests(total, total - failed, 0, failed),
        failures={"status 503": failed} if failed else {},
        lag_ms=Lag(0.01, 0.09),
        generator_cpu=0.2,
        untrusted_because=tuple(doubts),
        warnings=(),
        histogram=((average, total),),
        ended="complete",
        began_ns=0,
        utilization=Utilization(cpu=min(97.0, rps / 4), memory=12.5, disk=disk),
    )


def enabled(revision: Revision, **asked: Any) -> LoadTest:
    """A queued load test of a verified revision with one modality."""
    return enable_load_test(actor=ACTOR, revision=revision, request=RunRequest(**asked))[0]


def running(test: LoadTest, steps: Sequence[StepResult] = (), *, target: int = 1) -> LoadTest:
    """It runs, some steps have ended, and one goes on."""
    begin(test.pk)
    store_conditions(test.pk, read(Conditions, CONDITIONS))
    for step in steps:
        store_step(test.pk, step, 10.0)
    progress = Progress(
        target=target,
        step=len(steps) + 1,
        steps=len(test.plan["targets"]),
        phase="counting",
        elapsed_s=12.0,
        requests=4711,
        failed=3,
        in_flight=target,
        rps=392.6,
        p50_ms=19.1,
        p99_ms=30.2,
    )
    store_progress(test.pk, progress, "")
    test.refresh_from_db()
    return test


def finished(test: LoadTest, steps: Sequence[StepResult], *, ended: str = "plateau") -> LoadTest:
    """It ran these steps to its end."""
    running(test, steps)
    conclude(str(test.pk), ended=ended)
    test.refresh_from_db()
    return test
