"""Find names and words that this project gave up, so that none comes back: the old word, and what to write instead.

Looks at every tracked file but the changelog, migrations and itself. Exit status 1 when something was found.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

GIVEN_UP = {
    # in a name too, where an underscore joins it to other words
    r"(?<![a-z])mend(s|ed|ing)?(?![a-z])": "hint (the name); fix, correct or repair (the verb)",
    r"(?<![a-z])Workshop(?![a-z])": "HostTools or BuildArea",
    r"\blook_again\b": "rescan_if_rebuilt",
    r"\b(QuietHost|quiet_host)\b": "HostLock, host_lock",
    r"\b(PatientWorker|patient_worker)\b": "SlowClientWorker, slow_client_worker",
    r"\b(read_order|order_of|TestOrder)\b": "read_job, LoadTestJob, OnboardingJob",
    r"\btelling\.py\b": "notices.py",
    r"\b(places|sections)\.py\b": "portal_extensions.py",
    r"\borders\.py\b": "jobs.py",
    r"(?<![\w/-])(garbage|matching|requests|board|lanes|roll)\.py\b": "the name that says of what",
    r"\blast owner stays\b": "the only owner",
    r"\blay other versions over\b": "compare with other versions",
    r"\bkept out\b": "disabled (an account)",
    r"\bbound to (a|this|the|no) task": "connected to a task",
    r"\btasks? that (it|a dataset) is bound to": "connected tasks",
    r"\bhow the log speaks of\b": "how the log names",
}
# the name of a file says of what it tells
GIVEN_UP_FILES = re.compile(
    r"(^|/)(telling|looks|places|sections|orders|garbage|matching|requests|board|lanes|roll)\.py$"
)
LEFT_OUT = re.compile(r"^CHANGELOG\.md$|/migrations/|_json_migrations\.py$|^scripts/check_words\.py$")


def main() -> int:
    """Print each place with what to write; the exit status."""
    tracked = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    found = 0
    for name in filter(None, tracked.split("\0")):
        path = Path(name)
        if GIVEN_UP_FILES.search(name):
            print(f"{name}: the name does not say of what")
            found += 1
        if LEFT_OUT.search(name) or not path.is_file():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for pattern, instead in GIVEN_UP.items():
                if match := re.search(pattern, line, re.IGNORECASE):
                    print(f"{name}:{number}: {match[0]!r}: write {instead}")
                    found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
