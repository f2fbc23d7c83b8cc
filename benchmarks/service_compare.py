"""The same model in all stacks: each measured once in a round, in turning order; who is best, and the aims."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field

from service_models import BATCH, BareModel, stream_rate
from service_report import Bench, Spread
from service_rivals import RIVALS, RivalStack
from service_stacks import OriginalStack, Stack, our_service

NEAR_ZERO, SKLEARN, STREAM = COMPARED = ("near-zero", "scikit-learn", "one stream")
OURS, ORIGINAL, ORIGINAL_BATCHING = "ours", "original", "original, batching"
ORIGINALS = (ORIGINAL, ORIGINAL_BATCHING)
TIMES_ORIGINAL = {(NEAR_ZERO, 1): 2.5, (NEAR_ZERO, 8): 6, (NEAR_ZERO, 32): 10, (SKLEARN, 32): 8}
SHARE_OF_OWN = {(SKLEARN, 32): 0.6, (STREAM, 8): 0.95, (STREAM, 32): 0.97}


@dataclass
class Cell:
    """One model with one number of clients.

    Attributes:
        limits: items a second of the bare model in full batches, by round.
        windows: the same in batches of as many items as there are clients, where those are fewer.
        runs: what closed_loop.py answered, by stack and round.
    """

    model: str
    clients: int
    limits: list[float] = field(default_factory=list)
    windows: list[float] = field(default_factory=list)
    runs: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    @property
    def asked_by(self) -> str:
        """For people."""
        return "1 client" if self.clients == 1 else f"{self.clients} clients"

    @property
    def window(self) -> int:
        """Items that a batch can have: each client waits for its answer."""
        return min(self.clients, BATCH)

    def spread(self, label: str, value: Callable[[dict[str, float]], float]) -> Spread:
        """Of a figure of one stack."""
        return Spread.of([value(run) for run in self.runs[label]])

    def shares(self, label: str, limits: list[float]) -> Spread:
        """A stack's requests a second over the bare model's items a second, within each round."""
        return Spread.of([run["rps"] / limit for run, limit in zip(self.runs[label], limits, strict=True)])

    def faster(self, label: str) -> Spread:
        """Our requests a second over a stack's, within each round."""
        return Spread.of([mine["rps"] / other["rps"] for mine, other in self._pairs(label)])

    def shorter(self, label: str) -> Spread:
        """A stack's 99th percentile over ours, within each round."""
        return Spread.of([other["p99"] / mine["p99"] for mine, other in self._pairs(label)])

    def _pairs(self, label: str) -> list[tuple[dict[str, float], dict[str, float]]]:
        return list(zip(self.runs[OURS], self.runs[label], strict=True))


async def compare(bench: Bench, name: str) -> None:
    """One model in all stacks with each number of clients."""
    folder = bench.models[name]
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(our_service(bench.environments.ours, folder, unix=bench.unix))
        stacks: dict[str, Stack] = {OURS: ours}
        for label, batching in ((ORIGINAL, False), (ORIGINAL_BATCHING, True)):
            place = bench.root / f"{label} {name}".replace(" ", "-").replace(",", "")
            original = OriginalStack(bench.environments.original, folder, batching=batching, place=place)
            stack.callback(original.close)
            original.pause()
            stacks[label] = original
        bare = BareModel(bench.environments.ours, folder)
        stack.callback(bare.close)
        stacks |= _start_rivals(bench, name, bare, stack)
        for count in bench.counts:
            cell = await _measure(bench, Cell(name, count), stacks, bare)
            _report(bench, cell)


def _start_rivals(bench: Bench, name: str, bare: BareModel, stack: AsyncExitStack) -> dict[str, Stack]:
    """Those that are asked for and installed; one that does not start is named, and among the absent from then on."""
    started: dict[str, Stack] = {}
    pythons = bench.rivals or {}
    for rival in RIVALS:
        if rival.name not in pythons:
            continue
        place = bench.root / f"{rival.name} {name}".replace(" ", "-")
        try:
            running = RivalStack(rival, pythons[rival.name], bench.models[name], place)
        except RuntimeError as error:
            print(f"absent: {rival.name}: {error}")
            bench.report.absent[rival.name] = str(error)
            continue
        stack.callback(running.close)
        running.pause()
        assert _same(running.first, bare.first), f"{rival.name} answers {running.first}, not {bare.first}"
        started[rival.name] = running
    return started


def _same(found: dict[str, float], wanted: dict[str, float]) -> bool:
    return found["label"] == wanted["label"] and abs(found["score"] - wanted["score"]) < 1e-9


