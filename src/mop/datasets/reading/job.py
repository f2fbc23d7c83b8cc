"""`python -m mop.datasets.reading.job`: the verification in a process of its own, in the cage.

Standard input: one JSON object {"file", "spec", "seed", "digests"}: path of the file, a spec, 64 bits, and the path to
write the digests of rows to, or null. Standard output: JSON lines, {"progress": {"rows", "size"}} about once a second,
and at last {"report": ...}. A process that ends without a report was killed, or crashed in a decoder of images.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from mop.datasets.reading.spec import DatasetSpec
from mop.datasets.reading.verification import verify

_TELL_SECONDS = 1.0


def main() -> None:
    """Read the request, verify the file, tell the report."""
    request = json.load(sys.stdin)
    path = Path(request["file"])
    told = time.monotonic()

    def progress(rows: int, size: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_SECONDS:
            told = time.monotonic()
            _tell("progress", {"rows": rows, "size": size})

    report = verify(
        lambda: path.open("rb", buffering=0),
        DatasetSpec.from_dict(request["spec"]),
        progress=progress,
        seed=request["seed"],
        sorted_digests=Path(request["digests"]) if request["digests"] else None,
    )
    _tell("report", report.to_dict())


def _tell(kind: str, value: Any) -> None:
    sys.stdout.write(json.dumps({kind: value}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
