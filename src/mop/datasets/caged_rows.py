"""The rows of a verified file, from the cage, for runs that measure something on them.

The rows are hidden content: they go to a model's process in a service that discloses nothing, and nowhere else. What
the cage gives is checked again: a number, labels and values of slices that the verification knows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.datasets.caged import end_reader, reader_job
from mop.datasets.reading.spec import MIB, DatasetSpec
from mop.errors import ArtifactDamagedError, HostLostError, SandboxUnavailableError
from mop.sandbox import Sandbox
from mop.sandbox.exit_codes import EXIT_SETUP

_LINE_BYTES = 4 * MIB
_ROW_BYTES = 128 * MIB  # JSON may write a byte of a row as six


@dataclass(frozen=True)
class HiddenRow:
    """One sample of a dataset.

    Attributes:
        number: 2 for the first, as in a report's faults.
        body: the MOP input as JSON.
        label: what it is.
        slices: values of the group columns, then of the language column.
        characters: of its text.
    """

    number: int
    body: bytes
    label: str
    slices: tuple[str, ...]
    characters: int


@dataclass(frozen=True)
class HiddenRows:
    """Which rows, and what may stand in them.

    Attributes:
        file: dataset.csv, as a file of the artifact store.
        spec: with the one label column of the dataset.
        labels: that the column holds.
        slices: of each slice column, the values that it holds.
        rows: how many there are.
    """

    file: Path
    spec: DatasetSpec
    labels: Collection[str]
    slices: Mapping[str, Collection[str]]
    rows: int


async def hidden_rows(wanted: HiddenRows, *, sandbox: Sandbox, after: int = 1) -> AsyncGenerator[HiddenRow, None]:
    """The rows in their order, in constant memory; close it early with `aclosing`.

    Args:
        wanted: which.
        sandbox: the cage.
        after: number of the last row that is not wanted; 1 for all.

    Raises:
        ArtifactDamagedError: the file is not the one that was verified.
        SandboxUnavailableError: the cage cannot be set up.
        HostLostError: the reader was killed from outside.
    """
    process = await asyncio.create_subprocess_exec(
        *sandbox.command(reader_job("mop.datasets.reading.rows_job", wanted.file)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE_BYTES,
        start_new_session=True,
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("the process was started with pipes")
        request = {"file": str(wanted.file), "spec": wanted.spec.to_dict(), "after": after}
        with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its status tells
            process.stdin.write(json.dumps(request).encode())
            await process.stdin.drain()
        process.stdin.close()
        last = after
        while (head := await _head(process)) is not None:
            for row in _checked(head, wanted, last):
                body = await process.stdout.readexactly(row[4])
                last = row[0]
                yield HiddenRow(last, body, row[1][0], tuple(row[2]), row[3])
        if last != wanted.rows + 1:
            raise _changed()
    except asyncio.IncompleteReadError as error:
        raise _cause(await process.wait()) from error
    finally:
        await end_reader(process)


async def _head(process: asyncio.subprocess.Process) -> Sequence[Any] | None:
    """The heads of a block's rows; None at the end of the file."""
    assert process.stdout is not None  # noqa: S101 - the caller asked
    try:
        line = await process.stdout.readline()
    except ValueError:  # a line beyond all measure
        raise _changed() from None
    if not line:
        raise _cause(await process.wait())
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        raise _changed() from None
    if isinstance(head, dict) and isinstance(head.get("rows"), list):
        rows: list[Any] = head["rows"]
        return rows
    if isinstance(head, dict) and "end" in head:
        return None
    raise _changed()


def _checked(head: Sequence[Any], wanted: HiddenRows, last: int) -> Sequence[Any]:
    columns = wanted.spec.slice_columns
    for number, row in enumerate(head, last + 1):
        if not (isinstance(row, list) and len(row) == 5):  # noqa: PLR2004 - as rows_job writes it
            raise _changed()
        found, labels, slices, characters, size = row
        is_known = (
            found == number <= wanted.rows + 1
            and isinstance(labels, list)
            and len(labels) == 1
            and labels[0] in wanted.labels
            and isinstance(slices, list)
            and len(slices) == len(columns)
            and all(value in wanted.slices.get(column, ()) for column, value in zip(columns, slices, strict=True))
            and type(characters) is int
            and characters >= 0
            and type(size) is int
            and 0 < size <= _ROW_BYTES
        )
        if not is_known:
            raise _changed()
    return head


def _cause(status: int) -> Exception:
    if status == EXIT_SETUP:
        return SandboxUnavailableError("The cage for the reader of datasets could not be set up.")
    if status == 1:  # Python's own, after an exception: the file is not as it was verified
        return _changed()
    return HostLostError("The reader of datasets was killed.")


def _changed() -> ArtifactDamagedError:
    return ArtifactDamagedError("A dataset's file in the artifact store is not the one that was verified.")
