"""Who works, by heartbeats, what is done from time to time, and the columns that durable work has."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class DurableWork(models.Model):
    """Columns of the rows that durable work changes; `host` is empty while the work waits.

    A row with attempts also has `attempt`, which counts from 1.
    """

    host = models.CharField(max_length=100, blank=True, help_text="worker that runs it")
    error = models.JSONField(null=True, blank=True, help_text="the catalogue error: name, message, hint, place, also")

    class Meta:
        abstract = True


class Worker(models.Model):
    """One life of a worker process on PostgreSQL. All times are the database's."""

    executor_id = models.CharField(max_length=200, primary_key=True, help_text="whose work the engine recovers")
    name = models.CharField(max_length=100)
    lock = models.CharField(max_length=300, help_text="the file lock that one living process holds at a time")
    process = models.CharField(max_length=200, help_text="where to find the process on its own host")
    started_at = models.DateTimeField(db_default=Now())
    beat_at = models.DateTimeField(db_default=Now(), db_index=True)
    lost_at = models.DateTimeField(null=True, blank=True, help_text="from then on nothing that it writes is taken")
    taken_by = models.CharField(max_length=200, blank=True, help_text="executor that claimed its work")
    recovered_at = models.DateTimeField(null=True, blank=True, help_text="its work was put back on the queues")

    class Meta:
        ordering = ("name", "started_at")

    def __str__(self) -> str:
        return self.executor_id


class Schedule(models.Model):
    """A job of periodic upkeep. All times are the database's."""

    name = models.CharField(max_length=100, primary_key=True)
    every_seconds = models.FloatField()
    next_run_at = models.DateTimeField()
    claimed_by = models.CharField(max_length=64, blank=True, help_text="the run that goes on now")
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="renewed while it goes on")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
