"""Evaluations, what they counted, and how often something was measured on a dataset.

No column holds a row, or anything that a model chose to write: states, counts, and names of the error catalogue.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from mop.catalog.models import Task
from mop.datasets.models import Dataset
from mop.engine.models import DurableWork
from mop.evaluation import comparison_models, verification_models  # noqa: F401 - tables in files of their own
from mop.evaluation.states import EVALUATION_LIFECYCLE, EvaluationState
from mop.registry.models import Revision

PROGRESS_STEP = 5

# sorted: sets would give each migration another order
_ENDS = tuple(sorted(EVALUATION_LIFECYCLE.final))


def _metric(help_text: str = "") -> models.FloatField[float | None, float | None]:
    return models.FloatField(null=True, blank=True, help_text=help_text)


class Evaluation(DurableWork):
    """One revision measured on one dataset for one task. `evaluation/advance.py` alone changes its state.

    A further run of the same (after a failure, or because the result is stale) is its next attempt. Until that ends,
    the result of the run before stands: `measured_at` says whether there is one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="evaluations")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="evaluations")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="evaluations")
    state = models.CharField(max_length=16, choices=EvaluationState, default=EvaluationState.QUEUED)
    attempt = models.PositiveIntegerField(default=1, help_text="counts runs; an answer to an earlier run is refused")
    tries = models.PositiveIntegerField(
        default=1, help_text="of this run; after a cause outside the model it goes on behind the last part that is kept"
    )
    retry_at = models.DateTimeField(null=True, blank=True, help_text="not before; null: at once")
    failed_at = models.JSONField(default=list, blank=True, help_text="times at which a cause outside ended a try")
    queue = models.CharField(max_length=100, help_text="the engine's queue on which it waits for a host")
    priority = models.PositiveIntegerField(default=1, help_text="in the queue; lower goes first")
    is_recount = models.BooleanField(default=False, help_text="this run counts kept predictions anew; no row is run")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    # While it runs, and how it ended. Progress has steps of 5 per cent: finer ones could tell what a model saw.
    progress = models.PositiveSmallIntegerField(default=0, help_text="per cent of the rows, in steps of 5")
    ends_about = models.DateTimeField(null=True, blank=True, help_text="estimate, renewed with each step")
    note = models.CharField(max_length=300, blank=True, help_text="what it waits for")
    error_counts = models.JSONField(default=dict, blank=True, help_text="catalogue error: rows without an answer")
    failed_rows = models.JSONField(
        default=dict, blank=True, help_text="catalogue error: first row numbers; for owners of the dataset alone"
    )

    # The result that stands. All are empty until the first run ended well.
    measured_at = models.DateTimeField(null=True, blank=True)
    is_stale = models.BooleanField(default=False, help_text="environment, dataset or mapping changed since")
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    no_answer = models.PositiveBigIntegerField(null=True, blank=True, help_text="rows without an answer")
    artifact_digest = models.CharField(max_length=64, blank=True, help_text="of the model folder that answered")
    environment_digest = models.CharField(max_length=64, blank=True)
    dataset_digest = models.CharField(max_length=64, blank=True, help_text="keyed: guesses cannot be tested")
    mapping_digest = models.CharField(max_length=64, blank=True)
    metric_version = models.CharField(max_length=32, blank=True, help_text="of the code that computed the numbers")
    predictions_digest = models.CharField(
        max_length=64, blank=True, help_text="artifact with predictions and scores as Parquet, which nobody is given"
    )

    # What lists show and sort by; null is undefined. Ordinal tasks: of the partition that represents the result.
    headline = _metric("macro F1; ordinal: F1 of the representing partition")
    headline_low = _metric("of the 95 % interval")
    headline_high = _metric("of the 95 % interval")
    accuracy = _metric()
    macro_precision = _metric()
    macro_recall = _metric()
    macro_f1 = _metric()
    micro_precision = _metric()
    micro_recall = _metric()
    micro_f1 = _metric()
    weighted_precision = _metric()
    weighted_recall = _metric()
    weighted_f1 = _metric()
    cohen_kappa = _metric()
    matthews_correlation = _metric()
    quadratic_weighted_kappa = _metric("ordinal datasets")
    mean_absolute_error = _metric("ordinal datasets; in levels")

    # A single result of a private version that its owner shows. Results of public versions need no such mark.
    published_at = models.DateTimeField(null=True, blank=True)
    published_by_label = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("task__name", "dataset__name", "-created_at")
        constraints = (
            models.UniqueConstraint(
                fields=("revision", "dataset", "task"), name="one_evaluation_per_revision_dataset_and_task"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=_ENDS, ended_at__isnull=False)
                | (~models.Q(state__in=_ENDS) & models.Q(ended_at__isnull=True)),
                name="evaluation_ends_once",
            ),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="evaluation_progress_is_a_percentage"),
            models.CheckConstraint(
                condition=models.Q(measured_at__isnull=False)
                | models.Q(predictions_digest="", published_at__isnull=True),
                name="evaluation_has_predictions_once_measured",
            ),
        )
        indexes = (
            models.Index(fields=("state", "queued_at"), name="evaluation_waiting"),
            models.Index(fields=("dataset", "task"), name="evaluation_of_dataset"),
            models.Index(fields=("task", "headline"), name="evaluation_of_task"),
        )

    def __str__(self) -> str:
        return f"evaluation of {self.revision} on {self.dataset} for {self.task}"

    def get_state(self) -> EvaluationState:
        """The state as its enum."""
        return EvaluationState(self.state)

    @property
    def run_name(self) -> str:
        """Names the run, however often it is tried: it counts once in the budget."""
        return f"evaluation:{self.pk}:{self.attempt}"

    @property
    def workflow_id(self) -> str:
        """The engine's name of the work of this try."""
        return self.run_name if self.tries == 1 else f"{self.run_name}:{self.tries}"

    @property
    def is_measured(self) -> bool:
        """Whether a result stands, also while a further run goes on."""
        return self.measured_at is not None

    @property
    def is_published(self) -> bool:
        """Whether an owner shows this single result of a private version."""
        return self.published_at is not None


