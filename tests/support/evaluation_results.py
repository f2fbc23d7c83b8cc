"""Finished evaluations: predictions are generated, and everything else is done by the functions of the run.

Import it when Django is set up.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from asgiref.sync import async_to_sync
from django.conf import settings

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.datasets.bindings import approve
from mop.datasets.models import Binding, Dataset
from mop.datasets.reading import Report
from mop.evaluation.counting import Counting
from mop.evaluation.jobs import EvaluationJob, begin, conclude, finish, read_job
from mop.evaluation.kept import keep_part, keep_whole
from mop.evaluation.models import Evaluation
from mop.evaluation.predictions import Predictions
from mop.evaluation.services import start_missing
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from mop.storage.artifact_store import ArtifactStore
from support.contract_runs import prove
from support.datasets import dataset_input, make_datasets, settled
from support.factories import ACTOR, make_revision_input, put

ROWS = 400
HOST = "worker-1"
_numbers = itertools.count(1)
GROUPS: Mapping[str, Mapping[str, int]] = {"source": {"forum": 300, "news": 80, "chat": 14, "voice": 6}}


def approved_dataset(
    task: Task,
    *,
    name: str = "",
    owner: User | None = None,
    labels: Mapping[str, int] | None = None,
    label_type: str = "",
    groups: Mapping[str, Mapping[str, int]] | None = None,
) -> Dataset:
    """A verified dataset that is approved for a task; its numbers of rows by label and by group are given."""
    found = dict(labels or {label: ROWS // len(task.labels) for label in task.labels})
    kind = label_type or _label_type(task, found)
    size = {"label_size": len(found)} if kind == "Multi-label" else {}
    given = dataset_input(name or f"results-{next(_numbers)}", tasks=[task], label_type=kind, **size)
    chosen = GROUPS if groups is None else groups
    (dataset,) = make_datasets(given, owner=owner, group_columns=list(chosen), language="en")
    report = Report(
        rows=sum(found.values()),
        size=50_000,
        columns=2 + len(chosen),
        label_counts={"hate": found},
        slice_counts={column: dict(values) for column, values in chosen.items()},
    )
    dataset = settled(dataset, report)
    # `settled` gives every file the same digest
    type(dataset.reading).objects.filter(pk=dataset.reading_id).update(fingerprint=f"{dataset.pk:064x}")
    approve(actor=ACTOR, binding=Binding.objects.get(dataset=dataset, task=task))
    dataset.refresh_from_db()
    return dataset


def _label_type(task: Task, labels: Mapping[str, int]) -> str:
    if set(labels) == {"0", "1"}:
        return "Binary"
    return "Ordinal" if task.label_type == "Ordinal" else "Multi-label"


def verified(revision: Revision) -> Revision:
    """The revision as its pipeline leaves it, proved for every connected task."""
    put(
        Revision.objects.filter(pk=revision.pk),
        status=RevisionStatus.VERIFIED,
        artifact_digest="ab" * 32,
        environment_key="cd" * 32,
        load_test_option="off",  # else it is evaluated after its load test
    )
    revision.refresh_from_db()
    prove(revision)
    return revision


def add_version(model: Model, version: str) -> Revision:
    """A further verified version of a model."""
    from mop.registry.services import create_revision  # noqa: PLC0415 - reads settings

    owner = model.owners.order_by("pk").first()
    return verified(create_revision(actor=ACTOR, user=owner, model=model, revision=make_revision_input(version)))


def evaluate(revision: Revision, *, skill: float = 0.8, keeps: bool = True) -> list[Evaluation]:
    """Evaluate a verified revision on every approved dataset that it was not evaluated on."""
    start_missing(actor=ACTOR, revision=revision)
    rows = Evaluation.objects.filter(revision=revision, state="queued").select_related("dataset", "task")
    return [finished(row, skill=skill, keeps=keeps) for row in rows.order_by("dataset__name")]


def finished(evaluation: Evaluation, *, skill: float = 0.8, keeps: bool = True) -> Evaluation:
    """Let a queued evaluation run to its end.

    Args:
        evaluation: queued.
        skill: how often the model is right.
        keeps: whether predictions go to the artifact store, where comparisons read them.
    """
    job = read_job(str(evaluation.pk), evaluation.attempt, HOST)
    begin(job)
    found = predictions(
        job, seed=evaluation.dataset_id, noise=zlib.crc32(str(evaluation.revision).encode()), skill=skill
    )
    counting = Counting(job.mapped, job.slices)
    counting.add(found)
    digest = _kept(job, found) if keeps else f"{evaluation.pk.int:064x}"[-64:]
    finish(job, document=counting.document(least_rows=job.least_rows), predictions=digest, counting=counting)
    evaluation.refresh_from_db()
    return evaluation


def running(evaluation: Evaluation, *, progress: int = 45) -> Evaluation:
    """It runs, and has come so far."""
    begin(read_job(str(evaluation.pk), evaluation.attempt, HOST))
    Evaluation.objects.filter(pk=evaluation.pk).update(progress=progress)
    evaluation.refresh_from_db()
    return evaluation


def failed(evaluation: Evaluation, error: Exception) -> Evaluation:
    """It ended with an error."""
    read_job(str(evaluation.pk), evaluation.attempt, HOST, evaluation.tries)
    conclude(str(evaluation.pk), evaluation.attempt, evaluation.tries, error)
    evaluation.refresh_from_db()
    return evaluation


@async_to_sync
async def _kept(job: EvaluationJob, found: Predictions) -> str:
    store = ArtifactStore.local(settings.MOP_HOME / "artifacts")
    return await keep_whole(store, [await keep_part(store, found, job.mapped, job.slices, number=0)])


def predictions(job: EvaluationJob, *, seed: int, noise: int, skill: float) -> Predictions:
    """What a model of this skill might answer; the rows are those of the dataset, whoever answers them."""
    of_rows, of_model = np.random.default_rng(seed), np.random.default_rng([seed, noise])
    mapped, count = job.mapped, job.rows
    task_labels = len(mapped.task_labels)
    counts = {one["label"]: one["count"] for one in Evaluation.objects.get(pk=job.evaluation_id).dataset.labels}
    true = _places([counts.get(label, 0) for label in mapped.labels], count, of_rows)
    slices = np.stack([_places(values, count, of_rows) for values in _counts(job)], axis=1)
    # the place of the right answer among the task's labels
    right = true * (task_labels - 1) if mapped.outside == mapped.levels != () else _task_places(mapped, true)
    is_right = of_model.random(count) < skill
    said = np.where(is_right, right, of_model.integers(0, task_labels, count))
    scores = of_model.dirichlet(np.full(task_labels, 0.7), count)
    if mapped.levels:
        scores = _cumulative(scores, said)
    else:
        top, rows = scores.argmax(axis=1), np.arange(count)
        scores[rows, top], scores[rows, said] = scores[rows, said], scores[rows, top]
    lost = of_model.random(count) < 0.005
    lost[np.flatnonzero(lost)[count // 100 :]] = False  # with more of them no gate would take the result
    scores[lost] = np.nan
    return Predictions(
        first_row=2,
        true=true.astype(np.uint8),
        predicted=np.where(lost, mapped.no_answer, np.array(mapped.places)[said]).astype(np.uint8),
        errors=["UserScriptException" if one else "" for one in lost],
        slices=slices.astype(np.uint8),
        scores=scores,
    )


def _task_places(mapped: object, true: np.ndarray) -> np.ndarray:
    return np.argsort(mapped.places)[true]


def _cumulative(scores: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Never increasing along the levels, over a half up to the level that is said."""
    ordered = -np.sort(-scores / scores.max(axis=1, keepdims=True), axis=1)
    levels = np.arange(scores.shape[1])
    return np.where(levels <= said[:, None], 0.5 + ordered / 2, ordered / 2)


def _counts(job: EvaluationJob) -> list[Sequence[int]]:
    """Of each slice column how the rows are spread over its values; a dataset keeps their names alone."""
    return [
        [GROUPS.get(column, {}).get(value, 100) for value in values] for column, values in job.slices.values.items()
    ]


def _places(weights: Sequence[int], count: int, generator: np.random.Generator) -> np.ndarray:
    """Places of a slice column's values: exactly as many of each as the weights say, in any order."""
    shares = np.array(weights) / sum(weights)
    exact = np.repeat(np.arange(len(weights)), np.floor(shares * count + 1e-9).astype(int))
    rest = generator.integers(0, len(weights), count - len(exact))
    return generator.permutation(np.concatenate([exact, rest]))
