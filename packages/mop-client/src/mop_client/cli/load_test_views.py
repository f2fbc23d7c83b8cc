"""A load test as texts: how a step stands, what it found, and the table of all. It is read in its JSON form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mop_client.cli.output import print_columns, printable

_HEAD = ("target", "rps", "average", "P50", "P90", "P95", "P99", "max", "total", "failed", "lag P99", "trusted")


def load(target: int, strategy: str) -> str:
    """`10 requests/s` or `10 clients`."""
    things = "request" if strategy == "PerRPS" else "client"
    return f"{target} {things}{'' if target == 1 else 's'}{'/s' if strategy == 'PerRPS' else ''}"


def progress_line(progress: Mapping[str, Any], strategy: str, duration: float) -> str:
    """`step 2/5: 10 clients, counting 12 of 300 s, 512.0 answers/s, P50 19.1 ms, P99 30.2 ms, 10 on their way`."""
    parts = [f"step {progress['step']}/{progress['steps']}: {load(progress['target'], strategy)}"]
    parts.append(f"{progress['phase']} {progress['elapsed_s']:.0f} of {duration:g} s")
    parts.append(f"{progress['rps']:.1f} answers/s")
    if progress["p50_ms"] is not None and progress["p99_ms"] is not None:
        parts.append(f"P50 {progress['p50_ms']:.1f} ms, P99 {progress['p99_ms']:.1f} ms")
    parts.append(f"{progress['in_flight']} on their way")
    if progress["failed"]:
        parts.append(f"{progress['failed']} failed")
    return ", ".join(parts)


def step_lines(step: Mapping[str, Any], strategy: str) -> list[str]:
    """What a step found, then its failures, retries, doubts and warnings."""
    requests, latency = step["requests"], step["latency_ms"]
    line = f"{load(step['target'], strategy)}: {step['rps']:.1f} answers/s"
    line += f", P50 {_ms(latency['p50'])} ms, P99 {_ms(latency['p99'])} ms"
    line += f", {_failed(requests)} of {requests['total']} failed"
    if step["ended"] != "complete":
        line += f" ({step['ended']} after {step['duration_s']:.1f} s)"
    kinds = ", ".join(f"{count} {kind}" for kind, count in step["failures"].items())
    found = [f"failed: {kinds}"] if kinds else []
    if step["retries"]:
        found.append(f"sent once more on a new connection: {step['retries']}")
    found += [f"not trusted: {text}" for text in step["untrusted_because"]]
    found += [f"warning: {text}" for text in step["warnings"]]
    return [printable(text) for text in (line, *(f"  {text}" for text in found))]


def print_steps(steps: Sequence[Mapping[str, Any]], ended: str, seed: int) -> None:
    """The table of all steps on stdout, latencies in milliseconds, and why there is no further one."""
    print_columns(_HEAD, [_row(step) for step in steps])
    print(printable(f"ended: {ended}, seed {seed}"))


def _row(step: Mapping[str, Any]) -> tuple[str, ...]:
    latency, requests = step["latency_ms"], step["requests"]
    return (
        str(step["target"]),
        f"{step['rps']:.1f}",
        *(_ms(latency[name]) for name in ("average", "p50", "p90", "p95", "p99", "max")),
        str(requests["total"]),
        str(_failed(requests)),
        _ms(step["lag_ms"]["p99"]),
        "yes" if step["trusted"] else "NO",
    )


def _failed(requests: Mapping[str, int]) -> int:
    return requests["total"] - requests["successful"]


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
