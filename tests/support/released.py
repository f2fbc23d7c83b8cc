"""Versions with everything that gates and model cards read: evaluations, load tests, a scan.

Import it when Django is set up.
"""

from __future__ import annotations

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.loadtest.plan import Strategy
from mop.registry.models import Model, Revision
from support.evaluation_results import approved_dataset, evaluate, verified
from support.factories import make_model, make_task, make_user, put
from support.load_tests import enabled, finished, step_result
from support.scans import WARNS_LOW, keep_scan

CONDITIONS = """all datasets: macro F1 >= 0.5
load test: latency P99 at 100 RPS <= 1000 ms
open findings critical <= 0
DSAT pass rate >= 95 % or none
"""


def make_ordinal_task(name: str = "", **fields: object) -> Task:
    """An ordinal task with three levels."""
    return make_task(name, taxonomy="Violence", label_type="Ordinal", labels=["low", "mid", "high"], **fields)


def evidence_version(*tasks: Task, owner: User | None = None, name: str = "", version: str = "v1.0.0") -> Revision:
    """A verified version that was measured for its tasks: on a dataset each, under load, by the scanners."""
    chosen = tasks or (make_task(), make_ordinal_task())
    model = make_model(name, owner=owner or make_user(), tasks=chosen, version=version, load_test_option="off")
    for task in chosen:
        if not task.dataset_bindings.exists():
            labels = {"low": 200, "mid": 100, "high": 100} if task.label_type == "Ordinal" else None
            approved_dataset(task, labels=labels)
    return measure(model.revisions.get())


def measure(revision: Revision) -> Revision:
    """Verify a version and measure it."""
    revision = verified(revision)
    keep_scan(revision, WARNS_LOW)
    evaluate(revision, keeps=False)
    put(Revision.objects.filter(pk=revision.pk), load_test_option=Strategy.PER_CONCURRENCY.value)
    revision.refresh_from_db()
    for test in [enabled(revision)]:
        finished(test, [step_result(1, rps=50.0), step_result(10, rps=200.0), step_result(20, rps=220.0, failed=3)])
    return Revision.objects.select_related("model__team", "created_by", "instance_type").get(pk=revision.pk)


def published(revision: Revision) -> Model:
    """Make a version public."""
    put(Revision.objects.filter(pk=revision.pk), publish_status="public")
    revision.refresh_from_db()
    return revision.model
