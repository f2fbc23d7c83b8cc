"""What gateways of a service share: keys, blocklists, containers, and the record of answers."""

from __future__ import annotations

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from mop.releases.models import Service

BLOCKLIST_NAME_MAX = 64
DESCRIPTION_MAX = 1024
TERM_MAX = 128
URL_MAX = 1000
BLOCKLIST_NAME_PATTERN = "[0-9A-Za-z._~-]+"
BLOCKLIST_NAME = RegexValidator(rf"\A{BLOCKLIST_NAME_PATTERN}\Z", "Use letters, digits, -, ., _ and ~.")


class GatewayState(models.Model):
    """A number that grows with every change of keys, blocklists or containers: gateways look at it every second."""

    service = models.OneToOneField(Service, primary_key=True, on_delete=models.CASCADE, related_name="gateway_state")
    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.service} {self.version}"


class GatewayKey(models.Model):
    """One of the two keys by which callers of a service's gateway are known: shown once, stored as a SHA-256."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="gateway_keys")
    number = models.PositiveSmallIntegerField(help_text="1 or 2")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False, help_text="first characters, to tell keys apart")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("service", "number"), name="one_gateway_key_per_number"),
            models.CheckConstraint(condition=models.Q(number__in=(1, 2)), name="gateway_has_two_keys"),
        )

    def __str__(self) -> str:
        return f"key {self.number} of {self.service}"


class Blocklist(models.Model):
    """A list of terms that a service's callers keep; a text that holds one of them is told so."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="blocklists")
    name = models.CharField(max_length=BLOCKLIST_NAME_MAX, validators=[BLOCKLIST_NAME])
    description = models.CharField(max_length=DESCRIPTION_MAX, blank=True)
    version = models.PositiveBigIntegerField(default=0, help_text="grows with each change of its items")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("service", "name"), name="one_blocklist_per_service_and_name"),)

    def __str__(self) -> str:
        return self.name


class BlocklistItem(models.Model):
    """One term."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    blocklist = models.ForeignKey(Blocklist, on_delete=models.CASCADE, related_name="items")
    number = models.PositiveBigIntegerField(help_text="place in its list")
    text = models.CharField(max_length=TERM_MAX)
    description = models.CharField(max_length=DESCRIPTION_MAX, blank=True)

    class Meta:
        ordering = ("number", "id")
        constraints = (models.UniqueConstraint(fields=("blocklist", "text"), name="one_blocklist_item_per_text"),)
        indexes = (models.Index(fields=("blocklist", "number"), name="blocklist_items_in_order"),)

    def __str__(self) -> str:
        return f"item {self.pk}"


class BlobContainer(models.Model):
    """A container from which callers may name images by url, with a credential that is used for it alone."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="blob_containers")
    url = models.CharField(max_length=URL_MAX)
    credential = models.TextField(help_text="sealed; JSON of one kind of credential")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)

    class Meta:
        ordering = ("url",)
        constraints = (models.UniqueConstraint(fields=("service", "url"), name="one_blob_container_per_url"),)

    def __str__(self) -> str:
        return self.url


class Answer(models.Model):
    """That a gateway answered: never what was asked."""

    request_id = models.UUIDField(unique=True)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=8, help_text="Text or Image")
    status = models.PositiveSmallIntegerField()
    milliseconds = models.FloatField()
    findings = models.JSONField(
        default=dict, help_text='{category: {"severity", "score", "release", "version", "is_canary"}}'
    )

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return str(self.request_id)
