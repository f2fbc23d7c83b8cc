"""Digests of rows on disk: which rows of a file have the same input, and how many two files share.

A digest is the 64-bit xxHash of a row's input under a seed. It is no cryptographic hash: the seed stays inside the
installation, and what stands on a digest is a warning and a count, never a decision.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import xxhash

WIDTH = 8
_PART = 1_000_000  # digests that are held at once: 8 MB, and a few times that while they are sorted

Digests = npt.NDArray[np.uint64]
_NONE: Digests = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True)
class Duplicates:
    """How many rows repeat an earlier one, and the places of the first of them, counted from 0 without the header."""

    count: int
    first: tuple[int, ...]


class RowDigests:
    """Takes one digest per row, in order, until its budget of disk is used up.

    Attributes:
        seed: of the hash, 64 bits.
        count: how many it took.
    """

    def __init__(self, *, seed: int, budget_bytes: int, folder: Path | None = None) -> None:
        self.seed = seed
        self.count = 0
        self._most = budget_bytes // WIDTH
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`

    def of(self, contents: Iterable[bytes]) -> list[bytes]:
        """The digests of inputs; nothing is taken."""
        seed, digest = self.seed, xxhash.xxh3_64_digest
        return [digest(content, seed) for content in contents]

    def of_slices(self, block: bytes, starts: list[int], ends: list[int]) -> list[bytes]:
        """The digests of parts of a block, from a place up to another, without holding the parts together."""
        seed, digest = self.seed, xxhash.xxh3_64_digest
        return [digest(block[start:end], seed) for start, end in zip(starts, ends, strict=True)]

    def add_row_without(self, number: int) -> None:
        """Take a row that has no input; it is nobody's duplicate."""
        self.add([xxhash.xxh3_64_digest(b"row %d" % number, self.seed ^ 1)])

    def add(self, digests: list[bytes]) -> None:
        """Take the digests of further rows."""
        del digests[max(0, self._most - self.count) :]
        self._file.write(b"".join(digests))
        self.count += len(digests)

    def finish(self, *, places: int, sorted_digests: Path | None = None) -> Duplicates:
        """Find the duplicates.

        The digests are worked through by ranges of their values, each small enough to be held; equal ones fall into
        the same range.

        Args:
            places: how many duplicates are named.
            sorted_digests: where the different digests are written, ascending, for `shared_rows`.
        """
        bits = max(0, int(self.count // _PART)).bit_length()
        count, first = 0, np.empty(0, dtype=np.int64)
        output = sorted_digests.open("wb") if sorted_digests else None
        try:
            for part in range(1 << bits):
                kept = self._sorted(part, bits)
                if (kept[1:] == kept[:-1]).any():  # their places are looked for where there are some
                    kept = kept[:0]
                    for start, digests in self._chunks():
                        kept, repeated = _without_known(kept, digests, part, bits)
                        count += len(repeated)
                        first = np.sort(np.concatenate((first, repeated[:places] + start)))[:places]
                if output:
                    output.write(kept.astype("<u8").tobytes())
        finally:
            if output:
                output.close()
        return Duplicates(count, tuple(int(place) for place in first))

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def _sorted(self, part: int, bits: int) -> Digests:
        """All digests of a range."""
        found: Digests = np.concatenate([_of_part(digests, part, bits) for _, digests in self._chunks()] or [_NONE])
        found.sort()
        return found

    def _chunks(self) -> Iterator[tuple[int, Digests]]:
        self._file.seek(0)
        start = 0
        while chunk := self._file.read(_PART * WIDTH):
            yield start, np.frombuffer(chunk, "<u8").astype(np.uint64, copy=False)
            start += len(chunk) // WIDTH


def _of_part(chunk: Digests, part: int, bits: int) -> Digests:
    return chunk[chunk >> np.uint64(64 - bits) == part] if bits else chunk


def _without_known(kept: Digests, chunk: Digests, part: int, bits: int) -> tuple[Digests, npt.NDArray[np.int64]]:
    """The digests kept so far with those of the chunk that are new, and where in the chunk others stand again."""
    ordered = np.sort(_of_part(chunk, part, bits))
    if not (ordered[1:] == ordered[:-1]).any() and not (len(kept) and np.isin(ordered, kept, assume_unique=True).any()):
        return (np.sort(np.concatenate((kept, ordered))) if len(kept) else ordered), np.empty(0, dtype=np.int64)
    places = np.flatnonzero(chunk >> np.uint64(64 - bits) == part) if bits else np.arange(len(chunk))
    values, first = np.unique(chunk[places], return_index=True)
    is_new = ~np.isin(values, kept, assume_unique=True)
    is_first = np.zeros(len(places), dtype=bool)
    is_first[first[is_new]] = True
    return np.sort(np.concatenate((kept, values[is_new]))), places[~is_first]


def shared_rows(one: Path, other: Path) -> int:
    """How many digests two files of `RowDigests.finish` have in common; memory does not grow with them."""
    if not one.stat().st_size or not other.stat().st_size:
        return 0
    mine = np.memmap(one, dtype="<u8", mode="r")
    theirs = np.memmap(other, dtype="<u8", mode="r")
    if len(mine) > len(theirs):
        mine, theirs = theirs, mine
    shared = 0
    for start in range(0, len(mine), _PART):
        part = mine[start : start + _PART]
        places = np.minimum(np.searchsorted(theirs, part), len(theirs) - 1)
        shared += int(np.count_nonzero(theirs[places] == part))
    return shared
