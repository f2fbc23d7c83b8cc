"""Predictions in the artifact store: written part by part, counted part by part. Nothing gives them to anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from mop.errors import ArtifactDamagedError
from mop.evaluation.counting import Counting
from mop.evaluation.label_map import LabelMap
from mop.evaluation.predictions import Predictions, SliceColumns, from_parquet, to_parquet
from mop.storage.artifact_store import ArtifactStore
from mop.storage.manifest import Manifest, ManifestFile

_FILE = "predictions-{:06d}.parquet"


async def keep_part(
    store: ArtifactStore, found: Predictions, mapped: LabelMap, slices: SliceColumns, *, number: int
) -> str:
    """Store a part of the rows as an artifact of its own; gives its digest."""
    data = await asyncio.to_thread(to_parquet, found, mapped, slices)

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    blob = await store.put_file(chunks())
    return await store.put_manifest(
        Manifest.of([ManifestFile(path=_FILE.format(number), size=blob.size, sha256=blob.sha256)])
    )


async def keep_whole(store: ArtifactStore, parts: Sequence[str]) -> str:
    """One artifact of all parts; gives its digest. No file is copied."""
    files = [file for part in parts for file in (await store.get_manifest(part)).files]
    for file in files:
        store.renew(file.sha256)
    return await store.put_manifest(Manifest.of(files))


async def each_part(store: ArtifactStore, digest: str) -> AsyncIterator[Predictions]:
    """The parts of an artifact in the order of the rows.

    Raises:
        ArtifactDamagedError: one is missing or damaged, or a row is there twice or missing.
    """
    following: int | None = None
    for file in sorted((await store.get_manifest(digest)).files, key=lambda file: file.path):
        data = b"".join([chunk async for chunk in store.get(file.sha256)])
        try:
            found = await asyncio.to_thread(from_parquet, data)
        except (ValueError, KeyError, OSError) as error:
            raise ArtifactDamagedError("The predictions of an evaluation cannot be read.") from error
        if following is not None and found.first_row != following:
            raise ArtifactDamagedError("Rows are missing in the predictions of an evaluation, or stand there twice.")
        following = found.first_row + len(found)
        yield found


async def count_all(
    store: ArtifactStore, digest: str, mapped: LabelMap, slices: SliceColumns, *, rows: int
) -> Counting:
    """Count every row of an artifact.

    Raises:
        ArtifactDamagedError: by `each_part`, or there are more or fewer rows than the dataset has.
    """
    counting = Counting(mapped, slices)
    async for found in each_part(store, digest):
        await asyncio.to_thread(counting.add, found)
    if counting.rows != rows:
        raise ArtifactDamagedError(f"The predictions are of {counting.rows} rows; the dataset has {rows}.")
    return counting
