"""`python -m mop.scanning.job`: scanners in a process of its own, in the cage.

Standard input: one JSON object {"subject", "scanners"}; the latter by name, in their order, each with what it skips.
Standard output: JSON lines, for each scanner {"begins": name}, then {"looking": path} | {"report": ...} as it goes on,
and {"ended": name}. Whoever reads them sees after a sudden end which scanner and file were at work.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

from mop.scanning.scanner import Looking, Subject
from mop.scanning.scanners import scanner_of


def main() -> None:
    """Read the request, run the scanners, tell what they find."""
    request = json.load(sys.stdin)
    subject = Subject.from_dict(request["subject"])
    for name, skip in request["scanners"].items():
        _tell("begins", name)
        for step in scanner_of(name).scan(replace(subject, skip=subject.skip.union(skip))):
            if isinstance(step, Looking):
                _tell("looking", step.path)
            else:
                _tell("report", step.to_dict())
        _tell("ended", name)


def _tell(kind: str, value: Any) -> None:
    sys.stdout.write(json.dumps({kind: value}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
