"""Bundles: what they are made of, and where the made ones lie."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.engine.models import DurableWork
from mop.registry.models import VERSION_MAX, Revision


class Bundle(DurableWork):
    """The bundle of a release, or one of a version that an administrator asked for.

    `documents` is fixed when the row is made: evidence that changes later changes no bundle, and one that is made again
    has the same bytes. That of a release outlives the version; the other one goes with it.
    """

    revision = models.OneToOneField(
        Revision, null=True, blank=True, on_delete=models.CASCADE, related_name="bundle", help_text="without a release"
    )
    release = models.OneToOneField(
        "releases.Release", null=True, blank=True, on_delete=models.CASCADE, related_name="bundle"
    )
    model_name = models.CharField(max_length=100)
    version = models.CharField(max_length=VERSION_MAX)
    revision_uuid = models.UUIDField(help_text="of the version, also once it is deleted")
    artifact_digest = models.CharField(max_length=64)
    environment_key = models.CharField(max_length=64, blank=True)
    made_by = models.CharField(max_length=64, help_text="the version of MOP that wrote the documents")
    documents = models.JSONField(help_text="content of each part outside the artifact, by its path")
    attempt = models.PositiveIntegerField(default=1, help_text="counts how often it was asked for")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_by_label = models.CharField(max_length=200)

    # once it is made
    made_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="of its parts in the artifact store")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the file")
    size = models.PositiveBigIntegerField(null=True, blank=True)
    key = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the public key that proves it, as PEM")

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(revision__isnull=True) ^ models.Q(release__isnull=True),
                name="bundle_is_of_a_release_or_a_version",
            ),
            models.CheckConstraint(
                condition=models.Q(made_at__isnull=True, sha256="", digest="")
                | (models.Q(made_at__isnull=False) & ~models.Q(sha256="") & ~models.Q(digest="")),
                name="bundle_is_made_whole",
            ),
        )
        indexes = (models.Index(fields=("made_at", "created_at"), name="bundle_waiting"),)

    def __str__(self) -> str:
        return f"bundle of {self.model_name} {self.version}"

    @property
    def state(self) -> str:
        """`ready`, `failed` or `making`."""
        if self.made_at is not None:
            return "ready"
        return "failed" if self.error else "making"

    @property
    def workflow_id(self) -> str:
        """The engine's name of the work."""
        return f"bundle:{self.pk}:{self.attempt}"

    @property
    def file_name(self) -> str:
        """What the file is called when it is given out."""
        release = "" if self.release_id is None else f"-release-{self.release_id}"
        return f"{self.model_name}-{self.version}{release}.mopbundle.tar"
