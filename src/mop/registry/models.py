"""Models and their revisions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from mop.accounts.models import Team, User
from mop.catalog.models import InstanceType, Task, Taxonomy
from mop.engine.models import DurableWork
from mop.registry import group_models  # noqa: F401 - tables of this app, in a file of their own
from mop.registry.statuses import REVISION_LIFECYCLE, PublishStatus, RevisionStatus
from mop.serving_options import CONFIGURATION, OPTIONS, idle_size_problem

MODEL_NAME = RegexValidator(r"\A[A-Za-z0-9_-]+\Z", "Use letters, digits, _ and - only.")
VERSION = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._+-]*\Z", "Start with a letter or digit; use letters, digits, dots, _, + and - only."
)
VERSION_MAX = 64
MODEL_URL_MAX = 2000
CUSTOMIZED_NAME_MAX = 100
TAG_MAX = 50
CARD_TEXT_MAX = 5000


def _option(name: str) -> dict[str, Any]:
    """The arguments of a serving option's column."""
    option = OPTIONS[name]
    arguments: dict[str, Any] = {"default": option.plain_default}
    if option.words:
        arguments |= {"choices": option.choices, "max_length": 16}
    limits = [
        check(option.type(limit))
        for check, limit in ((MinValueValidator, option.about.minimum), (MaxValueValidator, option.about.maximum))
        if limit is not None
    ]
    if limits:
        arguments["validators"] = limits
    return arguments | ({"help_text": option.about.unit} if option.about.unit else {})


class ModelType(models.TextChoices):
    """Where a model's folder lies."""

    BLOB_CONTAINER = "Blob Container", "Blob Container"


