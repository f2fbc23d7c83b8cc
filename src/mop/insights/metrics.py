"""Metrics of the installation in Prometheus' text format: workers, disk, alerts, and durable work by state.

Everything is read from the database and the disk when it is asked for, so every process of a portal tells the same.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import get_type_hints

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from mop.engine.lifecycle import State
from mop.engine.models import DurableWork
from mop.engine.worker_registry import names_of_living_workers
from mop.notifications.selectors import open_alerts
from mop.prometheus_text import head, sample

SINCE = ("status_changed_at", "state_changed_at", "queued_at", "created_at")
"""Fields that say since when a row is what it is, the most exact first."""


def text() -> str:
    """The whole page."""
    return "\n".join([*_installation(), *_disk(), *_alerts(), *_work()]) + "\n"


def _installation() -> Iterator[str]:
    yield from head("mop_info", "gauge", "1; the label says which version of MOP answers.")
    yield sample("mop_info", 1, {"version": version("mop")})
    yield from head("mop_workers", "gauge", "Workers that live.")
    yield sample("mop_workers", len(names_of_living_workers()))


def _disk() -> Iterator[str]:
    disk = shutil.disk_usage(settings.MOP_HOME)
    yield from head("mop_disk_free_bytes", "gauge", "Free space on the disk of MOP_HOME, on the portal's host.")
    yield sample("mop_disk_free_bytes", disk.free)
    yield from head("mop_disk_size_bytes", "gauge", "Size of that disk.")
    yield sample("mop_disk_size_bytes", disk.total)


def _alerts() -> Iterator[str]:
    yield from head("mop_alerts_open", "gauge", "Alerts that the operator has not closed, by fault.")
    found = Counter(open_alerts().values_list("fault", flat=True))
    for fault, count in sorted(found.items()):
        yield sample("mop_alerts_open", count, {"fault": fault})


def _work() -> Iterator[str]:
    """Every state of every kind of work, also where no row is in it: a series that is absent raises no alarm."""
    counts = head("mop_work", "gauge", "Rows of durable work, by kind and state.")
    ages = head(
        "mop_work_oldest_seconds", "gauge", "How long the row that is longest in a live state is in it; 0: none."
    )
    now = timezone.now()
    for kind in _kinds():
        rows = kind.rows()
        for state in kind.states:
            count, since = rows.get(state.value, (0, now))
            labels = {"kind": kind.name, "state": state.value}
            counts.append(sample("mop_work", count, labels))
            if state.is_live:
                ages.append(sample("mop_work_oldest_seconds", (now - since).total_seconds(), labels))
    yield from counts
    yield from ages


@dataclass(frozen=True)
class _Kind:
    """Rows with a lifecycle.

    Attributes:
        name: of the work, with underscores.
        field: that holds the state.
        since: that holds since when a row is what it is.
    """

    name: str
    model: type[DurableWork]
    states: type[State]
    field: str
    since: str

    def rows(self) -> dict[str, tuple[int, dt.datetime]]:
        """How many are in each state, and since when the first of them. One query."""
        rows = self.model._default_manager.order_by()  # noqa: SLF001 - public in Django
        found = rows.values_list(self.field).annotate(Count("pk"), Min(self.since))
        return {state: (count, since) for state, count, since in found}


def _kinds() -> list[_Kind]:
    """The durable work of all areas that has a lifecycle."""
    found = []
    for model in apps.get_models():
        meta = model._meta  # noqa: SLF001 - its public name in Django
        names = {field.name for field in meta.concrete_fields}
        for field in ("status", "state"):
            if issubclass(model, DurableWork) and field in names:
                states = get_type_hints(getattr(model, f"get_{field}"))["return"]
                since = next(name for name in SINCE if name in names)
                found.append(_Kind(str(meta.verbose_name).replace(" ", "_"), model, states, field, since))
    return sorted(found, key=lambda kind: kind.name)
