"""Advisories that were imported, so that an installation without a way to the internet can audit packages."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class ImportedAdvisory(models.Model):
    """One record in OSV's form, reduced to what matching needs."""

    identifier = models.CharField(max_length=100, primary_key=True)
    modified = models.DateTimeField(help_text="when its database last changed it")
    record = models.TextField(help_text="JSON; mop.scanning.dependencies.records reads it")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the record")

    class Meta:
        ordering = ("identifier",)

    def __str__(self) -> str:
        return self.identifier


class AffectedPackage(models.Model):
    """That an advisory speaks of a package; the index by which advisories are found."""

    advisory = models.ForeignKey(ImportedAdvisory, on_delete=models.CASCADE, related_name="packages")
    name = models.CharField(max_length=200, db_index=True, help_text="canonical")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("advisory", "name"), name="advisory_names_a_package_once"),)

    def __str__(self) -> str:
        return self.name


class AdvisoryImport(models.Model):
    """One import. The newest tells what the tables hold."""

    imported_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=300, help_text="name of the file")
    sha256 = models.CharField(max_length=64, help_text="of the file")
    records = models.PositiveIntegerField(help_text="advisories about PyPI packages in it")
    passed_over = models.PositiveIntegerField(help_text="records in it that speak of no PyPI package")
    newest_modified = models.DateTimeField(help_text="the newest change of any of its records: how far it goes")
    digest = models.CharField(max_length=64, help_text="SHA-256 over all records: equal for equal knowledge")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.source}, {self.newest_modified:%Y-%m-%d}"
