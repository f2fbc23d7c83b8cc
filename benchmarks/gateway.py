"""The gateway beside its models: requests a second and latency through it and of the models called directly.

    .venv/bin/python benchmarks/gateway.py [--rounds 3] [--seconds 2] [--clients 1 8 32] [--only CASE ...] [--json FILE]
                                           [--bare] [--load 0.25 0.5]

The models are the sample models, in services as MOP runs them (no sandbox), reached over their unix sockets. The
gateway runs in this process, with its database; clients are closed loop, in a process of their own for each service.
Within a round both sides are measured one after the other. Cases: a text or image for one category, four categories of
one version, and four categories of four versions, where the models called directly are the four, all at once, each by
callers of its own who wait for no other model, and the slowest counts. A caller who needs all four categories has to
wait for all four: `text-4-versions, all` compares the gateway with clients that ask the four at once and go on when the
last one answered, which is the same work for the same answer.

With --bare the models are also called through a forwarder that copies bytes between two sockets, from TCP to the
model's, and reads none of them: what it costs, every gateway costs. Of four versions it waits for all, as an answer
must. Below each cell stands the processor time of a request, in microseconds, by who spends it: with fewer cores than
processes they take it from each other.

In a closed loop P50 is the clients over the rate, so it tells of the rate again. Therefore each case is also measured
with clients that send at random times, whatever was answered (scheduled.py), at parts of the rate that the models did
directly (--load): latency counts from the time that was meant. At the end a switch is timed: from the order until every
answer is the new version's.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import uvloop
from service_models import SDK, ModelFolder, make_environment, make_texts
from service_stacks import Clients, OurService, our_service

from mop.serving.config import BatchPolicy
from serving import DEFAULT_CACHE

CLIENTS = (1, 8, 32)
CASES = ("text-1", "text-4", "text-4-versions", "image-1", "image-4")
SAMPLES = Path(__file__).parents[1] / "samples"
TEXTS, IMAGES = 200, 50
COMPARED = (("", "slowest", "gateway"), (", all", "all", "gateway"), (" bare", "slowest", "bare"))
RATE_AIM, LATENCY_AIM_S = 0.8, 0.001


@dataclass
class Measured:
    """One side of one round: requests a second, P50 and P99 in seconds, microseconds of processor time a request."""

    rps: float
    p50: float
    p99: float
    clients_us: float = 0.0
    gateway_us: float = 0.0
    fronts_us: float = 0.0
    models_us: float = 0.0


def main() -> int:
    options = _options()
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory(prefix="mop-") as root:
        _open_installation(Path(root))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = runner.run(measure(options, Path(root)))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 1 if results["errors"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement, after a fifth of it as warm-up")
    parser.add_argument("--clients", type=int, nargs="+", default=list(CLIENTS))
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--bare", action="store_true", help="measure what only forwards bytes as well")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where the environments are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parts = "of the direct rate, for clients that send on schedule"
    parser.add_argument("--load", type=float, nargs="*", default=[0.25, 0.5], help=parts)
    return parser.parse_args()


def _open_installation(root: Path) -> None:
    """An installation of its own: the gateway records its answers in its database."""
    os.environ |= {"MOP_HOME": str(root / "home"), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
    import django  # noqa: PLC0415 - not before the home is named

    django.setup()
    from mop.worker.setup import prepare_databases  # noqa: PLC0415 - as above

    prepare_databases()
    from mop.gateway.serve import keep_what_is_loaded  # noqa: PLC0415

    keep_what_is_loaded()  # as the command does


def _service() -> tuple[Any, str]:
    """A downstream service, and a key of its gateway."""
    from mop.accounts.services import create_user  # noqa: PLC0415 - after django.setup()
    from mop.audit.services import Actor  # noqa: PLC0415
    from mop.gateway.services import rotate_key  # noqa: PLC0415
    from mop.releases.models import ServiceKind  # noqa: PLC0415
    from mop.releases.services import create_service  # noqa: PLC0415

    actor = Actor.system("benchmark")
    person = create_user(actor=actor, username="admin", password=None, is_administrator=True)
    service = create_service(actor=actor, user=person, name="benchmark", kind=ServiceKind.AACS, admins=[person])
    return service, rotate_key(actor=actor, service=service, number=1)


async def measure(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Every case; prints and gives the figures."""
    from asgiref.sync import sync_to_async  # noqa: PLC0415

    service, key = await sync_to_async(_service)()
    bodies = make_bodies(root)
    results: dict[str, Any] = {"errors": 0, "cases": []}
    for case in options.only:
        kind, _, rest = case.partition("-")
        async with contextlib.AsyncExitStack() as stack:
            services = [
                await stack.enter_async_context(sample_service(kind, options.cache, bodies))
                for _ in range(4 if rest == "4-versions" else 1)
            ]
            reached = [one.address for one in services]
            gateway = await stack.enter_async_context(open_bench_gateway(service, kind, reached, rest))
            bare = await stack.enter_async_context(forwarding(reached)) if options.bare else None
            rate, addresses = 0.0, (gateway.address, bare)
            loads = [{"clients": count} for count in options.clients] + [{"rate": part} for part in options.load]
            for load in loads:
                if "rate" in load:
                    load["rate"] *= rate
                rounds = [
                    await one_round(bodies, kind, services, addresses, key, load, options.seconds, results)
                    for _ in range(options.rounds)
                ]
                if "clients" in load:
                    rate = max(rate, statistics.median(found["slowest"].rps for found in rounds))
                for name, one, other in COMPARED:
                    pairs = [(found[one], found[other]) for found in rounds if one in found and other in found]
                    if pairs:
                        results["cases"].append(_show(case + name, load, pairs))
    if "text-1" in options.only:
        results["switch_s"] = await measure_switch(service, key, options.cache, bodies)
        print(f"a switch to a version that runs: {results['switch_s'] * 1000:.1f} ms")
    return results


