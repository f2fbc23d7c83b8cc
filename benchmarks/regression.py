"""A regression test of 10,000 text cases, against `inference_batch` of the same model in a loop.

    .venv/bin/python benchmarks/regression.py [--cases 10000] [--characters 1000] [--rounds 8] [--seconds 1]
        [--cache FOLDER]

The scikit-learn text model and texts of 1,000 characters or others, the same texts and the same batch size. Both take
turns in one run: a round is the loop, a test, and the loop again, and its ratio is to the mean of both loops. The
regression test is what a worker does once the service answers: it reads the cases from the database, asks the service,
holds every answer to the contract, keeps the outcomes part by part and lets the result stand. Neither is caged: the
cage costs both the same (benchmarks/sandbox.py). On PostgreSQL: set MOP_DATABASE_URL to an empty database.

Three ratios are printed, from the narrowest to the widest: of the cases between the first question and the last answer
alone; with all that the worker does before and after, which is the one that the aim is about; and with the start of the
service, which the model's own throughput does not have.

What a case costs each process is printed beside. Where the model has a core for itself, the ratio is that of its CPU in
the loop to its CPU in the test, as long as worker and service together take less than the model. What the other core's
work takes from the model is measured as well: the loop beside a process that burns as much CPU a second as worker and
service would at the loop's pace, reading and writing JSON. No test can be faster than that on this machine.

Aim: at least 0.9 of the loop's cases a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from service_models import BATCH, BareModel, Environments, ModelFolder, make_models, make_texts, our_environment
from service_report import Spread

from mop.serving.http_client import KeptConnection, Response

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

RATIO_MIN = 0.9
PROCESSES = ("worker", "service", "model")
TAXONOMY = "Hate"
MODEL = "scikit-learn"
_OUTPUT = "return output\n"
_MOP_OUTPUT = f"""
        label = str(output["label"])
        scores = {{"0": 1 - output["score"], "1": output["score"]}}
        labels = {{one: int(one == label) for one in scores}}
        return {{"predicted_labels": {{"{TAXONOMY}": labels}}, "confidence_scores": {{"{TAXONOMY}": scores}}}}
"""
BURN = """
import json, sys, time
share, texts = float(sys.argv[1]), [{"text": "word " * 200, "place": place} for place in range(512)]
began = time.perf_counter()
while True:
    for begin in range(0, len(texts), 32):
        json.loads(json.dumps(texts[begin:begin + 32]))
        idle = time.process_time() / share - (time.perf_counter() - began)
        if idle > 0:
            time.sleep(idle)
"""
"""A process that takes a share of a core, a millisecond here and there."""


@dataclass(frozen=True)
class Tested:
    """One regression test.

    Attributes:
        start_s: from the order of a service until it answers.
        before_s: until the first case is asked.
        asking_s: from there to the last answer.
        after_s: until the result stands.
        costs: seconds of CPU a case, of each process.
        model_waited_s: seconds for which the model's process could have gone on, if there had been a core for it.
    """

    cases: int
    start_s: float
    before_s: float
    asking_s: float
    after_s: float
    costs: list[float]
    model_waited_s: float

    @property
    def idle_s(self) -> float:
        """Seconds for which the model's process had nothing to do, of those from the first question on."""
        return max(0.0, self.asking_s - self.costs[-1] * self.cases - self.model_waited_s)

    @property
    def seconds(self) -> float:
        """What the worker does once the service answers."""
        return self.before_s + self.asking_s + self.after_s

    @property
    def rate(self) -> float:
        """Cases a second of that."""
        return self.cases / self.seconds


@dataclass(frozen=True)
class Round:
    """One test, and what the model did by itself just before and after it.

    Attributes:
        loop: cases a second of the model alone.
        beside: beside a process that is as busy as worker and service would be.
        cost: seconds of the model's CPU a case, alone.
    """

    test: Tested
    loop: float
    beside: float
    cost: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--characters", type=int, default=1000, help="of each text: what a case costs the model")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1, help="of each loop")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mop-benchmark-environments")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        set_up(Path(home))
        python = our_environment(options.cache)
        folder = make_models(Path(home), Environments(python, python))[MODEL]
        texts = make_texts(options.cases, options.characters)
        bodies = Path(home) / "cases"
        bodies.write_text("\n".join(json.dumps({"text": text}) for text in texts))
        folder = replace(folder, bodies=bodies)
        script = folder.src / "inference.py"
        script.write_text(script.read_text().replace(_OUTPUT, _MOP_OUTPUT))
        revision = make_cases(texts)
        print(f"{options.cases:,} cases; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        bare = BareModel(python, folder)
        try:
            rounds = [one_round(bare, python, folder, revision, options.seconds) for _ in range(options.rounds)]
        finally:
            bare.close()
    ratio = show(rounds)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in rounds], indent=1))
    return 0 if ratio >= RATIO_MIN else 1


