"""The lines of a model's own file around the place that an error names, read from the version's snapshot."""

from __future__ import annotations

import re

from mop.storage.artifact_store import ArtifactStore

LINES_BEFORE, LINES_AFTER = 3, 1
LINE_CHARACTERS = 200
FILE_BYTES_MAX = 1 << 20
_PLACE = re.compile(r"(src/[^:]{1,500}):(\d{1,7})")
_SHOWN = re.compile(r"[^\t\x20-\x7e\xa0-\U0010ffff]")


async def lines_around(store: ArtifactStore, digest: str, place: str | None) -> list[tuple[int, str]]:
    """Numbers and texts of a few lines; none where the place is no line of a text file of the snapshot.

    Args:
        store: where the snapshot is.
        digest: of its manifest; empty when there is none yet.
        place: of the error, as `src/inference.py:84`.

    Raises:
        ArtifactDamagedError, StorageUnavailableError: the snapshot cannot be read.
    """
    found = _PLACE.fullmatch(place or "")
    if found is None or not digest:
        return []
    path, line = found[1], int(found[2])
    file = next((file for file in (await store.get_manifest(digest)).files if file.path == path), None)
    if file is None or file.size > FILE_BYTES_MAX:
        return []
    data = b"".join([chunk async for chunk in store.get(file.sha256)])
    lines = data.decode("utf-8", errors="replace").split("\n")
    if not 1 <= line <= len(lines):
        return []
    first = max(line - LINES_BEFORE, 1)
    return [
        (first + offset, _SHOWN.sub("�", text.rstrip("\r"))[:LINE_CHARACTERS])
        for offset, text in enumerate(lines[first - 1 : line + LINES_AFTER])
    ]
