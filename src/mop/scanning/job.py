"""`python -m mop.scanning.job`: scanners in a process of its own, in the cage.

Standard input: a line with one JSON object {"subject", "scanners", "shared"}; the second by name, in their order, each
with what it skips; the third names those that share their files with other processes.
Standard output: JSON lines, for each scanner {"begins": name}, then {"looking": path} | {"report": ...} as it goes on,
and {"ended": name}. After a sudden end they show which scanner and file were at work. A scanner that
shares its files asks with {"take": paths}; the answer is a line on standard input with those that it is given.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from mop.scanning.deadline import end_this_process_after
from mop.scanning.scanner import Looking, Subject
from mop.scanning.scanners import scanner_of

_GRACE_SECONDS = 10.0
"""Of processor time; scanners end by themselves before, where they can."""


def main() -> None:
    """Read the request, run the scanners, tell what they find."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = json.loads(sys.stdin.readline())
    subject = Subject.from_dict(request["subject"])
    for name, skip in request["scanners"].items():
        _tell("begins", name)
        own = replace(subject, skip=subject.skip.union(skip), take=_take if name in request["shared"] else list)
        for step in scanner_of(name).scan(own):
            if isinstance(step, Looking):
                _tell("looking", step.path)
                end_this_process_after(subject.limits.seconds_at_most(_size(subject, step.path)) + _GRACE_SECONDS)
            else:
                _tell("report", step.to_dict())
        _tell("ended", name)


def _size(subject: Subject, path: str) -> int:
    """Of a file of the model folder; a package of an environment may be as large as any file."""
    if subject.model is not None:
        with suppress(OSError, ValueError):
            return (subject.model / path).lstat().st_size
    return subject.limits.file_bytes


def _take(paths: Sequence[str]) -> Sequence[str]:
    _tell("take", list(paths))
    given: list[str] = json.loads(sys.stdin.readline())
    return given


def _tell(kind: str, value: Any) -> None:
    sys.stdout.write(json.dumps({kind: value}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
