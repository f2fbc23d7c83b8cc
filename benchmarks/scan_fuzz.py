"""Fuzzing of every reader of a scan: damaged, joined, started and repeated files, for as long as one likes.

    PYTHONPATH=tests .venv/bin/python benchmarks/scan_fuzz.py [--seconds 600] [--seed 1]

The files are those of `tests/scanning/formats/test_fuzz.py`, which draws some for seconds in each run of the tests.
Fails when a reader raises what no broken file should make it raise, when one file takes more than `--most-cpu` seconds
of CPU, or when the process holds more than a scan's 512 MiB. Prints how many files were read, the slowest, and the
highest resident memory. The same seed draws the same files.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from mop.hosting.caged_scan import SCAN_MEMORY_BYTES
from mop.scanning.findings import SCANNER_ENDED
from scanning.formats.reading import looked_at, rules
from scanning.formats.test_fuzz import LIMITS, REPEATED, STARTED, damaged

ROUND = 500
MIB = 1024**2


class Fuzzing:
    """What was read so far.

    Attributes:
        files: how many.
        slowest: the most seconds of CPU that one of them took, and how it begins.
    """

    def __init__(self, folder: Path) -> None:
        self.files = 0
        self.slowest = (0.0, b"")
        self._folder = folder

    def read(self, content: bytes) -> None:
        """Let a scan read one file."""
        started = time.process_time()
        look = looked_at(self._folder, content, limits=LIMITS)
        seconds = time.process_time() - started
        assert look.verdict().path == "file"
        assert SCANNER_ENDED not in rules(look), look.findings
        self.files += 1
        self.slowest = max(self.slowest, (seconds, content[:40]))

    def round(self, number: int) -> None:
        """Read some files more, others in each round."""

        @seed(number)
        @settings(
            max_examples=ROUND,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(content=damaged() | STARTED | REPEATED)
        def drawn(content: bytes) -> None:
            self.read(content)

        drawn()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most-cpu", type=float, default=2.0)
    arguments = parser.parse_args()
    number, until = arguments.seed * 1_000_000, time.monotonic() + arguments.seconds
    with tempfile.TemporaryDirectory() as folder:
        fuzzing = Fuzzing(Path(folder))
        while time.monotonic() < until:
            fuzzing.round(number)
            number += 1
    seconds, beginning = fuzzing.slowest
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{fuzzing.files:,} files, no error; {peak / MIB:.0f} MiB; the slowest {seconds:.2f} s of CPU: {beginning!r}")
    return 1 if seconds > arguments.most_cpu or peak > SCAN_MEMORY_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
