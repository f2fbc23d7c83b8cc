"""How much of a window of 8 any server here could give to 8 clients, and how much of that ours gives."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

from bound_server import CLIENTS
from service_compare import OURS, STREAM
from service_models import BareModel
from service_process import ServerProcess, free_port
from service_report import Bench, Spread
from service_stacks import our_service

BOUND = "the bound"
LEAST_RATIO = 0.88  # docs/adr/0008-eight-clients-of-one-stream.md says why not more
SERVER = Path(__file__).with_name("bound_server.py")


async def measure_bound(bench: Bench) -> None:
    """Ours beside the bound, in turn, on the model whose batches of 8 cannot overlap with anything."""
    folder = bench.models[STREAM]
    port = free_port()
    argv = [sys.executable, SERVER, str(port), folder.src, folder.model]
    shares: dict[str, list[float]] = {OURS: [], BOUND: []}
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(our_service(bench.environments.ours, folder))
        place = bench.root / "bound"
        place.mkdir()
        bound = ServerProcess(argv, port=port, place=place, variables={}, probe=("/", None))
        stack.callback(bound.close)
        bare = BareModel(bench.environments.ours, folder)
        stack.callback(bare.close)
        for _ in range(bench.rounds):
            window = bare.items_per_second(bench.seconds / 2, batch=CLIENTS)
            for label, address in ((OURS, ours.address), (BOUND, bound.address)):
                run = await bench.clients.run(address, CLIENTS, bench.seconds)
                bench.report.errors += int(run["errors"])
                shares[label].append(run["rps"] / window)
    spreads = {label: Spread.of(found) for label, found in shares.items()}
    for label, spread in spreads.items():
        print(f" {STREAM}, {CLIENTS} clients, {label}: {spread} of the model's own in batches of {CLIENTS}")
    ratio = Spread.of([mine / best for mine, best in zip(shares[OURS], shares[BOUND], strict=True)])
    print(f" ours / the bound: {ratio}")
    text = f"{STREAM}, {CLIENTS} clients, ours over the bound"
    bench.report.aim(text, f"{LEAST_RATIO:g}", str(ratio), reached=ratio.median >= LEAST_RATIO)
    bench.report.bound |= {label: asdict(spread) for label, spread in spreads.items()} | {"ratio": asdict(ratio)}