def one_round(bare: BareModel, python: Path, folder: ModelFolder, revision: Any, seconds: float) -> Round:
    """The loop, a test, the loop, and the loop beside a busy process."""
    first = in_a_loop(bare, seconds)
    found = asyncio.run(tested(python, folder, revision))
    second = in_a_loop(bare, seconds)
    loop, cost = ((first[place] + second[place]) / 2 for place in (0, 1))
    busy = sum(found.costs[:2]) * loop
    beside, _ = in_a_loop(bare, seconds, busy=busy)
    costs = ", ".join(f"{name} {1000 * cost:.3f}" for name, cost in zip(PROCESSES, found.costs, strict=True))
    print(
        f"test {found.rate:,.0f} cases/s, loop {loop:,.0f}, beside a process of {busy:.2f} cores {beside:,.0f}\n"
        f"  seconds: start of the service {found.start_s:.2f}, before the first case {found.before_s:.3f}, "
        f"cases {found.asking_s:.3f}, after the last {found.after_s:.3f}\n"
        f"  CPU in ms a case: {costs}; model in the loop {1000 * cost:.3f}; the model's process waited "
        f"{found.model_waited_s:.3f} s for a core, {found.idle_s:.3f} s for cases",
        flush=True,
    )
    return Round(found, loop, beside, cost)


def show(rounds: list[Round]) -> float:
    """Print median (least..greatest) of all rounds; gives the ratio that the aim is about."""
    ratio = Spread.of([one.test.rate / one.loop for one in rounds])
    asking = Spread.of([one.test.cases / one.test.asking_s / one.loop for one in rounds])
    with_start = Spread.of([one.test.cases / (one.test.start_s + one.test.seconds) / one.loop for one in rounds])
    model = Spread.of([one.cost / one.test.costs[-1] for one in rounds])
    beside = Spread.of([one.beside / one.loop for one in rounds])
    print(
        f"regression test {Spread.of([one.test.rate for one in rounds])} cases/s, "
        f"loop {Spread.of([one.loop for one in rounds])} cases/s\n"
        f"ratio: {ratio}; from the first question to the last answer {asking}; "
        f"with the start of the service {with_start}\n"
        f"model's CPU in the loop, of that in the test: {model}\n"
        f"the loop beside a process as busy as worker and service, of the loop alone: {beside}"
    )
    return ratio.median


def set_up(home: Path) -> None:
    """MOP with a database of its own."""
    url = os.environ.get("MOP_DATABASE_URL", "")
    for name in [name for name in os.environ if name.startswith("MOP_")]:
        del os.environ[name]
    roots = home / "models"
    roots.mkdir()
    os.environ |= {
        "MOP_HOME": str(home / "mop"),
        "MOP_FILE_ROOTS": str(roots),
        "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
    }
    if url:
        os.environ["MOP_DATABASE_URL"] = url
    import django  # noqa: PLC0415 - the settings are known by now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - as above

    from mop.cycle_collector import paused_collector  # noqa: PLC0415 - as above
    from mop.worker.host import know_addresses  # noqa: PLC0415 - as above

    with paused_collector():  # as a worker does
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        know_addresses()
    logging.getLogger("mop.engine.client").disabled = True  # no worker runs: its work is done here


def make_cases(texts: list[str]) -> Any:
    """A verified version, and these cases of its task."""
    from mop.accounts.services import actor_of  # noqa: PLC0415 - Django is set up by now
    from mop.dsat.importing import import_file  # noqa: PLC0415 - as above
    from support.dsat_imports import import_now  # noqa: PLC0415 - as above
    from support.evaluation_results import verified  # noqa: PLC0415 - as above
    from support.factories import make_model, make_task, make_user  # noqa: PLC0415 - as above

    owner = make_user("owner")
    task = make_task("hate", owners=[owner], taxonomy=TAXONOMY)
    revision = verified(make_model("measured", owner=owner, tasks=(task,)).revisions.get())
    data = "text,expected_label\n" + "".join(f"{text},0\n" for text in texts)
    row = import_file(actor=actor_of(owner), user=owner, task=task, file_name="cases.csv", data=data.encode())
    import_now(row.pk)
    return revision


