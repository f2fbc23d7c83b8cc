"""The numbers of a step that the charts, the table and the CSV show: each is read from its result in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mop.loadtest.results import StepResult, Utilization


@dataclass(frozen=True)
class Metric:
    """A number of a step; None where it is not known.

    Attributes:
        column: its name in the CSV.
        heading: over its column of the table.
        label: in a chart's legend.
    """

    column: str
    heading: str
    label: str
    of: Callable[[StepResult], float | None]


def _latency(column: str, label: str, of: Callable[[StepResult], float | None]) -> Metric:
    return Metric(f"latency_{column}_ms", f"{label} (ms)", label, of)


def _requests(column: str, label: str, of: Callable[[StepResult], float]) -> Metric:
    return Metric(f"requests_{column}", label, label, of)


def _percent(column: str, label: str, of: Callable[[Utilization], float | None]) -> Metric:
    def value(step: StepResult) -> float | None:
        return None if step.utilization is None else of(step.utilization)

    return Metric(f"{column}_percent", f"{label} (%)", label, value)


RPS = Metric("rps", "Requests per second", "RPS", lambda step: step.rps)
AVERAGE = _latency("average", "Average", lambda step: step.latency_ms.average)
P50 = _latency("p50", "P50", lambda step: step.latency_ms.p50)
P90 = _latency("p90", "P90", lambda step: step.latency_ms.p90)
P95 = _latency("p95", "P95", lambda step: step.latency_ms.p95)
P99 = _latency("p99", "P99", lambda step: step.latency_ms.p99)
LARGEST = _latency("max", "Max", lambda step: step.latency_ms.max)
TOTAL = _requests("total", "Total", lambda step: step.requests.total)
SUCCESSFUL = _requests("successful", "Successful", lambda step: step.requests.successful)
USER_FAILED = _requests("user_failed", "User failed", lambda step: step.requests.user_failed)
SYSTEM_FAILED = _requests("system_failed", "System failed", lambda step: step.requests.system_failed)
DISK = _percent("disk", "Disk", lambda used: used.disk)
CPU = _percent("cpu", "CPU", lambda used: used.cpu)
MEMORY = _percent("memory", "Memory", lambda used: used.memory)
GPU = _percent("gpu", "GPU", lambda used: used.gpu)
GPU_MEMORY = _percent("gpu_memory", "GPU memory", lambda used: used.gpu_memory)
LAG_P50 = Metric("lag_p50_ms", "Lag P50 (ms)", "Lag P50", lambda step: step.lag_ms.p50)
LAG_P99 = Metric("lag_p99_ms", "Lag P99 (ms)", "Lag P99", lambda step: step.lag_ms.p99)
RETRIED = _requests("retried", "Retried", lambda step: step.retries)

# in the order of table and CSV
METRICS = (
    RPS,
    *(AVERAGE, P50, P90, P95, P99, LARGEST),
    *(TOTAL, SUCCESSFUL, USER_FAILED, SYSTEM_FAILED),
    *(DISK, CPU, MEMORY, GPU, GPU_MEMORY),
    *(LAG_P50, LAG_P99),
    RETRIED,
)


def measured_metrics(steps: Sequence[StepResult]) -> list[Metric]:
    """Those that any of these steps has a value for."""
    return [metric for metric in METRICS if any(metric.of(step) is not None for step in steps)]
