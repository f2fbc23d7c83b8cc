"""What a load test found, and its JSON form, which docs/load-tests.md describes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from mop.loadtest.plan import Arrivals, Strategy
from mop.loadtest.reading import read
from mop.loadtest.steps import Ending, Outcome, Phase, StepEnded


@dataclass(frozen=True)
class Latency:
    """Milliseconds over the successful requests, from the intended start; None without any."""

    average: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


@dataclass(frozen=True)
class Confidence:
    """Milliseconds: the 95 % confidence intervals of the percentiles; None where there were too few requests."""

    p50: tuple[float, float] | None = None
    p90: tuple[float, float] | None = None
    p95: tuple[float, float] | None = None
    p99: tuple[float, float] | None = None


@dataclass(frozen=True)
class Requests:
    """Those whose intended start lies in the counted part of the step."""

    total: int
    successful: int
    user_failed: int
    system_failed: int


@dataclass(frozen=True)
class Lag:
    """Milliseconds by which the generator was late."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Utilization:
    """Per cent of what the service was given, averaged over the step; None where it is not known or there is none."""

    cpu: float | None = None
    memory: float | None = None
    disk: float | None = None
    gpu: float | None = None
    gpu_memory: float | None = None


@dataclass(frozen=True)
class StepResult:
    """One step.

    Attributes:
        target: requests a second, or clients.
        duration_s: its counted part.
        rps: its successful requests a second, at most as many as were answered within the counted part.
        failures: number of failed requests by their way: `status 503`, `timeout` ...
        generator_cpu: share of one core that the generator took.
        untrusted_because: why the step may have measured the generator; empty: it is trusted.
        warnings: what a reader of the percentiles should know, as texts.
        histogram: latencies of the successful requests: where a bucket begins, in milliseconds, and its count.
        ended: `complete`, `precise` (percentiles tight enough), `failing` (could not become better), `cancelled`.
        began_ns: where the counted part began on this host's monotonic clock, for samples of the same clock.
        retries: requests that were sent once more, because the server had closed the idle connection that they went on.
        trusted: whether it measured the service.
    """

    target: int
    duration_s: float
    rps: float
    latency_ms: Latency
    confidence_ms: Confidence
    requests: Requests
    failures: dict[str, int]
    lag_ms: Lag
    generator_cpu: float
    untrusted_because: tuple[str, ...]
    warnings: tuple[str, ...]
    histogram: tuple[tuple[float, int], ...]
    ended: StepEnded
    began_ns: int
    utilization: Utilization | None = None
    retries: int = 0
    trusted: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted", not self.untrusted_because)

    @property
    def outcome(self) -> Outcome:
        """What the rules of the steps look at."""
        return Outcome(self.requests.total, self.requests.total - self.requests.successful, self.rps)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The step that `to_dict` described."""
        return read(cls, data)


@dataclass(frozen=True)
class LoadTestResult:
    """What one load test of an endpoint found, and under which conditions.

    Attributes:
        ended: why no further step was run.
        payload_sha256: of the request's body.
        generator: versions of MOP and Python, numpy, uvloop and httptools in its process; `scheduling`: `real time`, or
            `ordinary` where the system allowed no more.
        trusted: whether every step is.
    """

    strategy: Strategy
    ended: Ending
    steps: tuple[StepResult, ...]
    address: str
    seed: int
    arrivals: Arrivals
    warm_up_s: float
    timeout_s: float
    payload_bytes: int
    payload_sha256: str
    generator: dict[str, str] = field(default_factory=dict)
    trusted: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted", all(step.trusted for step in self.steps))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The load test that `to_dict` described."""
        return read(cls, data)


@dataclass(frozen=True)
class Progress:
    """How a step that runs stands, about once a second.

    Attributes:
        phase: `warm-up`, `counting`, or `waiting` for the last answers.
        elapsed_s: of the counted part.
        requests: that ended since the step began.
        rps: successful answers a second since the last of these.
        p50_ms: of the successful answers since the last; None without any. p99_ms likewise.
    """

    target: int
    step: int
    steps: int
    phase: Phase
    elapsed_s: float
    requests: int
    failed: int
    in_flight: int
    rps: float
    p50_ms: float | None
    p99_ms: float | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The progress that `to_dict` described."""
        return read(cls, data)


class Listener(Protocol):
    """Hears how a load test goes."""

    def progress(self, progress: Progress) -> None:
        """A step goes on."""

    def step(self, result: StepResult) -> None:
        """A step ended."""
