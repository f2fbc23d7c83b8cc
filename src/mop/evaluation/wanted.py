"""What is to be evaluated: verified revisions, on the datasets approved for their connected tasks."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from mop.areas.work import StagePosition
from mop.catalog.models import Task
from mop.datasets.models import Binding, Dataset, Reading
from mop.datasets.states import BindingState, DatasetStatus
from mop.errors import EvaluationMappingError, MopError, RunNotPossibleError
from mop.evaluation.label_map import label_map, mapping_digest
from mop.evaluation.metrics import METRIC_VERSION
from mop.evaluation.models import Evaluation
from mop.evaluation.states import EVALUATION_LIFECYCLE, EvaluationState
from mop.onboarding.models import TaskProof
from mop.registry.models import Revision, TaskConnection
from mop.registry.stage_order import ready_for
from mop.registry.statuses import RevisionStatus


@dataclass(frozen=True)
class Wanted:
    """One evaluation that does not exist yet."""

    revision_id: uuid.UUID
    dataset_id: int
    task_id: int


def missing(revision: Revision | None = None) -> list[Wanted]:
    """Evaluations that are to be made, of one revision or of all, newest revisions first. One query.

    A revision that was not proved with a task that was connected later is not measured for it. One whose load test
    waits or runs is measured after it.
    """
    proofs = TaskProof.objects.filter(
        revision=OuterRef("pk"), task=OuterRef("task_id"), customized_name=OuterRef("customized_name")
    )
    made = Evaluation.objects.filter(revision=OuterRef("pk"), dataset=OuterRef("dataset_id"), task=OuterRef("task_id"))
    bindings = "model__connections__task__dataset_bindings"
    found = Revision.objects.filter(
        **{
            "status": RevisionStatus.VERIFIED,
            f"{bindings}__state": BindingState.APPROVED,
            f"{bindings}__dataset__status": DatasetStatus.VERIFIED,
        }
    ).annotate(
        task_id=F("model__connections__task_id"),
        customized_name=F("model__connections__customized_name"),
        dataset_id=F(f"{bindings}__dataset_id"),
    )
    if revision is not None:
        found = found.filter(pk=revision.pk)
    found = ready_for(StagePosition.EVALUATION, found.filter(Exists(proofs), ~Exists(made))).order_by(
        "-created_at", "task_id", "dataset_id"
    )
    return [Wanted(*row) for row in found.values_list("pk", "dataset_id", "task_id")]


def unfinished_revisions() -> QuerySet[Evaluation, Any]:
    """Ids of revisions of which an evaluation waits or runs."""
    return Evaluation.objects.filter(state__in=EVALUATION_LIFECYCLE.live).order_by().values("revision")


def is_applicable(evaluation: Evaluation) -> bool:
    """Whether the evaluation may be run as things stand."""
    return _applicable(Evaluation.objects.filter(pk=evaluation.pk)).exists()


def not_applicable(evaluation: Evaluation) -> RunNotPossibleError:
    """Why an evaluation of which `is_applicable` says no is not run."""
    return RunNotPossibleError(
        f"The {evaluation} cannot be run as things stand.",
        hint="The version must be verified and proved with the task, the task connected, and the dataset approved for "
        "the task.",
    )


def applicable_again() -> QuerySet[Evaluation]:
    """Evaluations that ended because they could not be run as things stood, and can be run now."""
    ended = Evaluation.objects.filter(
        state__in=(EvaluationState.CANCELLED, EvaluationState.FAILED), error__name=RunNotPossibleError.__name__
    )
    return _applicable(ended)


def no_longer_applicable() -> QuerySet[Evaluation]:
    """Evaluations that wait or run though the task was disconnected, the dataset refused, or the revision set aside."""
    live = Evaluation.objects.filter(state__in=EVALUATION_LIFECYCLE.live)
    return live.exclude(pk__in=_applicable(live).values("pk"))


def changed() -> Iterator[Evaluation]:
    """Finished evaluations whose artifact, environment, dataset or mapping is another by now, and can be run again."""
    finished = _applicable(Evaluation.objects.filter(state=EvaluationState.FINISHED)).annotate(
        customized_name=_customized_name()
    )
    current: dict[tuple[int, int, str], tuple[str, str]] = {}
    for row in finished.select_related("revision").iterator():
        key = (row.task_id, row.dataset_id, row.customized_name)
        if key not in current:
            current[key] = _dataset_and_mapping(*key)
        dataset_digest, mapping = current[key]
        revision = row.revision
        now = (revision.artifact_digest, revision.environment_key, dataset_digest, mapping)
        if (row.artifact_digest, row.environment_digest, row.dataset_digest, row.mapping_digest) != now:
            yield row


def to_recount() -> QuerySet[Evaluation]:
    """Finished evaluations whose numbers other metric code computed."""
    return _applicable(
        Evaluation.objects.filter(state=EvaluationState.FINISHED, is_stale=False)
        .exclude(metric_version=metric_version())
        .exclude(predictions_digest="")
    )


def metric_version() -> str:
    """Of the code that computes the numbers, and of the setting that decides what of them is kept."""
    return f"{METRIC_VERSION}/{settings.MOP_EVALUATION_SLICE_ROWS_MIN}"


def least_rows_of(version: str) -> int:
    """Under how many rows slices were withheld when numbers of this version were counted; 0 where it does not say."""
    _, _, least = version.partition("/")
    return int(least) if least.isdecimal() else 0


def digests_of(revision: Revision, task: Task, dataset: Dataset, customized_name: str) -> Mapping[str, str]:
    """The digests of everything that a score depends on, as columns of Evaluation.

    Raises:
        EvaluationMappingError: the labels do not fit.
    """
    mapped = label_map(task, dataset)
    return {
        "artifact_digest": revision.artifact_digest,
        "environment_digest": revision.environment_key,
        "dataset_digest": dataset_digest_of(dataset.reading, dataset.label_header),
        "mapping_digest": mapping_digest(task, dataset, customized_name, mapped),
    }


def is_outdone(evaluation: Evaluation, customized_name: str | None) -> bool:
    """Whether a result is not about version, dataset and mapping as they are now, marked as stale yet or not.

    Args:
        evaluation: with a result, read with its revision, and its dataset's file and reading.
        customized_name: that the model's output has for the task now; None: the task is not connected.
    """
    if evaluation.is_stale or customized_name is None:
        return True
    try:
        now = digests_of(evaluation.revision, evaluation.task, evaluation.dataset, customized_name)
    except EvaluationMappingError:
        return True
    return any(getattr(evaluation, name) != digest for name, digest in now.items())


def dataset_digest_of(reading: Reading, label_header: str) -> str:
    """Of the file, by its keyed digest, and the label column."""
    return hashlib.sha256(f"{reading.fingerprint} {label_header}".encode()).hexdigest()


def _dataset_and_mapping(task_id: int, dataset_id: int, customized_name: str) -> tuple[str, str]:
    task = Task.objects.get(pk=task_id)
    dataset = Dataset.objects.select_related("file", "reading").get(pk=dataset_id)
    digest = dataset_digest_of(dataset.reading, dataset.label_header)
    try:
        return digest, mapping_digest(task, dataset, customized_name, label_map(task, dataset))
    except MopError:
        return digest, ""  # the run that follows says what is wrong


def _applicable(evaluations: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
    # under another name than the version was proved with, the run would end in a mapping error
    proofs = TaskProof.objects.filter(
        revision=OuterRef(OuterRef("revision")), task=OuterRef("task"), customized_name=OuterRef("customized_name")
    )
    connected = TaskConnection.objects.filter(Exists(proofs), model=OuterRef("revision__model"), task=OuterRef("task"))
    approved = Binding.objects.filter(
        dataset=OuterRef("dataset"),
        task=OuterRef("task"),
        state=BindingState.APPROVED,
        dataset__status=DatasetStatus.VERIFIED,
    )
    return evaluations.filter(Exists(connected), Exists(approved), revision__status=RevisionStatus.VERIFIED)


def _customized_name() -> Any:
    return Subquery(
        TaskConnection.objects.filter(model=OuterRef("revision__model"), task=OuterRef("task")).values(
            "customized_name"
        )[:1]
    )
