"""Evaluations that tests need: rows as they stand after onboarding, reading and approval, without any process."""

from __future__ import annotations

import numpy as np

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.datasets.bindings import approve
from mop.datasets.models import Binding, Dataset
from mop.datasets.reading import Report
from mop.evaluation.counting import Counting
from mop.evaluation.jobs import EvaluationJob, begin, finish, read_job
from mop.evaluation.models import Evaluation
from mop.evaluation.predictions import Predictions
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from support.contract_runs import prove
from support.datasets import dataset_input, make_datasets, settled
from support.factories import make_user

ROWS = 200


def verified(model: Model, version: str = "v1.0.0") -> Revision:
    """What onboarding does at its end."""
    revision = model.revisions.get(version=version)
    prove(revision)
    Revision.objects.filter(pk=revision.pk).update(
        status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32, environment_key="ee" * 32, load_test_option="off"
    )
    revision.refresh_from_db()
    return revision


def approved_dataset(task: Task, *, owner: User | None = None, name: str = "") -> Dataset:
    """A verified Binary dataset with a group column, approved for a task of the labels 0 and 1."""
    (dataset,) = make_datasets(dataset_input(name, [task]), owner=owner or make_user(), group_columns=("group",))
    report = Report(
        faults=(),
        warnings=(),
        rows=ROWS,
        size=5000,
        columns=3,
        label_counts={"hate": {"0": 120, "1": 80}},
        slice_counts={"group": {"a": 150, "b": 45, "few": 5}},
    )
    settled(dataset, report)
    owner = task.owners.get()
    approve(actor=actor_of(owner), binding=Binding.objects.get(dataset=dataset, task=task))
    dataset.refresh_from_db()
    return dataset


def running(evaluation: Evaluation) -> EvaluationJob:
    """The run as a worker begins it."""
    evaluation.refresh_from_db()
    job = read_job(str(evaluation.pk), evaluation.attempt, "worker-1")
    begin(job)
    return job


def predictions(job: EvaluationJob, *, seed: int = 1) -> Predictions:
    """Made answers to all rows; groups as the dataset has them."""
    generator = np.random.Generator(np.random.PCG64(seed))
    true = np.repeat(np.array([0, 1], dtype=np.uint8), [120, 80])
    predicted = np.where(generator.random(ROWS) < 0.8, true, 1 - true).astype(np.uint8)
    predicted[0] = job.mapped.no_answer
    ones = np.where(predicted == 1, 0.9, 0.2)
    scores = np.stack([1 - ones, ones], axis=1)
    scores[0] = np.nan
    groups = generator.permutation(np.repeat(np.array([0, 1, 2], dtype=np.uint8), [150, 45, 5]))
    slices = np.stack([groups, np.zeros(ROWS, dtype=np.uint8)], axis=1)
    errors = ["UserScriptException", *[""] * (ROWS - 1)]
    return Predictions(2, true, predicted, errors, slices, scores)


def finished(evaluation: Evaluation, *, seed: int = 1) -> Evaluation:
    """What a worker does to the end of a run, without a service: made answers are counted and kept."""
    job = running(evaluation)
    counting = Counting(job.mapped, job.slices)
    counting.add(predictions(job, seed=seed))
    finish(
        job,
        document=counting.document(least_rows=job.least_rows),
        predictions="cd" * 32,
        counting=counting,
    )
    evaluation.refresh_from_db()
    return evaluation
