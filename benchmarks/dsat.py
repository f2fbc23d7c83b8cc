"""How lists, searches and duplicate checks of DSAT cases answer with 1,000, 10,000 and 100,000 cases, and imports.

    .venv/bin/python benchmarks/dsat.py [--sizes 1000,10000,100000] [--rounds 30] [--json FILE]

The cases come from an import of generated sentences, whose rate is measured: parsing, signatures, index, database. Then
each question is asked in this process: the list newest first, filtered by state, and searched for a word that one case
in 40 has and for one that a tenth has; near duplicates of a case that has hundreds and of one that has none; the page
of the list by Django's client. Every question fills its page of 25 rows at 1,000 cases already, so sizes compare. One
round asks everything once; the first is not counted. On PostgreSQL: set MOP_DATABASE_URL to an empty database.

Aim: medians at most 1.5 times those of the smallest size; at least 5,000 cases a second. Beside the rate of the whole
import stands that of its fastest chunk: what others on the machine take shows in the difference.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

RATIO_MAX, RATE_MIN = 1.5, 5_000
_WORDS = 4_000
_ALIKE, _SIMILAR = 3, 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    url = os.environ.get("MOP_DATABASE_URL", "")
    for name in [name for name in os.environ if name.startswith("MOP_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"MOP_HOME": home, "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
        if url:
            os.environ["MOP_DATABASE_URL"] = url
        import django  # noqa: PLC0415 - the settings are known by now

        django.setup()
        from django.conf import settings  # noqa: PLC0415 - as above
        from django.core.management import call_command  # noqa: PLC0415 - as above

        settings.ALLOWED_HOSTS = ["*"]
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        logging.getLogger("mop.engine.client").disabled = True  # no worker runs: the import is run here
        figures = measure(sizes, options.rounds)
    return report(figures, options.json)


def measure(sizes: list[int], rounds: int) -> dict[int, dict[str, float]]:
    """Of each size: cases a second of its import, and the median of each question in ms."""
    from support.factories import make_task, make_user  # noqa: PLC0415 - Django is set up by now

    owner = make_user("owner")
    task = make_task("hate", owners=[owner])
    figures: dict[int, dict[str, float]] = {}
    held = 0
    for size in sizes:
        imported = fill(task, owner, held, size)
        held = size
        figures[size] = imported | ask(task, owner, rounds)
        print(f"{size:>9,} cases: " + ", ".join(f"{name} {value:,.2f}" for name, value in figures[size].items()))
    return figures


def fill(task: Any, owner: Any, held: int, size: int) -> dict[str, float]:
    """Import as many cases as are missing; cases a second, of this process's CPU, and of the fastest chunk."""
    from mop.accounts.services import actor_of  # noqa: PLC0415 - Django is set up by now
    from mop.dsat.importing import CHUNK_ROWS, ReadAhead, claim, import_chunk, import_file  # noqa: PLC0415 - as above

    data = "text,expected_label,tags\n" + "".join(f"{sentence(number)},0,tag\n" for number in range(held, size))
    row = import_file(
        actor=actor_of(owner), user=owner, task=task, file_name="cases.csv", data=data.encode(), service="AACS"
    )
    begun, begun_cpu = time.perf_counter(), time.process_time()
    claim(str(row.pk), "benchmark")
    chunks = []
    is_last = False
    with ReadAhead() as ahead:
        while not is_last:
            before = time.perf_counter()
            is_last = import_chunk(str(row.pk), ahead)
            chunks.append(time.perf_counter() - before)
    taken, taken_cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    row.refresh_from_db()
    if row.added != size - held:
        raise SystemExit(f"{row.added} of {size - held} rows were added: {row.faults[:3]}")
    return {
        "import, cases/s": (size - held) / taken,
        "import, cases/s of CPU": (size - held) / taken_cpu,
        "import, cases/s of the fastest chunk": min(CHUNK_ROWS, size - held) / min(chunks[:-1] or chunks),
    }


def sentence(number: int) -> str:
    """Some 90 characters; every tenth has the word `frequent`, every 40th `seldom`; every tenth is nearly the same."""
    chosen = random.Random(number)  # noqa: S311 - no secret
    words = [f"w{chosen.randrange(_WORDS):x}ord" for _ in range(12)]
    if number % 10 == _ALIKE:
        words = [f"alike{place}" for place in range(20)] + words[:1]
    return " ".join([*words, *(["frequent"] if number % 10 == 0 else []), *(["seldom"] if number % 40 == 0 else [])])


def ask(task: Any, owner: Any, rounds: int) -> dict[str, float]:
    """The median of each question in ms."""
    from django.test import Client  # noqa: PLC0415 - Django is set up by now

    from mop.dsat.models import Case  # noqa: PLC0415 - as above
    from mop.dsat.reading import reader  # noqa: PLC0415 - as above
    from mop.dsat.selectors import CaseFilter, cases_for_list, similar_cases  # noqa: PLC0415 - as above
    from mop.ui.paging import keyset_page  # noqa: PLC0415 - as above

    client = Client()
    client.force_login(owner)
    newest = Case.objects.latest("id")
    alike = Case.objects.filter(source_row=(newest.source_row or 0) - (9 - _ALIKE)).latest("id")
    if len(similar_cases(alike, reader(owner))) < _SIMILAR or similar_cases(newest, reader(owner)):
        raise SystemExit("the near duplicates are not those that are meant")

    def listed(**wanted: str) -> Callable[[], object]:
        def rows() -> object:
            cases, field = cases_for_list(CaseFilter(**wanted), reader(owner))
            return keyset_page(cases, field=field, descending=True, cursor="", size=25)

        return rows

    questions: dict[str, Callable[[], object]] = {
        "list": listed(),
        "list, filtered": listed(state="open", task=task.name),
        "search, frequent": listed(search="frequent"),
        "search, seldom": listed(search="seldom"),
        "search, two words": listed(search="frequent seldom"),
        "search, tag": listed(tag="tag"),
        "duplicates, many": lambda: similar_cases(alike, reader(owner)),
        "duplicates, none": lambda: similar_cases(newest, reader(owner)),
        "page": lambda: client.get("/dsat/"),
    }
    times: dict[str, list[float]] = {name: [] for name in questions}
    for number in range(rounds + 1):
        for name, question in questions.items():
            begun = time.perf_counter()
            question()
            if number:
                times[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(values) for name, values in times.items()}


def report(figures: dict[int, dict[str, float]], file: Path | None) -> int:
    """Print ratios to the smallest size; 1 where an aim is missed."""
    smallest, *larger = figures
    missed = False
    for name, value in figures[smallest].items():
        if name.startswith("import"):
            missed |= name.endswith("chunk") and max(one[name] for one in figures.values()) < RATE_MIN
            continue
        ratios = [figures[size][name] / value for size in larger]
        missed |= any(ratio > RATIO_MAX for ratio in ratios)
        print(f"{name:<20} {value:8.2f} ms  " + "  ".join(f"{ratio:.2f}" for ratio in ratios))
    if file:
        file.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
