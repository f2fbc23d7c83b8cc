"""What a load test is to do: strategy, steps, lengths, limits, and the request that is sent."""

from __future__ import annotations

import base64
import dataclasses
import enum
import hashlib
import math
import os
import re
from dataclasses import dataclass, field
from typing import Any, Self

MIB = 1 << 20
DEFAULT_DURATION_S = 300.0
DEFAULT_WARM_UP_S = 5.0
DEFAULT_TIMEOUT_S = 30.0
DEFAULT_BUDGET_S = 7200.0
LARGEST_SEED = (1 << 63) - 1
LARGEST_TARGET = 100_000
LONGEST_STEP_S = 86_400
LARGEST_PAYLOAD_BYTES = 64 * MIB
LARGEST_PATH = 2048
LONGEST_SOCKET_PATH = 107
MOST_ARRIVALS = 10_000_000  # of one step: each takes 42 bytes until the step is summed up
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"})
_PATH = re.compile(r"/[!-~]*")


class Strategy(enum.StrEnum):
    """PerRPS is an open loop, PerConcurrency a closed one.

    PerRPS: requests start when they are due, whatever became of others. PerConcurrency: so many clients, each of which
    sends its next request when its last one is answered.
    """

    PER_RPS = "PerRPS"
    PER_CONCURRENCY = "PerConcurrency"


class Arrivals(enum.StrEnum):
    """How PerRPS spreads requests: exactly the target in every second at random instants, or a Poisson process."""

    UNIFORM = "uniform"
    POISSON = "poisson"


@dataclass(frozen=True)
class Target:
    """One request and where it goes.

    Attributes:
        host: name for the Host header, TLS, and, without a socket, the address.
        port: of TCP; unused with a socket.
        path: path and query, as they are sent.
        tls: speak TLS, verified by the system's authorities or those of `ca_file`.
        uds: path of a unix socket to connect to instead.
        payload: the body; empty together with the method GET.
    """

    host: str
    port: int = 80
    path: str = "/"
    tls: bool = False
    uds: str | None = None
    ca_file: str | None = None
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    payload: bytes = b""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._:-]{1,255}", self.host) or not 0 < self.port < 1 << 16:
            raise ValueError(f"host {self.host!r} or port {self.port} can not be used")
        if not _PATH.fullmatch(self.path) or len(self.path) > LARGEST_PATH:
            raise ValueError("a path begins with / and holds printable ASCII without spaces, 2,048 characters at most")
        if self.uds is not None and not 0 < len(os.fsencode(self.uds)) <= LONGEST_SOCKET_PATH:
            raise ValueError(f"a unix socket's path has at most {LONGEST_SOCKET_PATH} bytes")
        if not _TOKEN.fullmatch(self.method):
            raise ValueError(f"method {self.method!r} can not be used")
        if len(self.payload) > LARGEST_PAYLOAD_BYTES:
            raise ValueError(f"the payload has more than {LARGEST_PAYLOAD_BYTES // MIB} MiB")
        for name, value in self.headers:
            if not _TOKEN.fullmatch(name) or name.lower() in _OWN_HEADERS or not re.fullmatch(r"[ -~\t]*", value):
                raise ValueError(f"header {name!r} can not be used")

    @property
    def address(self) -> str:
        """For people: `unix:/path` or the url."""
        if self.uds is not None:
            return f"unix:{self.uds}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"

    @property
    def payload_sha256(self) -> str:
        """What was sent, for comparison of runs."""
        return hashlib.sha256(self.payload).hexdigest()

    def request(self) -> bytes:
        """The bytes of the request, the same every time."""
        standard = 443 if self.tls else 80
        name = f"[{self.host}]" if ":" in self.host else self.host
        host = name if self.uds is not None or self.port == standard else f"{name}:{self.port}"
        lines = [f"{self.method} {self.path} HTTP/1.1", f"host: {host}", "user-agent: mop-load-test"]
        given = {name.lower() for name, _ in self.headers}
        if self.payload or self.method not in {"GET", "HEAD"}:
            lines.append(f"content-length: {len(self.payload)}")
            if "content-type" not in given:
                lines.append("content-type: application/json")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + self.payload

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; the payload in base64."""
        return {**dataclasses.asdict(self), "payload": base64.b64encode(self.payload).decode("ascii")}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The target that `to_dict` described."""
        headers = tuple((str(name), str(value)) for name, value in data["headers"])
        return cls(**{**data, "headers": headers, "payload": base64.b64decode(data["payload"], validate=True)})


@dataclass(frozen=True)
class Plan:
    """A load test.

    Attributes:
        targets: requests a second, or clients, of each step; ascending.
        duration_s: of a step, counted; the warm-up comes before it.
        timeout_s: from the intended start of a request; what is not answered then is a failure of the system.
        budget_s: a step that would end later than this after the first began is not started.
        precision: ends a step early when the confidence intervals of P50, P90, P95 and P99 are within this share of
            their values; None: never.
        cpus: the generator's process runs on these; None: wherever the system lets it.
    """

    strategy: Strategy
    targets: tuple[int, ...]
    duration_s: float = DEFAULT_DURATION_S
    warm_up_s: float = DEFAULT_WARM_UP_S
    timeout_s: float = DEFAULT_TIMEOUT_S
    budget_s: float = DEFAULT_BUDGET_S
    seed: int = 0
    arrivals: Arrivals = Arrivals.UNIFORM
    precision: float | None = None
    cpus: tuple[int, ...] | None = field(default=None)

    def __post_init__(self) -> None:
        targets = self.targets
        if not targets or list(targets) != sorted(set(targets)) or not 1 <= targets[0] <= targets[-1] <= LARGEST_TARGET:
            raise ValueError(f"targets are ascending numbers from 1 to {LARGEST_TARGET:,}")
        for name, least in (("duration_s", 0.1), ("warm_up_s", 0.0), ("timeout_s", 0.001), ("budget_s", 0.1)):
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= LONGEST_STEP_S):
                raise ValueError(f"{name} is from {least:g} to {LONGEST_STEP_S:,} seconds")
        if self.step_s > self.budget_s:
            raise ValueError(f"one step takes {self.step_s:g} s, longer than the budget of {self.budget_s:g} s")
        if self.strategy is Strategy.PER_RPS and targets[-1] * self.step_s > MOST_ARRIVALS:
            raise ValueError(f"a step would have more than {MOST_ARRIVALS:,} requests")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError(f"a seed is from 0 to {LARGEST_SEED}")
        if self.precision is not None and not 0 < self.precision < 1:
            raise ValueError("a precision is a share between 0 and 1")

    @property
    def step_s(self) -> float:
        """Seconds that a step takes at most, besides the answers that are waited for."""
        return self.warm_up_s + self.duration_s

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The plan that `to_dict` described."""
        cpus = data.get("cpus")
        own = {
            "strategy": Strategy(data["strategy"]),
            "targets": tuple(data["targets"]),
            "arrivals": Arrivals(data["arrivals"]),
            "cpus": None if cpus is None else tuple(cpus),
        }
        return cls(**{**data, **own})