async def one_round(
    bodies: dict[str, Path],
    kind: str,
    services: list[OurService],
    addresses: tuple[str, str | None],
    key: str,
    load: dict[str, Any],
    seconds: float,
    results: dict[str, Any],
) -> dict[str, Measured]:
    """The models called directly, and the slowest of them; all by one caller; the gateway; what only forwards."""
    gateway, bare = addresses
    reached = [one.address for one in services]
    orders: list[dict[str, Any]] = [
        {"address": one.address, "bodies": str(bodies[f"{kind}-direct"]), "headers": [f"x-mop-format: acs-{kind}"]}
        for one in services
    ]
    directly = await _ask_all(orders, services, load, seconds, results)
    order = {
        "address": gateway,
        "path": f"/contentsafety/{kind}:analyze?api-version=2023-10-01",
        "bodies": str(bodies[kind]),
        "headers": [f"ocp-apim-subscription-key: {key}"],
    }
    slowest = max(directly, key=lambda one: one.p50) if "rate" in load else min(directly, key=lambda one: one.rps)
    found = {"slowest": slowest}
    asked = {"gateway": order, "bare": orders[0] | {"address": bare} if bare else None}
    if len(services) > 1 and "clients" in load:
        asked["all"] = orders[0] | {"address": reached}
    for name, one in asked.items():
        if one is not None:
            [found[name]] = await _ask_all([one], services, load, seconds, results)
    return found


async def _ask_all(
    orders: list[dict[str, Any]],
    services: list[OurService],
    load: dict[str, Any],
    seconds: float,
    results: dict[str, Any],
) -> list[Measured]:
    script = "scheduled.py" if "rate" in load else "closed_loop.py"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Clients(Path(order["bodies"]), script=script)) for order in orders]
        rest = load | {"seconds": seconds, "warm": seconds / 5}
        before = _spent(services)
        answers = await asyncio.gather(*(one.ask(order | rest) for one, order in zip(clients, orders, strict=True)))
        spent = [after - earlier for after, earlier in zip(_spent(services), before, strict=True)]
    results["errors"] += sum(int(one["errors"]) for one in answers)
    # about: what was answered in the warm-up is taken to be as much a second as afterwards
    requests = sum(one["rps"] for one in answers) * seconds * 1.2
    gateway, fronts, models = (one / requests * 1e6 for one in spent)
    clients_us = sum(one["cpu"] for one in answers) / len(answers) * seconds * 1.2 / (requests / len(answers)) * 1e6
    return [Measured(one["rps"], one["p50"], one["p99"], clients_us, gateway, fronts, models) for one in answers]


