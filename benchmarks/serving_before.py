"""The model service of an earlier checkout and of this one, both running, asked in turn in one run.

    git worktree add ../before REVISION && (cd ../before && make .venv/.dev)
    .venv/bin/python benchmarks/serving_before.py ../before [--models near-zero] [--clients 1 8 32] [--rounds 20]

Each checkout serves the same model with its own MOP, its own mop-utils and one worker of 8 threads over its unix
socket; an idle service uses no CPU. In a round each is asked for `--seconds`, the one that began last time second.
Printed is the ratio of the requests a second, this checkout over the earlier one: the median of the rounds with its
95 % confidence interval from the order statistics, then the least and the greatest. `--same` compares this checkout
with itself, which shows what the method can tell apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from service_models import SKLEARN, ModelFolder, make_environment, make_environments, make_models
from service_report import Spread
from service_stacks import Clients

from serving import DEFAULT_CACHE

HERE = Path(__file__).parents[1]

# Runs in the interpreter of the checkout that serves, with its benchmarks/ on the path.
SERVE = """
import asyncio, sys
from pathlib import Path
from service_models import ModelFolder
from service_stacks import our_service

async def serve(python, root, bodies):
    async with our_service(Path(python), ModelFolder("compared", Path(root), Path(bodies)), unix=True) as service:
        print(service.address, *service.front_pids(), "/", *service.model_pids(), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(serve(*sys.argv[1:]))
"""


class Served:
    """A model, served by a checkout until `close`."""

    def __init__(self, checkout: Path, python: Path, model: ModelFolder) -> None:
        self._process = subprocess.Popen(
            [checkout / ".venv/bin/python", "-c", SERVE, python, model.root, model.bodies],
            cwd=checkout / "benchmarks",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.address, *pids = self._process.stdout.readline().split() or [""]
        if not self.address:
            raise RuntimeError(f"the service of {checkout} did not start")
        self._pids = pids[: pids.index("/")], pids[pids.index("/") + 1 :]

    def cpu_seconds(self) -> tuple[float, float]:
        """Processor time so far, of the front and of the model process."""
        front, model = (sum(map(_cpu_seconds, pids)) for pids in self._pids)
        return front, model

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._process.communicate()


def _cpu_seconds(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, nargs="?", default=HERE, help="a checkout, with its .venv")
    parser.add_argument("--same", action="store_true", help="compare this checkout with itself")
    parser.add_argument("--models", nargs="+", default=["near-zero", "scikit-learn"])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where the environments are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    before = HERE if options.same else options.before.resolve()
    if before == HERE and not options.same:
        parser.error("name the checkout to compare with, or --same")
    environments = make_environments(options.cache)
    python_before = make_environment(options.cache / "before", (*SKLEARN, str(before / "packages/mop-utils")))
    found: dict[str, dict[int, list[float]]] = {}
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mop-") as root:
        models = make_models(Path(root), environments)
        for name in options.models:
            found[name] = {}
            with ExitStack() as stack:
                earlier = stack.enter_context(Served(before, python_before, models[name]))
                now = stack.enter_context(Served(HERE, environments.ours, models[name]))
                clients = stack.enter_context(Clients(models[name].bodies))
                for count in options.clients:
                    ratios, errors = compare(clients, (earlier, now), count, options)
                    found[name][count] = ratios
                    failed += errors
                    print(f"{name}, {count} clients: now / before {told(ratios)}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    if failed:
        print(f"{failed} requests failed")
    return 1 if failed else 0


def compare(
    clients: Clients, services: tuple[Served, Served], count: int, options: argparse.Namespace
) -> tuple[list[float], int]:
    """Requests a second of the second service over those of the first, of each round; and the failed requests."""
    ratios, failed = [], 0
    requests = dict.fromkeys(services, 0.0)
    started = {service: service.cpu_seconds() for service in services}
    for number in range(options.rounds + 1):
        rates = {}
        for service in services if number % 2 else services[::-1]:
            run = asyncio.run(clients.run(service.address, count, options.seconds))
            failed += int(run["errors"])
            rates[service] = run["rps"]
            requests[service] += run["rps"] * options.seconds * 1.2
        if number:  # the first one warms up
            ratios.append(rates[services[1]] / rates[services[0]])
    for service, name in zip(services, ("before", "now"), strict=True):
        used = zip(service.cpu_seconds(), started[service], strict=True)
        front, model = (1e6 * (end - begin) / requests[service] for end, begin in used)
        print(
            f"   {name}: about {front:.1f} us of the front's processor time a request, {model:.1f} of the model process"
        )
    return ratios, failed


def told(ratios: list[float]) -> str:
    """The median, its interval, the least and the greatest."""
    low, high = median_interval(ratios)
    spread = Spread.of(ratios)
    return f"{spread.median:.3f}, 95 % from {low:.3f} to {high:.3f} ({spread.least:.2f}..{spread.greatest:.2f})"


def median_interval(values: list[float]) -> tuple[float, float]:
    """The pair of order statistics that holds the median with at least 95 %; no distribution is assumed."""
    ordered, below = sorted(values), 0
    while tail(len(ordered), below) <= 0.025 and below < len(ordered) // 2:
        below += 1
    first = max(below - 1, 0)
    return ordered[first], ordered[-1 - first]


def tail(count: int, most: int) -> float:
    """The chance that at most `most` of `count` values lie below the median."""
    return sum(math.comb(count, k) for k in range(most + 1)) / 2**count


if __name__ == "__main__":
    sys.exit(main())