class Model(models.Model):
    """A classifier that resolves one task per taxonomy; what runs are its revisions."""

    name = models.CharField(
        max_length=100,
        unique=True,
        validators=[MODEL_NAME],
        # no word of whether there is such a model: its name may be private
        error_messages={"unique": "This name is taken or reserved. Choose another one."},
    )
    description = models.TextField(blank=True)
    intended_use = models.TextField(blank=True, max_length=CARD_TEXT_MAX, help_text="for the model card")
    limits = models.TextField(blank=True, max_length=CARD_TEXT_MAX, help_text="what it is not for; for the model card")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="models")
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="owned_models")
    model_type = models.CharField(max_length=32, choices=ModelType, default=ModelType.BLOB_CONTAINER)
    # written by Python: SQLite's own clock keeps milliseconds in another text form, which keyset paging would misread
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    edition = models.PositiveIntegerField(
        default=1, help_text="counts edits; a change of an earlier edition is refused"
    )

    # What lists show and filter by, kept by registry/summaries.py: of all versions for owners and administrators, of
    # the public ones for everybody else. No foreign keys: they would lock versions whose status is changing.
    is_public = models.BooleanField(default=False)
    all_newest_id = models.UUIDField(null=True, blank=True)
    all_newest_version = models.CharField(max_length=VERSION_MAX, blank=True)
    all_newest_status = models.CharField(max_length=24, choices=RevisionStatus, default=RevisionStatus.CREATED)
    all_usable_version = models.CharField(max_length=VERSION_MAX, blank=True)
    all_is_living = models.BooleanField(default=True)
    all_updated_at = models.DateTimeField(default=timezone.now)
    public_newest_id = models.UUIDField(null=True, blank=True)
    public_newest_version = models.CharField(max_length=VERSION_MAX, blank=True)
    public_newest_status = models.CharField(max_length=24, choices=RevisionStatus, default=RevisionStatus.CREATED)
    public_usable_version = models.CharField(max_length=VERSION_MAX, blank=True)
    public_is_living = models.BooleanField(default=False)
    public_updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        indexes = (
            models.Index(fields=("created_at", "id"), name="model_created"),
            models.Index(fields=("team", "all_updated_at", "id"), name="model_team"),
            models.Index(fields=("all_updated_at", "id"), name="model_updated"),
            models.Index(fields=("all_newest_status", "all_updated_at", "id"), name="model_status_updated"),
            models.Index(fields=("all_newest_status", "name"), name="model_status_name"),
            models.Index(fields=("all_newest_status",), condition=models.Q(all_is_living=False), name="model_hidden"),
            models.Index(fields=("name",), condition=models.Q(is_public=True), name="public_model_name"),
            models.Index(
                fields=("public_updated_at", "id"), condition=models.Q(is_public=True), name="public_model_updated"
            ),
            models.Index(
                fields=("public_newest_status", "public_updated_at", "id"),
                condition=models.Q(is_public=True),
                name="public_model_status_updated",
            ),
            models.Index(
                fields=("public_newest_status",),
                condition=models.Q(is_public=True, public_is_living=False),
                name="public_model_hidden",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def is_owned_by(self, user: User) -> bool:
        """No query where the owners, or whether this person is one of them, were read with the model."""
        known = self.__dict__.get("known_ownership", {})
        return bool(known[user.pk]) if user.pk in known else any(one.pk == user.pk for one in self.owners.all())


class ModelTag(models.Model):
    """A word under which its owners want a model to be found."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=TAG_MAX)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("model", "name"), name="each_tag_once_per_model"),)
        indexes = (models.Index(fields=("name", "model"), name="model_by_tag"),)

    def __str__(self) -> str:
        return self.name


class TaskConnection(models.Model):
    """One connected task: the task, its taxonomy, and the name that the model's output gives the taxonomy."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="connections")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="connections")
    customized_name = models.CharField(max_length=CUSTOMIZED_NAME_MAX)

    class Meta:
        ordering = ("taxonomy__name",)
        constraints = (
            models.UniqueConstraint(fields=("model", "taxonomy"), name="one_task_per_model_and_taxonomy"),
            models.UniqueConstraint(fields=("model", "customized_name"), name="customized_names_differ_in_a_model"),
        )

    def __str__(self) -> str:
        return f"{self.taxonomy}: {self.task}"


class Revision(DurableWork):
    """One version of a model. Its url and configuration never change; `registry/advance.py` alone changes its status.

    Which hosts it may reach is an administrator's to change; it counts from the next deployment on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="revisions")
    version = models.CharField(max_length=VERSION_MAX, validators=[VERSION])
    note = models.TextField(blank=True)
    model_url = models.CharField(max_length=MODEL_URL_MAX)
    sample_post_data = models.JSONField(null=True, blank=True)

    instance_type = models.ForeignKey(InstanceType, on_delete=models.PROTECT, related_name="+")
    server = models.CharField(**_option("server"))
    worker_number = models.PositiveSmallIntegerField(**_option("worker_number"))
    thread_number = models.PositiveSmallIntegerField(**_option("thread_number"))
    batch_enabled = models.BooleanField(**_option("batch_enabled"))
    batch_max_size = models.PositiveSmallIntegerField(**_option("batch_max_size"))
    batch_idle_size = models.PositiveSmallIntegerField(**_option("batch_idle_size"))
    batch_max_interval = models.FloatField(**_option("batch_max_interval"))
    regression_enabled = models.BooleanField(**_option("regression_enabled"))
    load_test_option = models.CharField(**_option("load_test_option"))

    status = models.CharField(max_length=24, choices=RevisionStatus, default=RevisionStatus.CREATED)
    status_changed_at = models.DateTimeField(db_default=Now())
    publish_status = models.CharField(max_length=8, choices=PublishStatus, default=PublishStatus.PRIVATE)
    publish_changed_at = models.DateTimeField(null=True, blank=True)
    edition = models.PositiveIntegerField(
        default=1, help_text="counts edits; a change of an earlier edition is refused"
    )
    attempt = models.PositiveIntegerField(default=1, help_text="counts tries; an answer to an earlier try is refused")
    workflow_id = models.CharField(max_length=100, blank=True)
    queue = models.CharField(max_length=100, blank=True, help_text="the engine's queue on which it waits for a host")
    priority = models.PositiveIntegerField(default=1, help_text="turn of its team in the queue; lower goes first")
    host = models.CharField(max_length=100, blank=True, help_text="worker that took this attempt; empty while it waits")
    retry_at = models.DateTimeField(null=True, blank=True)
    warnings = models.JSONField(default=list, blank=True)

    artifact_digest = models.CharField(max_length=64, blank=True)
    artifact_files = models.PositiveIntegerField(null=True, blank=True)
    artifact_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    environment_key = models.CharField(max_length=64, blank=True)
    python_version = models.CharField(max_length=32, blank=True)
    pip_version = models.CharField(max_length=32, blank=True)
    granted = models.JSONField(
        default=dict, blank=True, help_text="what the sandbox really gave: level, cpus, memory_bytes, parts"
    )

    allowed_hosts = models.JSONField(
        default=list, blank=True, help_text="`host` or `host:port` that an administrator lets the model reach"
    )

    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("model", "version"), name="version_unique_in_model"),
            models.CheckConstraint(
                condition=models.Q(
                    worker_number__gte=OPTIONS["worker_number"].about.minimum,
                    thread_number__gte=OPTIONS["thread_number"].about.minimum,
                ),
                name="workers_and_threads",
            ),
            models.CheckConstraint(
                condition=models.Q(batch_idle_size__lte=models.F("batch_max_size")), name="idle_batch_within_max_batch"
            ),
        )
        indexes = (
            models.Index(fields=("queue", "status", "priority", "status_changed_at"), name="revision_queue"),
            models.Index(fields=("model", "-created_at"), name="revision_history"),
        )

    def __str__(self) -> str:
        return f"{self.model.name} {self.version}"

    def clean(self) -> None:
        """Check the two batch sizes against each other; that there is a largest at all is a check of its own."""
        if problem := idle_size_problem(idle=self.batch_idle_size, largest=self.batch_max_size or None):
            raise ValidationError({"batch_idle_size": problem})

    def unique_error_message(self, model_class: type[models.Model], unique_check: Sequence[str]) -> ValidationError:
        """Say of a version that is taken what to do about it."""
        if tuple(unique_check) == ("model", "version"):
            return ValidationError(f"The model has a version {self.version} already. Choose another one.")
        return super().unique_error_message(model_class, unique_check)

    def get_status(self) -> RevisionStatus:
        return RevisionStatus(self.status)

    @property
    def may_become_outdated(self) -> bool:
        """Whether its owner may set the version aside as it stands."""
        return RevisionStatus.OUTDATED in REVISION_LIFECYCLE.transitions[self.get_status()]

    @property
    def publish_obstacle(self) -> str:
        """Why the version cannot become public; empty where it can, or is."""
        if self.publish_status == PublishStatus.PUBLIC or self.status == RevisionStatus.VERIFIED:
            return ""
        return f"Only a verified version can become public; {self.version} is {self.status}."

    def configuration(self) -> dict[str, Any]:
        """Instance type and model configuration as plain data, for API and display."""
        return {"instance_type": self.instance_type.name, **{name: getattr(self, name) for name in CONFIGURATION}}


class RevisionEvent(models.Model):
    """One status that a revision entered in one attempt. Its duration ends where the next event begins."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="events")
    attempt = models.PositiveIntegerField()
    status = models.CharField(max_length=24, choices=RevisionStatus)
    at = models.DateTimeField()
    actor_label = models.CharField(max_length=200)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            # a step that runs again after a crash cannot enter a status twice
            models.UniqueConstraint(fields=("revision", "attempt", "status"), name="each_status_once_per_attempt"),
        )

    def __str__(self) -> str:
        return f"{self.revision_id} {self.status}"
