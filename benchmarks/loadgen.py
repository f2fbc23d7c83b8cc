"""The load generator against wrk and locust, its punctuality, and what it makes of a service that stands still.

    .venv/bin/python benchmarks/loadgen.py [--quick] [--rounds 7] [--seconds 3] [--only PART ...] [--json FILE]

Parts: `closed` (32 connections, requests per CPU second of the client, against wrk, locust's FastHttpUser and the
floor: a C program that makes the same system calls and nothing else), `open` (1,000 and 5,000 requests a second:
achieved rate, lag, CPU), `stall` (1 s in every 10 at 200 requests a second). The server of the first two is nginx with
an answer of two bytes. Server and client have a core each where there are two. All is interleaved, in turning order;
printed are medians with the least and the greatest. The script fails only far outside of the aims: a busy machine
misses them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import service_report
from loadgen_parts import Cores, floor, locust, make_floor, nginx, ours, stalling_server, wrk

from mop.loadtest.endpoint import Endpoint
from mop.loadtest.plan import Strategy

CLIENTS = 32
RATES = (1000, 5000)
STALL_RATE, STALL_PERIOD_S, STALL_S = 200, 10.0, 1.0
DEFAULT_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mop-benchmarks"


class Spread(service_report.Spread):
    """To a thousandth: lags are fractions of a millisecond."""

    DIGITS = 3


@dataclass(frozen=True)
class Aim:
    """What is to be reached, what was, and whether it is so far off that something must be broken."""

    text: str
    wanted: str
    found: str
    reached: bool
    broken: bool

    def __str__(self) -> str:
        mark = "BROKEN " if self.broken else "reached" if self.reached else "MISSED "
        return f"{mark}  {self.text}: {self.found}, wanted {self.wanted}"


@dataclass
class Report:
    """Everything that was measured; `--json` writes it."""

    machine: str
    options: dict[str, object]
    figures: dict[str, object] = field(default_factory=dict)
    aims: list[Aim] = field(default_factory=list)

    def at_least(self, text: str, spread: Spread, wanted: float, broken: float) -> None:
        """An aim from below."""
        median = spread.median
        self.aims.append(Aim(text, f"at least {wanted:g}", str(spread), median >= wanted, median < broken))

    def at_most(self, text: str, spread: Spread, wanted: float, broken: float) -> None:
        """An aim from above."""
        median = spread.median
        self.aims.append(Aim(text, f"at most {wanted:g}", str(spread), median <= wanted, median > broken))


def main() -> int:
    options = _options()
    if options.quick:
        options.rounds, options.seconds = 2, 1.0
    machine = f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start"
    report = Report(machine, {name: value for name, value in vars(options).items() if name not in {"json", "cache"}})
    cores = Cores.of_this_host()
    print(f"{machine}; server on CPU {cores.server}, clients on CPU {cores.client}")
    for name, part in PARTS.items():
        if options.only is None or name in options.only:
            print(f"\n{name}")
            part(options, cores, report)
    print("\naims")
    for aim in report.aims:
        print(f"  {aim}")
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=1))
    return 1 if any(aim.broken for aim in report.aims) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds that are interleaved")
    parser.add_argument(
        "--seconds", type=float, default=3, help="of each measurement; a stall takes ten of its periods"
    )
    parser.add_argument("--only", nargs="+", choices=list(PARTS), help="these parts and no others")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 1 s, shorter stalls")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where locust's environment is kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser.parse_args()


def closed(options: argparse.Namespace, cores: Cores, report: Report) -> None:
    """Requests per CPU second of the client."""
    least = make_floor(options.cache)
    if least is None:
        print("  no C compiler (cc): the floor is left out")
    with nginx(cores) as port:
        endpoint = Endpoint(host="127.0.0.1", port=port, method="GET")
        measure: dict[str, Callable[[], tuple[float, float]]] = {
            "ours": lambda: _closed_loop(endpoint, cores, options.seconds),
            "wrk": lambda: wrk(port, cores, CLIENTS, options.seconds),
            "locust": lambda: locust(options.cache, port, cores, CLIENTS, options.seconds),
        }
        if least is not None:
            measure["floor"] = lambda: floor(least, port, cores, CLIENTS, options.seconds)
        names = list(measure)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for turn in range(options.rounds):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                found[name].append(measure[name]())
    for name, runs in found.items():
        per_cpu, rate = (Spread.of([run[place] for run in runs]) for place in (0, 1))
        print(f"  {name:8} {per_cpu!s:32} requests per CPU second   {rate!s:28} requests/s")
        report.figures[f"closed {name}"] = {"per_cpu_second": asdict(per_cpu), "rps": asdict(rate)}
    if least is not None:
        for one, other in (("floor", "locust"), ("ours", "floor")):
            print(f"  {one} / {other}: {_over(found[one], found[other])} requests per CPU second")
    for other, wanted, broken in (("wrk", 0.7, 0.35), ("locust", 15, 5)):
        ratio = _over(found["ours"], found[other])
        report.at_least(f"{CLIENTS} connections, requests per CPU second over {other}'s", ratio, wanted, broken)


def _over(mine: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> Spread:
    """The ratio of requests per CPU second within each round."""
    return Spread.of([one[0] / other[0] for one, other in zip(mine, theirs, strict=True)])


def _closed_loop(endpoint: Endpoint, cores: Cores, seconds: float) -> tuple[float, float]:
    step = asyncio.run(ours(endpoint, cores, Strategy.PER_CONCURRENCY, CLIENTS, seconds, seed=1, warm_up_s=0))
    assert step.requests.successful == step.requests.total
    # its CPU is told over the step and the wait for the last answers, a twentieth of a second at most
    return step.requests.total / (step.generator_cpu * (seconds + 0.05)), step.requests.total / seconds


def open_loop(options: argparse.Namespace, cores: Cores, report: Report) -> None:
    """How punctual it is, and whether it knows."""
    runs: dict[int, list[tuple[float, float, float, float, bool]]] = {rate: [] for rate in RATES}
    with nginx(cores) as port:
        endpoint = Endpoint(host="127.0.0.1", port=port, method="GET")
        for turn in range(options.rounds):
            for rate in RATES:
                step = asyncio.run(ours(endpoint, cores, Strategy.PER_RPS, rate, options.seconds, seed=turn))
                off = abs(step.rps / rate - 1)
                runs[rate].append((off, step.lag_ms.p50, step.lag_ms.p99, step.generator_cpu, step.trusted))
    for rate, found in runs.items():
        off, p50, p99, cpu = (Spread.of([run[place] for run in found]) for place in range(4))
        trusted = sum(run[4] for run in found)
        print(f"  {rate}/s: rate off by {off}, lag P50 {p50} ms, P99 {p99} ms")
        print(f"    {cpu} cores, {trusted} of {len(found)} trusted")
        figures = {"off": asdict(off), "lag_p50_ms": asdict(p50), "lag_p99_ms": asdict(p99), "cpu": asdict(cpu)}
        report.figures[f"open {rate}"] = {**figures, "trusted": trusted}
        if rate == RATES[0]:
            report.at_most(f"{rate}/s, share by which the rate is off", off, 0.002, 0.02)
            report.at_most(f"{rate}/s, lag P99 in ms", p99, 1.0, 50)
            report.at_most(f"{rate}/s, cores", cpu, 0.5, 0.9)


def stall(options: argparse.Namespace, cores: Cores, report: Report) -> None:
    """P99 of PerRPS against theory, and what PerConcurrency shows of the same stall."""
    scale = 0.1 if options.quick else 1.0
    rate, period, length = round(STALL_RATE / scale), STALL_PERIOD_S * scale, STALL_S * scale
    theory = 1000 * (length - 0.01 * period)  # P(latency > x) = (length - x) / period = 1 %
    with stalling_server(cores, period_s=period, stall_s=length) as endpoint:
        step = asyncio.run(ours(endpoint, cores, Strategy.PER_RPS, rate, 10 * period, seed=1))
        closed_step = asyncio.run(ours(endpoint, cores, Strategy.PER_CONCURRENCY, 10, 2 * period, seed=1))
    p99, shown = step.latency_ms.p99 or 0.0, closed_step.latency_ms
    print(f"  PerRPS {rate}/s, {length:g} s in every {period:g}: P99 {p99:.1f} ms, theory {theory:.1f} ms")
    print(f"  PerConcurrency 10: P99 {shown.p99:.2f} ms, max {shown.max:.1f} ms, {closed_step.warnings}")
    report.figures["stall"] = {"p99_ms": p99, "theory_ms": theory, "closed": asdict(shown)}
    report.at_most("stall, share by which P99 is off", Spread.of([abs(p99 / theory - 1)]), 0.03, 0.15)
    hidden = float(bool(closed_step.warnings) and (shown.max or 0) > 900 * length)
    report.at_least("stall, in the maximum of PerConcurrency and flagged", Spread.of([hidden]), 1, 1)


PARTS: dict[str, Callable[[argparse.Namespace, Cores, Report], None]] = {
    "closed": closed,
    "open": open_loop,
    "stall": stall,
}

if __name__ == "__main__":
    sys.exit(main())