class EvaluationResult(models.Model):
    """The counts of a finished evaluation; every number is a function of them. `results.py` has the type.

    A table of its own, so that lists do not read what only Details shows.
    """

    evaluation = models.OneToOneField(Evaluation, on_delete=models.CASCADE, related_name="result")
    document = models.JSONField(help_text="matrix, slices that may be shown, histograms on the grid, intervals")

    def __str__(self) -> str:
        return f"result of {self.evaluation_id}"


class LabelScore(models.Model):
    """One label's line of a result's classification report, by which lists sort. Ordinal results have partitions."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="label_scores")
    label = models.TextField()
    precision = _metric()
    recall = _metric()
    f1 = _metric()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("evaluation", "label"), name="each_label_once_per_evaluation"),)

    def __str__(self) -> str:
        return f"{self.label} of {self.evaluation_id}"


class EvaluationChunk(models.Model):
    """Rows that were answered in a run that goes on. It resumes behind the last one; each row is in one chunk."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="chunks")
    attempt = models.PositiveIntegerField()
    number = models.PositiveIntegerField(help_text="counts from 0")
    rows = models.PositiveIntegerField()
    artifact_digest = models.CharField(max_length=64)
    error_counts = models.JSONField(default=dict, blank=True)
    failed_rows = models.JSONField(default=dict, blank=True)
    seconds = models.FloatField(help_text="that its rows took")

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(
                fields=("evaluation", "attempt", "number"), name="each_chunk_once_per_evaluation_and_attempt"
            ),
        )

    def __str__(self) -> str:
        return f"{self.evaluation_id} {self.number}"


class Measurement(models.Model):
    """One run of a model over a dataset, for the budget. It outlives the version and the model.

    Names instead of foreign keys: who deletes a version to measure it again has measured twice.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="measurements")
    model_name = models.CharField(max_length=100)
    team_name = models.CharField(max_length=150)
    person_name = models.CharField(max_length=150, help_text="who added the version")
    run = models.CharField(max_length=100, unique=True, help_text="its name; counted once however often it is tried")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-at",)
        indexes = (
            models.Index(fields=("dataset", "model_name", "at"), name="measurement_of_model"),
            models.Index(fields=("dataset", "team_name", "at"), name="measurement_of_team"),
            models.Index(fields=("dataset", "person_name", "at"), name="measurement_of_person"),
        )

    def __str__(self) -> str:
        return f"{self.model_name} on {self.dataset}"


class TaskHeadline(models.Model):
    """The dataset whose number stands beside a version, as an owner of the task chose it."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="headline_choice")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+")
    chosen_by_label = models.CharField(max_length=200)
    chosen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.dataset} for {self.task}"