async def tested(python: Path, folder: ModelFolder, revision: Any) -> Tested:
    """One regression test; its steps are those of the workflow."""
    from service_stacks import our_service  # noqa: PLC0415 - Django is set up by now

    from mop.engine.database import in_database  # noqa: PLC0415 - as above
    from mop.evaluation.case_runs import keeping, running  # noqa: PLC0415 - as above
    from mop.regression.advance import REGRESSION  # noqa: PLC0415 - as above
    from mop.regression.models import RegressionRun  # noqa: PLC0415 - as above
    from mop.regression.services import run_again  # noqa: PLC0415 - as above
    from support.factories import ACTOR  # noqa: PLC0415 - as above

    def queued() -> RegressionRun:
        RegressionRun.objects.all().delete()  # a first test: one that is done again deletes what came out before
        return run_again(actor=ACTOR, revision=revision)

    run = await in_database(queued)()
    job = await in_database(keeping.read_job)(REGRESSION, str(run.pk), run.attempt, "benchmark")
    await in_database(keeping.begin)(REGRESSION, job)
    known = keeping.Known()
    asker = running._Asker(REGRESSION, job, known)  # noqa: SLF001 - what it does once a service answers is measured
    assert await asker.left()
    before = time.perf_counter()
    async with our_service(python, folder, unix=True) as hosted:
        before_times, began = times_of(hosted), time.perf_counter()
        with WatchedRequests() as watched:
            await asker.ask(hosted.service)
        assert await in_database(keeping.finish)(REGRESSION, job, known)
        ended = time.perf_counter()
        pairs = list(zip(times_of(hosted), before_times, strict=True))
    await in_database(run.refresh_from_db)()
    if not run.cases or run.no_answer:
        raise SystemExit(f"{run.no_answer} of {run.cases} cases have no answer")
    return Tested(
        cases=run.cases,
        start_s=began - before,
        before_s=watched.first - began,
        asking_s=watched.last - watched.first,
        after_s=ended - watched.last,
        costs=[(now[0] - then[0]) / run.cases for now, then in pairs],
        model_waited_s=pairs[-1][0][1] - pairs[-1][1][1],
    )


class WatchedRequests:
    """When the first list of cases was sent and the last answered, in seconds of time.perf_counter(), while entered."""

    def __init__(self) -> None:
        self.first = self.last = 0.0

    def __enter__(self) -> Self:
        ask = self._ask = KeptConnection.request

        async def watched(connection: KeptConnection, *request: Any, **rest: Any) -> Response:
            self.first = self.first or time.perf_counter()
            answer = await ask(connection, *request, **rest)
            self.last = time.perf_counter()
            return answer

        KeptConnection.request = watched  # type: ignore[method-assign]
        return self

    def __exit__(self, *_reason: object) -> None:
        KeptConnection.request = self._ask  # type: ignore[method-assign]


def times_of(hosted: Any) -> list[tuple[float, float]]:
    """Seconds so far that each process had a core, and that it waited for one: this one, the front, the model's."""
    pids = [os.getpid(), *hosted.front_pids()[:1], *hosted.model_pids()[:1]]
    return [times_of_process(pid) for pid in pids]


def times_of_process(pid: int) -> tuple[float, float]:
    """Those of one process."""
    had, waited = zip(*map(_times, Path(f"/proc/{pid}/task").iterdir()), strict=True)
    return sum(had), sum(waited)


def _times(task: Path) -> tuple[float, float]:
    had, waited, _ = (task / "schedstat").read_text().split()
    return int(had) / 1e9, int(waited) / 1e9


def in_a_loop(bare: BareModel, seconds: float, *, busy: float = 0) -> tuple[float, float]:
    """Cases a second of the model, beside a process that takes this share of a core; seconds of its CPU a case."""
    burning = subprocess.Popen([sys.executable, "-c", BURN, str(busy)]) if busy else None
    try:
        before, began = times_of_process(bare.pid)[0], time.perf_counter()
        rate = bare.items_per_second(seconds, batch=BATCH)
        cases = rate * (time.perf_counter() - began)
        return rate, (times_of_process(bare.pid)[0] - before) / cases
    finally:
        if burning is not None:
            burning.kill()
            burning.wait()


if __name__ == "__main__":
    sys.exit(main())