async def _measure(bench: Bench, cell: Cell, stacks: dict[str, Stack], bare: BareModel) -> Cell:
    labels = list(stacks)
    cell.runs = {label: [] for label in labels}
    for turn in range(bench.rounds):
        cell.limits.append(bare.items_per_second(bench.seconds / 2))
        if cell.window < BATCH:
            cell.windows.append(bare.items_per_second(bench.seconds / 2, batch=cell.window))
        for label in labels[turn % len(labels) :] + labels[: turn % len(labels)]:
            running = stacks[label]
            running.resume()
            try:
                cell.runs[label].append(await bench.clients.run_on(running, cell.clients, bench.seconds))
            finally:
                running.pause()
    known = (cell.runs[label] for label in (OURS, *ORIGINALS))  # what others refuse is told in their line
    bench.report.errors += int(sum(run["errors"] for rounds in known for run in rounds))
    return cell


def _report(bench: Bench, cell: Cell) -> None:
    print(f" {cell.asked_by}; the model's own batch throughput {statistics.median(cell.limits):.0f} items/s")
    if cell.windows and cell.model != NEAR_ZERO:
        theory = f" (by its definition {stream_rate(cell.window):.0f})" if cell.model == STREAM else ""
        print(f"   in batches of {cell.window} it does {statistics.median(cell.windows):.0f} items/s{theory}")
    found: dict[str, object] = {"model": cell.model, "clients": cell.clients}
    found |= {"limit": asdict(Spread.of(cell.limits)), "share": asdict(cell.shares(OURS, cell.limits))}
    found["window_limit"] = asdict(Spread.of(cell.windows or cell.limits))
    found["stacks"] = {label: _report_stack(cell, label) for label in cell.runs}
    ratios = {}
    for label in cell.runs:
        if label != OURS:
            faster, shorter = cell.faster(label), cell.shorter(label)
            print(f"   ours / {label:18}  {faster} times the requests/s, p99 {shorter} times shorter")
            ratios[label] = {"rps": asdict(faster), "p99": asdict(shorter)}
    found["ratios"] = ratios
    found["best"] = _report_best(cell)
    bench.report.cells.append(found)
    _note_aims(bench, cell)


def _report_stack(cell: Cell, label: str) -> dict[str, object]:
    rps = cell.spread(label, lambda run: run["rps"])
    p99 = cell.spread(label, lambda run: 1000 * run["p99"])
    share = cell.shares(label, cell.limits)
    failed = int(sum(run["errors"] for run in cell.runs[label]))
    tail = f"   {failed} FAILED" if failed else ""
    print(f"   {label:20} {rps!s:26} requests/s   p99 {p99!s:24} ms   share {share}{tail}")
    return {"rps": asdict(rps), "p99_ms": asdict(p99), "share": asdict(share), "errors": failed}


def _report_best(cell: Cell) -> dict[str, str]:
    """The stack with most requests a second, and the one with the shortest 99th percentile, against the next."""
    best = {}
    texts = []
    for figure, unit, sign in (("rps", "requests/s", -1), ("p99", "p99", 1)):
        medians = {label: statistics.median(run[figure] for run in rounds) for label, rounds in cell.runs.items()}
        (_, first), (_, second), *_ = sorted((sign * median, label) for label, median in medians.items())
        ratio = (medians[first] / medians[second]) ** -sign
        texts.append(f"{first} in {unit}, {ratio:.2f} times {second}")
        best[figure] = first
    print(f"   best: {'; '.join(texts)}")
    return best


def _note_aims(bench: Bench, cell: Cell) -> None:
    where, key = f"{cell.model}, {cell.asked_by}", (cell.model, cell.clients)
    if times := TIMES_ORIGINAL.get(key):
        for label in ORIGINALS:
            faster = cell.faster(label)
            bench.report.aim(
                f"{where}, requests/s of {label}", f"{times:g}", str(faster), reached=faster.median >= times
            )
    if wanted := SHARE_OF_OWN.get(key):
        share = cell.shares(OURS, cell.windows or cell.limits)
        text = f"{where}, share of the model's own in batches of {cell.window}"
        bench.report.aim(text, f"{wanted:g}", str(share), reached=share.median >= wanted)
    if bench.rivals is not None:
        others = {label: cell.faster(label) for label in cell.runs if label != OURS}
        closest = min(others, key=lambda label: others[label].median)
        missing = "".join(f", without {name}" for name in bench.report.absent)
        bench.report.aim(
            f"{where}, requests/s of the best other, {closest}{missing}",
            "1",
            str(others[closest]),
            reached=others[closest].median >= 1,
        )
