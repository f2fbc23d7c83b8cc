"""How the pages of results answer for a model with 50 versions and 20 datasets, against one with 1 version and 1.

    .venv/bin/python benchmarks/evaluation_pages.py [--versions 50] [--datasets 20] [--rounds 30] [--json FILE]

Both models are in one SQLite database. Requests are answered in this process, by Django's client: database and page, no
network. One round asks everything once, so that a machine's load evens out; the first round is not counted. The results
are computed by the code of the runs for a few evaluations, and copied for the others.

Aim: medians of the large model at most 1.5 times those of the small one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

RATIO_MAX = 1.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=50)
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("MOP_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as home:
        folders = Path(home) / "folders"
        folders.mkdir()
        os.environ |= {
            "MOP_HOME": home,
            "MOP_FILE_ROOTS": str(folders),
            "MOP_SOURCE_PREFIXES": json.dumps(
                [{"team": "*", "purpose": purpose, "prefix": "*"} for purpose in ("models", "datasets")]
            ),
            "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
        }
        import django  # noqa: PLC0415 - the settings are known by now

        django.setup()
        from django.conf import settings  # noqa: PLC0415 - as above

        settings.ALLOWED_HOSTS = ["*"]
        figures = measure(options.versions, options.datasets, options.rounds)
    for page, one in figures.items():
        print(
            f"{page:<24} small {one['small_ms']:7.1f} ms  large {one['large_ms']:7.1f} ms  ratio {one['ratio']:.2f}"
            f"  queries {one['small_queries']} and {one['large_queries']}"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 1 if any(one["ratio"] > RATIO_MAX for one in figures.values()) else 0


def measure(versions: int, datasets: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Medians of each page for both models, and their queries."""
    from django.db import connection  # noqa: PLC0415 - Django is set up by now
    from django.test import Client  # noqa: PLC0415 - as above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - as above

    from mop.accounts.models import User  # noqa: PLC0415 - as above

    tasks = fill(versions, datasets)
    client = Client()
    client.force_login(User.objects.get(username="olivia"))
    times: dict[tuple[str, str], list[float]] = {}
    queries: dict[tuple[str, str], int] = {}
    for number in range(rounds + 1):
        for page, url in PAGES.items():
            for size in ("small", "large"):
                begun = time.perf_counter()
                with CaptureQueriesContext(connection) as captured:
                    answer = client.get(url.format(size=size, task=tasks[size]))
                taken = 1000 * (time.perf_counter() - begun)
                if answer.status_code != 200:
                    raise SystemExit(f"{page} of the {size} model answered {answer.status_code}")
                queries[page, size] = len(captured)
                if number:
                    times.setdefault((page, size), []).append(taken)
    return {
        page: {
            "small_ms": (small := statistics.median(times[page, "small"])),
            "large_ms": (large := statistics.median(times[page, "large"])),
            "ratio": large / small,
            "small_queries": queries[page, "small"],
            "large_queries": queries[page, "large"],
        }
        for page in PAGES
    }


PAGES = {
    "Evaluation by datasets": "/models/{size}/evaluation/",
    "sorted by recall": "/models/{size}/evaluation/?sort=-recall&average=weighted",
    "details": "/models/{size}/versions/v0/evaluations/{task}/{size}-0/",
    "dataset's results": "/datasets/{size}-0/results/",
    "API, one version": "/api/v1/models/{size}/revisions/v0/evaluations/{size}%20task/{size}-0",
}


def fill(versions: int, datasets: int) -> dict[str, int]:
    """A model with one version and dataset, and one with many, all of them public; gives the ids of their tasks."""
    from mop.worker.setup import prepare_databases  # noqa: PLC0415 - Django is set up by now

    prepare_databases()
    from support.factories import make_user  # noqa: PLC0415 - as above

    owner = make_user("olivia")
    return {"small": _model(owner, "small", 1, 1), "large": _model(owner, "large", versions, datasets)}


def _model(owner: Any, size: str, versions: int, datasets: int) -> int:
    from mop.evaluation.models import Evaluation, EvaluationResult  # noqa: PLC0415 - Django is set up by now
    from mop.registry.models import Revision  # noqa: PLC0415 - as above
    from mop.registry.statuses import PublishStatus  # noqa: PLC0415 - as above
    from support.evaluation_results import approved_dataset, evaluate, verified  # noqa: PLC0415 - as above
    from support.factories import make_model, make_task, put  # noqa: PLC0415 - as above

    task = make_task(f"{size} task", labels=["none", "threat", "graphic", "praise"])
    for number in range(datasets):
        approved_dataset(task, name=f"{size}-{number}", owner=owner)
    model = make_model(size, owner=owner, tasks=(task,), version="v0")
    first = verified(model.revisions.get())
    results = {row.dataset_id: row for row in evaluate(first, keeps=False)}
    copies = [
        Revision(**_fields(first) | {"id": uuid.uuid4(), "version": f"v{number}"}) for number in range(1, versions)
    ]
    Revision.objects.bulk_create(copies)
    rows, kept = [], []
    for revision in copies:
        for row in results.values():
            copy = Evaluation(**_fields(row) | {"id": uuid.uuid4(), "revision_id": revision.pk})
            rows.append(copy)
            kept.append(EvaluationResult(evaluation=copy, document=row.result.document))
    Evaluation.objects.bulk_create(rows, batch_size=100)
    EvaluationResult.objects.bulk_create(kept, batch_size=50)
    put(Revision.objects.filter(model=model), publish_status=PublishStatus.PUBLIC)
    return int(task.pk)


def _fields(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}  # noqa: SLF001 - Django's


if __name__ == "__main__":
    sys.exit(main())
