"""What a service is told: how to start its model processes, how to batch, and its limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mop.serving.disclosure import Disclosure
from mop.serving_options import ServerMode, ServingOptions

MODEL_PROCESS = Path(__file__).with_name("model_process.py")
MODEL_CAUSES = Path(__file__).with_name("model_causes.py")  # it stands beside model_process.py wherever that runs
MIB = 1 << 20
LARGEST_BATCH = 10_000
LONGEST_INTERVAL_S = 60


@dataclass(frozen=True)
class BatchPolicy:
    """Dynamic batching, in the words of the form.

    Attributes:
        enabled: off means that no batch is ever made: `inference` runs item by item, on several threads.
        max_size: items in a batch at most.
        idle_size: a free model process takes what waits as soon as this many items wait.
        max_interval_s: seconds that the first waiting item waits for others at most, while a process is free.
    """

    enabled: bool = ServingOptions.batch_enabled
    max_size: int = ServingOptions.batch_max_size
    idle_size: int = ServingOptions.batch_idle_size
    max_interval_s: float = ServingOptions.batch_max_interval

    @classmethod
    def of(cls, options: ServingOptions) -> BatchPolicy:
        """The policy that a revision's options ask for."""
        return cls(
            enabled=options.batch_enabled,
            max_size=options.batch_max_size,
            idle_size=options.batch_idle_size,
            max_interval_s=options.batch_max_interval,
        )

    def __post_init__(self) -> None:
        if not (1 <= self.max_size <= LARGEST_BATCH and 1 <= self.idle_size <= LARGEST_BATCH):
            raise ValueError(f"max_size and idle_size of a BatchPolicy are 1 to {LARGEST_BATCH}")
        if not 0 <= self.max_interval_s <= LONGEST_INTERVAL_S:
            raise ValueError(f"max_interval_s of a BatchPolicy is 0 to {LONGEST_INTERVAL_S} s")


@dataclass(frozen=True)
class ServiceConfig:
    """One service: a front and `workers` model processes.

    Attributes:
        command: a complete argv that starts one model process; its descriptor 0 is the frame channel.
        server: what answers HTTP; in gunicorn's mode `workers` and `threads` are gunicorn's too.
        uds: the unix socket to listen on; without it host and port (0: any); without both the reservation's socket.
        threads: threads that run `inference` in each model process while batching is off.
        init_deadline_s: seconds a model process has until it is ready.
        request_deadline_s: seconds the model has for one call. An item waits in the queue twice as long at most.
        queue_limit: items that wait for a model process at most; over it callers get 429.
        queue_bytes_limit: bytes of the waiting items at most, and of bodies that are being received; over it callers
            get 429.
        max_connections: connections that are served at once at most; over it callers get 503.
        max_response_bytes: bytes of one item's output at most.
        reads_from: a path on the disk that the model reads, for its meter.
        log_path: file for the model processes' output, cut off at `max_log_bytes`; None keeps it in memory only.
        lease_ttl_s: the front stops itself when its owner has not renewed for so long; None: only when the owner ends.
        disclosure: what may be told of the model beside its answers.
        max_boots: replacements of dead model processes within ten minutes at most; then the service is failed.
        sample: the item of `inference()` that the model's owner gave, an example in the service's description.
    """

    command: tuple[str, ...]
    name: str = "model"
    server: ServerMode = ServingOptions.server
    workers: int = ServingOptions.worker_number
    threads: int = ServingOptions.thread_number
    batch: BatchPolicy = field(default_factory=BatchPolicy)
    uds: Path | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    init_deadline_s: float = 300
    request_deadline_s: float = 60
    queue_limit: int = 1000
    queue_bytes_limit: int = 256 * MIB
    max_connections: int = 4096
    max_request_bytes: int = 16 * MIB
    max_response_bytes: int = 8 * MIB
    reads_from: Path | None = None
    log_path: Path | None = None
    max_log_bytes: int = 16 * MIB
    lease_ttl_s: float | None = None
    disclosure: Disclosure = Disclosure.FULL
    max_boots: int = 10
    sample: Any = None

    def __post_init__(self) -> None:
        least = min(self.workers, self.threads, self.queue_limit, self.max_connections)
        if not self.command or least < 1 or self.max_boots < 0:
            raise ValueError(
                "ServiceConfig wants a command and at least one worker, thread, connection and queue place"
            )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that the front reads from its first line."""
        data = dataclasses.asdict(self)
        return {name: str(value) if isinstance(value, Path) else value for name, value in data.items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ServiceConfig:
        names = ("uds", "reads_from", "log_path")
        paths = {name: Path(data[name]) for name in names if data.get(name) is not None}
        parts = {
            "server": ServerMode(data["server"]),
            "batch": BatchPolicy(**data["batch"]),
            "disclosure": Disclosure(data["disclosure"]),
        }
        return cls(**{**data, **paths, **parts, "command": tuple(data["command"])})


def model_process_argv(
    python: str | Path,
    *,
    script: str | Path = MODEL_PROCESS,
    src: str | Path,
    model: str | Path,
    threads: int = 1,
    batch: bool = True,
) -> list[str]:
    """The argv of one model process; paths as the process itself sees them."""
    # -B: the model's folder stays as it was snapshot, without a cage too
    start: Sequence[str | Path] = (python, "-I", "-B", "-u", script)
    argv = (*start, "--src", src, "--model", model, "--threads", str(threads))
    return [str(part) for part in argv] + (["--batch"] if batch else [])
