"""A regression test of 10,000 text cases, against `inference_batch` of the same model in a loop.

    .venv/bin/python benchmarks/regression.py [--cases 10000] [--rounds 3] [--seconds 5] [--cache FOLDER]

The scikit-learn text model and texts of 1,000 characters, the same batch size; both take turns in one run, and the
ratio is of their best rounds. A round of the regression test is what a worker does once the service answers: it reads
the cases from the database, asks the service, holds every answer to the contract, keeps the outcomes part by part and
lets the result stand. Neither is caged: the cage costs both the same (benchmarks/sandbox.py). On PostgreSQL: set
MOP_DATABASE_URL to an empty database.

What a case costs each process is printed beside. Where the model has a core for itself, the ratio is that of its CPU in
the loop to its CPU in the test, as long as worker and service together take less than the model. A machine whose cores
others keep busy gives one process more than a third of three.

Aim: at least 0.9 of the loop's cases a second.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from service_models import BATCH, BareModel, Environments, ModelFolder, make_models, make_texts, our_environment

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mop-benchmark-environments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        set_up(Path(home))
        python = our_environment(options.cache)
        folder = make_models(Path(home), Environments(python, python))[MODEL]
        script = folder.src / "inference.py"
        script.write_text(script.read_text().replace(_OUTPUT, _MOP_OUTPUT))
        revision = make_cases(options.cases)
        print(f"{options.cases:,} cases; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        ours = loop = 0.0
        for number in range(options.rounds):
            rate = asyncio.run(tested(python, folder, revision))
            looped = in_a_loop(python, folder, options.seconds)
            print(f"round {number + 1}: test {rate:,.0f} cases/s, loop {looped:,.0f} cases/s", flush=True)
            ours, loop = max(ours, rate), max(loop, looped)
    print(f"regression test {ours:,.0f} cases/s, loop {loop:,.0f} cases/s, ratio {ours / loop:.2f}")
    return 0 if ours / loop >= RATIO_MIN else 1


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

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    logging.getLogger("mop.engine.client").disabled = True  # no worker runs: its work is done here


def make_cases(count: int) -> Any:
    """A verified version, and so many cases of its task."""
    from mop.accounts.services import actor_of  # noqa: PLC0415 - Django is set up by now
    from mop.dsat.importing import import_file  # noqa: PLC0415 - as above
    from support.dsat_imports import import_now  # noqa: PLC0415 - as above
    from support.evaluation_results import verified  # noqa: PLC0415 - as above
    from support.factories import make_model, make_task, make_user  # noqa: PLC0415 - as above

    owner = make_user("owner")
    task = make_task("hate", owners=[owner], taxonomy=TAXONOMY)
    revision = verified(make_model("measured", owner=owner, tasks=(task,)).revisions.get())
    texts = make_texts(count)
    data = "text,expected_label\n" + "".join(f"{text},0\n" for text in texts)
    row = import_file(actor=actor_of(owner), user=owner, task=task, file_name="cases.csv", data=data.encode())
    import_now(row.pk)
    return revision


async def tested(python: Path, folder: ModelFolder, revision: Any) -> float:
    """Cases a second from when the service answers until the result stands."""
    from service_stacks import our_service  # noqa: PLC0415 - Django is set up by now

    from mop.engine.database import in_database  # noqa: PLC0415 - as above
    from mop.evaluation.case_runs import keeping, running  # noqa: PLC0415 - as above
    from mop.regression.advance import REGRESSION  # noqa: PLC0415 - as above
    from mop.regression.models import RegressionRun  # noqa: PLC0415 - as above
    from mop.regression.services import run_again  # noqa: PLC0415 - as above
    from support.factories import ACTOR  # noqa: PLC0415 - as above

    def queued() -> RegressionRun:
        return run_again(actor=ACTOR, revision=revision)

    run = await in_database(queued)()
    job = await in_database(keeping.read_job)(REGRESSION, str(run.pk), run.attempt, "benchmark")
    await in_database(keeping.begin)(REGRESSION, job)
    before = time.perf_counter()
    async with our_service(python, folder, unix=True) as hosted:
        before_cpu, began = cpu_of(hosted), time.perf_counter()
        await running._ask(REGRESSION, job, hosted.service)  # noqa: SLF001 - the part between start and end of a service
        assert await in_database(keeping.finish)(REGRESSION, job)
        ended = time.perf_counter()
        spent = [now - then for now, then in zip(cpu_of(hosted), before_cpu, strict=True)]
    await in_database(run.refresh_from_db)()
    if not run.cases or run.no_answer:
        raise SystemExit(f"{run.no_answer} of {run.cases} cases have no answer")
    costs = ", ".join(f"{name} {1000 * cpu / run.cases:.2f}" for name, cpu in zip(PROCESSES, spent, strict=True))
    print(f"CPU in ms a case: {costs}; start of the service {began - before:.1f} s")
    return float(run.cases / (ended - began))


def cpu_of(hosted: Any) -> list[float]:
    """Seconds of CPU so far: of this process, of the service's front, of the model's process."""
    pids = [os.getpid(), *hosted.front_pids()[:1], *hosted.model_pids()[:1]]
    ticks = os.sysconf("SC_CLK_TCK")
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return [(int(fields[11]) + int(fields[12])) / ticks for fields in stats]


def in_a_loop(python: Path, folder: ModelFolder, seconds: float) -> float:
    """Cases a second of the model by itself."""
    bare = BareModel(python, folder)
    try:
        return bare.items_per_second(seconds, batch=BATCH)
    finally:
        bare.close()


if __name__ == "__main__":
    sys.exit(main())
