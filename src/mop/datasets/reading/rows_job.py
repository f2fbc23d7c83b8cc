"""`python -m mop.datasets.reading.rows_job`: the rows of a verified file, from a process in the cage.

Standard input: one JSON object {"file", "spec", "after"}. Standard output: blocks, each a JSON line

    {"rows": [[number, labels, slices, characters, size], ...]}

with the MOP inputs of its rows behind it, as JSON of so many bytes each; at last the line {"end": number of rows}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

from mop.datasets.reading.row_reader import Row, rows
from mop.datasets.reading.spec import DatasetSpec

BLOCK_ROWS = 256
BLOCK_BYTES = 1 << 20


def main() -> None:
    """Read the request, write the rows."""
    request = json.load(sys.stdin)
    path = Path(request["file"])
    out = sys.stdout.buffer
    heads: list[list[Any]] = []
    bodies: list[bytes] = []
    size = last = 0
    found = rows(lambda: path.open("rb", buffering=0), DatasetSpec.from_dict(request["spec"]), after=request["after"])
    for row in found:
        body = json.dumps(row.item, ensure_ascii=False, separators=(",", ":")).encode()
        heads.append([row.number, row.labels, row.slices, _characters(row), len(body)])
        bodies.append(body)
        size += len(body)
        last = row.number
        if len(heads) == BLOCK_ROWS or size >= BLOCK_BYTES:
            _write(out, heads, bodies)
            heads, bodies, size = [], [], 0
    if heads:
        _write(out, heads, bodies)
    out.write(json.dumps({"end": last}).encode() + b"\n")
    out.flush()


def _characters(row: Row) -> int:
    return len(row.item.get("text", ""))


def _write(out: BinaryIO, heads: list[list[Any]], bodies: list[bytes]) -> None:
    out.write(json.dumps({"rows": heads}).encode() + b"\n")
    out.writelines(bodies)
    out.flush()


if __name__ == "__main__":
    main()
