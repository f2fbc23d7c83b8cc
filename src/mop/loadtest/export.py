"""A run of a revision as the API answers it, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, cast

from mop.accounts.models import User
from mop.errors import ErrorDocument
from mop.loadtest.documents import LoadTestOut, LoadTestRunOut, StateName
from mop.loadtest.metrics import METRICS
from mop.loadtest.models import LoadTest
from mop.loadtest.reading import read
from mop.loadtest.rules import told_error
from mop.loadtest.selectors import Run, get_run, runs_of, state_without_run
from mop.loadtest.steps import Ending
from mop.registry.models import Revision
from mop.serving_options import LoadTestOption


def document_of(user: User, revision: Revision, number: int | None = None) -> LoadTestRunOut:
    """A revision's run, the newest without a number, and its state; `tests` is empty where there is none.

    Args:
        user: who reads it, and may see the revision.
        revision: whose run.
        number: of the run.

    Raises:
        NotFoundError: there is no run of this number.
    """
    run = get_run(revision, number)
    return LoadTestRunOut(
        model=revision.model.name,
        version=revision.version,
        state=cast("StateName", (run.state if run else state_without_run(revision)).value),
        is_final=run is None or run.state.is_final,
        load_test_option=LoadTestOption(revision.load_test_option),
        run=run.number if run else None,
        runs=tuple(runs_of(revision)),
        tests=tuple(_test(test, error=told_error(user, test)) for test in run.tests) if run else (),
    )


def _test(test: LoadTest, *, error: dict[str, Any] | None) -> LoadTestOut:
    plan = test.get_plan()
    steps = tuple(step.measured for step in test.steps.all())
    return LoadTestOut(
        id=test.pk,
        modality=test.modality,
        state=cast("StateName", test.get_state().value),
        strategy=plan.strategy,
        targets=plan.targets,
        duration_s=plan.duration_s,
        warm_up_s=plan.warm_up_s,
        timeout_s=plan.timeout_s,
        budget_s=plan.budget_s,
        seed=plan.seed,
        arrivals=plan.arrivals,
        ended=Ending(test.ended) if test.ended else "",
        error=read(ErrorDocument, error) if error else None,
        note=test.note,
        progress=test.get_progress(),
        conditions=test.get_conditions(),
        steps=steps,
        trusted=all(step.trusted for step in steps),
        created_at=test.created_at,
        created_by=test.created_by_label,
        started_at=test.started_at,
        ended_at=test.ended_at,
    )


def csv_of(run: Run) -> str:
    """Every step of a run, a line each."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["modality", "option", "target", *(metric.column for metric in METRICS), "trusted"])
    for test in run.tests:
        writer.writerows(_lines(test))
    return text.getvalue()


def _lines(test: LoadTest) -> Iterator[list[Any]]:
    for step in (row.measured for row in test.steps.all()):
        values = [metric.of(step) for metric in METRICS]
        yield [test.modality, test.option, step.target, *values, "yes" if step.trusted else "no"]
