"""What a service costs beside its model: memory of its processes, and time to start."""

from __future__ import annotations

import time
from pathlib import Path

from service_models import BareModel, ModelFolder, memory_mb
from service_stacks import Clients, our_service


async def memory(python: Path, folder: ModelFolder, clients: Clients) -> dict[str, tuple[float, float]]:
    """RSS and PSS in MB of the front, a model process and the bare interpreter, after a second with 32 clients."""
    bare = BareModel(python, folder)
    try:
        bare.items_per_second(1)
        async with our_service(python, folder, unix=True) as running:
            await clients.run(running.address, 32, 1)
            (process,) = running.model_pids()
            return {
                "front": memory_mb(running.front_pid),
                "model process": memory_mb(process),
                "bare interpreter with the model": memory_mb(bare.pid),
            }
    finally:
        bare.close()


async def start_times(python: Path, folder: ModelFolder, *, repeats: int) -> list[tuple[float, float]]:
    """Seconds from the order until the service is ready, and of the model's import and init by themselves, in turns."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        async with our_service(python, folder, unix=True):
            total = time.perf_counter() - started
        bare = BareModel(python, folder)
        times.append((total, bare.init_s))
        bare.close()
    return times