def _spent(services: list[OurService]) -> tuple[float, float, float]:
    """Seconds of processor time until now: of this process, the gateway's; of the fronts; of the models."""
    fronts = sum(_processor_seconds(pid) for one in services for pid in one.front_pids())
    models = sum(_processor_seconds(pid) for one in services for pid in one.model_pids())
    return time.process_time(), fronts, models


def _processor_seconds(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _show(case: str, load: dict[str, Any], pairs: list[tuple[Measured, Measured]]) -> dict[str, Any]:
    share = statistics.median(through.rps / direct.rps for direct, through in pairs)
    more = statistics.median(through.p50 - direct.p50 for direct, through in pairs)
    direct, through = (
        Measured(*(statistics.median(getattr(pair[side], one.name) for pair in pairs) for one in fields(Measured)))
        for side in (0, 1)
    )
    met = share >= RATE_AIM and more <= LATENCY_AIM_S
    loaded = f"{load['clients']:3} clients" if "clients" in load else f"{load['rate']:.0f} a second"
    print(
        f"{case:20} {loaded:>12}: {direct.rps:7.0f} -> {through.rps:7.0f} requests/s ({share:.2f}), "
        f"P50 {direct.p50 * 1000:6.2f} -> {through.p50 * 1000:6.2f} ms ({more * 1000:+.2f}), "
        f"P99 {direct.p99 * 1000:6.2f} -> {through.p99 * 1000:6.2f} ms{'' if met else '   aim missed'}\n"
        f"{'':30}{_shares('directly', direct)}; {_shares('through', through)}",
        flush=True,
    )
    return {"case": case, "load": loaded.strip(), "share": share, "more_p50_s": more} | {
        "direct": vars(direct),
        "gateway": vars(through),
    }


def _shares(side: str, one: Measured) -> str:
    gateway = f", gateway {one.gateway_us:.0f}" if side == "through" else ""
    return f"us {side}: client {one.clients_us:.0f}{gateway}, front {one.fronts_us:.0f}, model {one.models_us:.0f}"


def make_bodies(root: Path) -> dict[str, Path]:
    """Files of bodies: of the contract, and as the services take them."""
    from PIL import Image  # noqa: PLC0415

    images = []
    for number in range(IMAGES):
        made = io.BytesIO()
        Image.effect_noise((224, 224), 20 + number).convert("RGB").save(made, "JPEG", quality=85)
        images.append(base64.b64encode(made.getvalue()).decode())
    texts = make_texts(TEXTS)
    lines = {
        "text": [{"text": text} for text in texts],
        "text-direct": [{"text": text} for text in texts],
        "image": [{"image": {"content": image}} for image in images],
        "image-direct": [{"image": image} for image in images],
    }
    files = {name: root / f"{name}.jsonl" for name in lines}
    for name, file in files.items():
        file.write_text("\n".join(json.dumps(line) for line in lines[name]))
    return files


@contextlib.asynccontextmanager
async def sample_service(kind: str, cache: Path, bodies: dict[str, Path]) -> AsyncIterator[OurService]:
    """A service of the sample model for texts or images."""
    sample = SAMPLES / ("text-moderation" if kind == "text" else "image-redness")
    wanted = [
        line
        for line in (sample / "src" / "requirements.txt").read_text().splitlines()
        if line and not line.startswith(("#", "mop-utils"))
    ]
    python = make_environment(cache / f"sample-{kind}", (*wanted, str(SDK)))
    async with our_service(python, ModelFolder(kind, sample, bodies[kind]), unix=True) as running:
        yield running


@contextlib.asynccontextmanager
async def open_bench_gateway(service: Any, kind: str, addresses: list[str], rest: str) -> AsyncIterator[Any]:
    """A gateway before these services: for one category, or all four, of one version or one each."""
    from mop.gateway.categories import CATEGORIES, Kind  # noqa: PLC0415
    from mop.gateway.gateway_metrics import GatewayMetrics  # noqa: PLC0415
    from mop.gateway.live_models import Routing, Slot  # noqa: PLC0415
    from mop.gateway.running import open_gateway  # noqa: PLC0415

    categories = CATEGORIES[:1] if rest == "1" else CATEGORIES
    served = [BenchModel(number, address) for number, address in enumerate(addresses)]
    slots = {
        (Kind[kind.upper()], category): Slot(served[place % len(served)]) for place, category in enumerate(categories)
    }
    async with open_gateway(service, FixedModels(Routing(slots)), GatewayMetrics("benchmark")) as gateway:
        yield gateway


@contextlib.asynccontextmanager
async def forwarding(services: list[str]) -> AsyncIterator[str]:
    """What copies bytes between TCP and the sockets of the services and looks at none; answers are the last one's.

    Each connection of a caller has one of its own to each service.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Forwarder(services), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Forwarder(asyncio.Protocol):
    """One connection of a caller."""

    def __init__(self, services: list[str]) -> None:
        self._services = services
        self._early: list[bytes] = []
        self._ends: list[asyncio.Transport] = []
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to the services."""
        self._caller: Any = transport
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        for address in self._services:
            path = address.removeprefix("unix:")
            end, _ = await loop.create_unix_connection(lambda: ForwardedAnswer(self), path)
            self._ends.append(end)
        for data in self._early:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """On it goes."""
        if len(self._ends) < len(self._services):
            self._early.append(data)
            return
        for end in self._ends:
            end.write(data)

    def answered(self, data: bytes) -> None:
        """Back it goes; of several services, whose answers are short and come in one piece, the last one's."""
        self._missing = (self._missing or len(self._ends)) - 1
        if self._missing == 0:
            self._caller.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whyever
        """The caller is gone."""
        for end in self._ends:
            end.close()


class ForwardedAnswer(asyncio.Protocol):
    """The end at a service."""

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder

    def data_received(self, data: bytes) -> None:
        """Back."""
        self._forwarder.answered(data)


class BenchModel:
    """A version whose service runs at an address."""

    def __init__(self, release: int, address: str) -> None:
        from mop.gateway.running_versions import AskedService  # noqa: PLC0415

        self.release, self.label = release, f"sample {release}"
        self.together = BatchPolicy().max_size
        self.ask = AskedService(address, together=self.together).ask


@dataclass
class FixedModels:
    """What is live, as the benchmark says."""

    routing: Any
    is_ready: bool = True

    def answered(self, _model: object, **_how: object) -> None:
        """No canary is judged."""


async def measure_switch(service: Any, key: str, cache: Path, bodies: dict[str, Path]) -> float:
    """Seconds from the order until the new version answers, while 8 clients ask; the longest of 20."""
    import httpx  # noqa: PLC0415

    from mop.gateway.categories import CATEGORIES, Kind  # noqa: PLC0415
    from mop.gateway.gateway_metrics import GatewayMetrics  # noqa: PLC0415
    from mop.gateway.live_models import Routing, Slot  # noqa: PLC0415
    from mop.gateway.running import open_gateway  # noqa: PLC0415

    place, longest = (Kind.TEXT, CATEGORIES[0]), 0.0
    async with sample_service("text", cache, bodies) as first, sample_service("text", cache, bodies) as second:
        versions = [BenchModel(1, first.address), BenchModel(2, second.address)]
        models, metrics = FixedModels(Routing({place: Slot(versions[0])})), GatewayMetrics("benchmark")
        async with open_gateway(service, models, metrics) as gateway, httpx.AsyncClient() as client:
            stop = asyncio.Event()
            url = f"{gateway.address}/contentsafety/text:analyze?api-version=2023-10-01"

            async def ask() -> None:
                while not stop.is_set():
                    sent = await client.post(
                        url, json={"text": "you are kind"}, headers={"ocp-apim-subscription-key": key}
                    )
                    assert sent.status_code == 200, sent.text

            asking = [asyncio.create_task(ask()) for _ in range(8)]
            for version in _turns(versions):
                began, before = time.perf_counter(), models.routing
                models.routing = Routing({place: Slot(version)})
                await before.idle()
                longest = max(longest, time.perf_counter() - began)
                await asyncio.sleep(0.05)
            stop.set()
            await asyncio.gather(*asking)
    return longest


def _turns(versions: list[BenchModel]) -> Iterator[BenchModel]:
    for turn in range(20):
        yield versions[(turn + 1) % 2]


if __name__ == "__main__":
    sys.exit(main())
