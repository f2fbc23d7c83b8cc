"""What an installation costs when nobody uses it, and how soon enqueued work starts.

    .venv/bin/python benchmarks/idle.py [--database sqlite postgresql] [--seconds 60] [--enqueues 10000] [--json FILE]

Portal and worker of a real installation run; on PostgreSQL the worker has a queue for every instance type. After the
first 70 seconds, in which the engine looks for its schedules once a second and periodic work is done as after a change,
their CPU time is read over `--seconds`, and their memory. Then pipelines of revisions that do not exist, which the
worker ends at once, are enqueued at random moments, `--rate` a second: from just before the enqueue to the begin of the
first step.

Aims: 0.01 of a core for portal and worker, 100 ms to the start in 95 of 100, none lost, 250 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sqlalchemy

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.installation import Installation, running_installation  # noqa: E402
from support.postgres import running_postgres  # noqa: E402

SETTLE_SECONDS = 70.0
PATIENCE_SECONDS = 150.0  # longer than the engine's safety net needs: what starts then was lost
CORES, START_MS, MEMORY_MB = 0.01, 100.0, 250.0
# in a process of its own: the settings of an installation are read when they are imported
ENQUEUE = """
import os, random, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "mop.conf.settings"
import django
django.setup()
from mop.engine.client import enqueue
from mop.registry.names import PIPELINE_QUEUE
from mop.registry.names import PIPELINE_WORKFLOW
rate, count, prefix = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
for number in range(count):
    name = f"{prefix}-{number:06d}-0000-0000-000000000000"
    time.sleep(random.expovariate(rate))
    began = time.time()
    enqueue(workflow=PIPELINE_WORKFLOW, queue=PIPELINE_QUEUE, workflow_id=name, args=(name, 1))
    print(name, began)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=SETTLE_SECONDS)
    parser.add_argument("--enqueues", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=50.0, help="of the enqueues, a second")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = {name: measure(name, options) for name in options.database}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    missed = [name for name, figures in found.items() if not reached(figures)]
    return 1 if missed else 0


def measure(database: str, options: argparse.Namespace) -> dict[str, float]:
    with _installation(database) as mop:
        # as people start them: a fork of a process that has imported everything would count what it does not use
        mop.start_portal(executed=True)
        mop.start_worker(executed=True)
        time.sleep(options.settle)
        before, began = _cpu_seconds(mop), time.monotonic()
        time.sleep(options.seconds)
        figures = {
            "cores": (_cpu_seconds(mop) - before) / (time.monotonic() - began),
            "resident MB": sum(_resident_mb(process.pid) for process in mop.processes()),
            # what several of them share counted once
            "proportional MB": sum(_proportional_mb(process.pid) for process in mop.processes()),
        }
        waits = _enqueue_and_wait(mop, options.enqueues, options.rate)
        figures |= {
            "enqueued": options.enqueues,
            "lost": options.enqueues - len(waits),
            "start P50 ms": float(np.percentile(waits, 50)),
            "start P95 ms": float(np.percentile(waits, 95)),
            "start max ms": float(np.max(waits)),
        }
    print(f"{database:<11}" + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    return figures


def reached(figures: dict[str, float]) -> bool:
    """Whether all aims are reached."""
    return (
        figures["cores"] <= CORES
        and figures["resident MB"] <= MEMORY_MB
        and figures["start P95 ms"] <= START_MS
        and not figures["lost"]
    )


@contextlib.contextmanager
def _installation(database: str) -> Iterator[Installation]:
    with contextlib.ExitStack() as stack:
        options = {}
        if database == "postgresql":
            server = stack.enter_context(running_postgres())
            options = {"database_url": server.url()}
        yield stack.enter_context(running_installation(portal=False, **options))


def engine_database(mop: Installation) -> tuple[str, str]:
    """The url of the engine's database, and what stands in front of its tables."""
    url = str(mop.environment().get("MOP_DATABASE_URL", ""))
    if url:
        return url.replace("postgresql://", "postgresql+psycopg://", 1), "dbos."
    return f"sqlite:///{mop.root}/home/engine.db", ""


def _cpu_seconds(mop: Installation) -> float:
    ticks = 0
    for process in mop.processes():
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _proportional_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))


def _enqueue_and_wait(mop: Installation, count: int, rate: float) -> list[float]:
    """Milliseconds from enqueue to start of every piece of work that started."""
    prefix = uuid.uuid4().hex[:8]
    argv = [sys.executable, "-c", ENQUEUE, str(rate), str(count), prefix]
    told = subprocess.run(argv, env=mop.environment(), text=True, check=True, stdout=subprocess.PIPE).stdout
    enqueued = {name: float(at) * 1e3 for name, at in (line.split() for line in told.splitlines())}
    url, schema = engine_database(mop)
    query = sqlalchemy.text(
        f"select workflow_uuid, min(started_at_epoch_ms) from {schema}operation_outputs "  # noqa: S608 - a constant
        "where workflow_uuid like :prefix group by workflow_uuid"
    )
    database = sqlalchemy.create_engine(url)
    waits: list[float] = []
    end = time.monotonic() + PATIENCE_SECONDS
    while len(waits) < count and time.monotonic() < end:
        time.sleep(0.5)
        with database.connect() as connection:
            rows = connection.execute(query, {"prefix": f"{prefix}-%"}).all()
        waits = [float(started) - enqueued[name] for name, started in rows]
    database.dispose()
    return waits


if __name__ == "__main__":
    raise SystemExit(main())
