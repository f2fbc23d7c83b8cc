"""The audit log as a file: CSV for spreadsheets, JSON for programs. Rows leave as they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from mop.audit.models import AuditEvent

COLUMNS = ("id", "at", "actor_id", "actor", "address", "action", "object_type", "object_id", "object", "data")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
CHUNK = 500


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def as_csv(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """Lines of CSV. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for event in events.iterator(chunk_size=CHUNK):
        row = row_of(event)
        cells = [row[name] if name != "data" else json.dumps(row[name], ensure_ascii=False) for name in COLUMNS]
        yield writer.writerow([harmless(str(cell)) for cell in cells])


def as_json(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """One JSON array."""
    yield "["
    for place, event in enumerate(events.iterator(chunk_size=CHUNK)):
        yield (",\n" if place else "\n") + json.dumps(row_of(event), ensure_ascii=False)
    yield "\n]\n"


def row_of(event: AuditEvent) -> dict[str, Any]:
    """An event as plain data."""
    return {
        "id": event.pk,
        "at": event.at.isoformat(),
        "actor_id": event.actor_id,
        "actor": event.actor_label,
        "address": event.address,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "object": event.object_label,
        "data": event.data,
    }


def harmless(cell: str) -> str:
    """A cell that no spreadsheet computes."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
