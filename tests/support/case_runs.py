"""Runs over cases as a worker does them, without a service: the test says what the model predicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mop.evaluation.case_runs.keeping import Judged, Known, begin, finish, load, look_ahead, pending, read_job, store
from mop.evaluation.case_runs.kinds import CaseKind, CaseRunJob
from mop.evaluation.case_runs.models import CaseRun

HOST = "worker-1"
Predict = Callable[[Any], str]
"""Takes a MOP input and gives a label, or the name of an error in brackets."""


def begun(kind: CaseKind[Any], run: CaseRun) -> CaseRunJob:
    """The run has a host."""
    run.refresh_from_db()
    job = read_job(kind, str(run.pk), run.attempt, HOST)
    begin(kind, job)
    return job


def answered(
    kind: CaseKind[Any], job: CaseRunJob, predict: Predict, *, most: int = 1_000_000, known: Known | None = None
) -> int:
    """Answer cases that have no outcome; gives how many were asked. `known` is what the worker knows of the run."""
    asked = 0
    known = known or Known()
    for task, keys in pending(kind, job).items():
        questions = load(kind, job, task, keys[: most - asked])
        known.stored |= store(kind, job, [_judged(question, predict) for question in questions], left=0)
        asked += len(questions)
    return asked


def finished(kind: CaseKind[Any], run: CaseRun, predict: Predict) -> int:
    """The run to its end; gives how many cases were asked."""
    job = begun(kind, run)
    known = Known()
    asked = answered(kind, job, predict, known=known)
    known.ahead = look_ahead(kind, job)
    assert finish(kind, job, known)
    run.refresh_from_db()
    return asked


def _judged(question: Any, predict: Predict) -> Judged:
    said = predict(json.loads(question.body))
    return Judged(question, "", said[1:-1]) if said.startswith("[") else Judged(question, said, "")
