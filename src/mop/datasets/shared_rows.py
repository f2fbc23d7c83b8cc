"""How many rows two hidden files share: a count from ten on, by keyed digests, for owners of a common task."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.db import transaction

from mop.datasets.models import Reading, SharedRows
from mop.datasets.selectors import comparable_readings
from mop.engine.fence import hold_fence

LEAST_TOLD = 10
"""Fewer would tell somebody who knows one file about single rows of the other."""


def readings_to_compare(reading_id: str) -> list[tuple[str, str]]:
    """Id and digests' artifact of the readings that a new one is compared with."""
    reading = Reading.objects.select_related("file").filter(pk=reading_id).first()
    if reading is None:
        return []
    return [
        (str(pk), digests) for pk, digests in comparable_readings(reading).values_list("pk", "rows_artifact_digest")
    ]


def count_shared(mine: Path, others: list[tuple[str, Path]]) -> dict[str, int]:
    """How many rows a file of digests shares with each of others, where that may be told."""
    from mop.datasets.reading import shared_rows  # noqa: PLC0415 - reads files with numpy

    counts = {reading: shared_rows(mine, theirs) for reading, theirs in others}
    return {reading: count for reading, count in counts.items() if count >= LEAST_TOLD}


@transaction.atomic
def store_shared(reading_id: str, counts: dict[str, int]) -> None:
    """Keep the counts; a reading that is gone meanwhile has none."""
    hold_fence()
    standing = {str(pk) for pk in Reading.objects.filter(pk__in=[reading_id, *counts]).values_list("pk", flat=True)}
    if reading_id not in standing:
        return
    for other, count in counts.items():
        if other in standing:
            SharedRows.objects.update_or_create(
                one_id=uuid.UUID(reading_id), other_id=uuid.UUID(other), defaults={"count": count}
            )
