"""Scans of revisions, what they found, and waivers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.registry.models import Model, Revision
from mop.scanning.findings import Severity, Verdict
from mop.scanning.policy import Action


class ScanReason(models.TextChoices):
    """Why a revision was scanned."""

    ONBOARDING = "onboarding", "onboarding"
    RESCAN = "rescan", "asked for again"
    ADVISORIES = "advisories", "new advisories or waivers"


class ScanDecision(models.TextChoices):
    """What policy and waivers make of a scan."""

    CLEAN = "clean", "nothing that blocks or warns"
    WARNINGS = "warnings", "findings that warn"
    VULNERABLE = "vulnerable", "findings that block"

    @property
    def tone(self) -> str:
        """The colour family of the badge."""
        return {"clean": "ok", "warnings": "warn", "vulnerable": "bad"}[self.value]

    @property
    def meaning(self) -> str:
        """One sentence for people who meet the word for the first time."""
        return f"The scan has {self.label}."


class Scan(models.Model):
    """One look at a snapshot and its environment; files and findings of the newest are kept, of others the counts."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="scans")
    key = models.CharField(max_length=120, help_text="names the work that wrote it: once, also after a crash")
    reason = models.CharField(max_length=12, choices=ScanReason)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(default=timezone.now)
    decision = models.CharField(max_length=12, choices=ScanDecision)
    is_complete = models.BooleanField(help_text="the environment was looked at too, not the folder alone")
    environment_key = models.CharField(max_length=64, blank=True)
    environment_digest = models.CharField(max_length=64, blank=True, help_text="of the environment's files")
    scanners = models.JSONField(default=list, help_text="names of those that ran to their end")
    incomplete = models.JSONField(default=dict, help_text="why a scanner did not, by its name")
    policy_digest = models.CharField(max_length=64)
    waivers_digest = models.CharField(max_length=64, blank=True, help_text="of the waivers that held")
    packages = models.JSONField(default=list, help_text="[name, version, [required names]] of what is installed")
    advisories = models.JSONField(default=dict, help_text="source, dated, digest: what packages were matched against")
    severities = models.JSONField(default=dict, help_text="number of findings by severity")
    verdicts = models.JSONField(default=dict, help_text="number of files by verdict")
    blocking = models.PositiveIntegerField(default=0)
    warning = models.PositiveIntegerField(default=0)
    is_current = models.BooleanField(default=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("revision", "key"), name="a_scan_is_written_once"),
            models.UniqueConstraint(
                fields=("revision",), condition=models.Q(is_current=True), name="one_current_scan_per_revision"
            ),
        )

    def __str__(self) -> str:
        return f"scan {self.pk} of {self.revision_id}"

    @property
    def reason_label(self) -> str:
        """Why it was made, in words."""
        return "requested" if self.reason == ScanReason.RESCAN else str(ScanReason(self.reason).label)

    def get_decision(self) -> ScanDecision:
        return ScanDecision(self.decision)


class ScannedFile(models.Model):
    """The verdict on one file of a current scan's snapshot."""

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="files")
    path = models.TextField()
    verdict = models.CharField(max_length=20, choices=[(one.value, one.value.replace("_", " ")) for one in Verdict])
    reasons = models.JSONField(default=list)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("scan", "verdict"), name="file_verdicts"),)

    def __str__(self) -> str:
        return f"{self.path}: {self.verdict}"


class Waiver(models.Model):
    """An administrator's word that a finding of a model's versions may be, until a day. Never deleted: it is ended."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="waivers")
    scanner = models.CharField(max_length=64)
    rule = models.CharField(max_length=100)
    path = models.TextField(help_text="the finding's path; * stands for any characters")
    identifier = models.CharField(max_length=100, blank=True, help_text="the advisory's; empty for any")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    until = models.DateField(help_text="the last day on which it holds")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.scanner}/{self.rule} at {self.path} until {self.until}"


class ScanFinding(models.Model):
    """One finding of a current scan, and what the policy makes of it."""

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="findings")
    number = models.PositiveIntegerField(help_text="its place from 1, worst first")
    scanner = models.CharField(max_length=64)
    rule = models.CharField(max_length=100)
    severity = models.CharField(max_length=8, choices=[(one.value, one.value) for one in Severity])
    action = models.CharField(max_length=5, choices=[(one.value, one.value) for one in Action])
    path = models.TextField()
    position = models.CharField(max_length=200, blank=True)
    message = models.TextField()
    hint = models.TextField()
    identifier = models.CharField(max_length=100, blank=True)
    details = models.JSONField(default=dict)
    waiver = models.ForeignKey(Waiver, null=True, on_delete=models.SET_NULL, related_name="findings")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("scan", "number"), name="findings_in_their_order"),)
        indexes = (models.Index(fields=("scan", "severity", "scanner"), name="finding_filters"),)

    def __str__(self) -> str:
        return f"{self.scanner}/{self.rule} {self.path}"

    @property
    def advisory_url(self) -> str:
        """Where more is told; empty unless it is an https address: advisories are written by others."""
        url = self.details.get("url")
        return url if isinstance(url, str) and url.startswith("https://") else ""


class Rescan(models.Model):
    """A scan that somebody asked for and that waits or runs. Gone when it ended; its end is in the audit log."""

    revision = models.OneToOneField(Revision, on_delete=models.CASCADE, related_name="rescan")
    workflow_id = models.CharField(max_length=100, unique=True)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.CharField(max_length=200)
    failure = models.JSONField(null=True, blank=True, help_text="the catalogue error of a rescan that did not end")

    def __str__(self) -> str:
        return f"rescan of {self.revision_id}"

    @property
    def is_on_its_way(self) -> bool:
        """Whether it waits or runs."""
        return self.failure is None
