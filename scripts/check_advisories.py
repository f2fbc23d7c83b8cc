"""Fail when a locked dependency of MOP has a known vulnerability; say so plainly when nobody could be asked.

    python scripts/check_advisories.py requirements/runtime.txt ...

pip-audit's exit status is not trusted: it is 0, with "No known vulnerabilities found", for packages that the service
did not know, and 1 for a vulnerability as for a missing network. Its report names each package, so that is read.
Without an answer the check passes with a note: a change is not to blame for a network.

MOP_OSV_URL asks another OSV service, as it does for models; ADVISORIES=required makes no answer a failure.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SECONDS = 600
ANSWER_SECONDS = "20"
NAMED_MAX = 10
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==", re.MULTILINE)


def main(files: list[str]) -> int:
    """Audit each lock file; the exit status."""
    return max([_audit(Path(file)) for file in files], default=0)


def _audit(lock: Path) -> int:
    pinned = {_canonical(name) for name in PIN.findall(lock.read_text(encoding="utf-8"))}
    report, reason = _ask(lock)
    if report is None:
        return _not_audited(lock, reason, len(pinned), len(pinned))
    answered = {_canonical(one["name"]): one for one in report}
    vulnerable = {name: one["vulns"] for name, one in answered.items() if one.get("vulns")}
    for name, found in sorted(vulnerable.items()):
        for one in found:
            hint = ", ".join(one["fix_versions"]) or "no release fixes it"
            print(f"{lock}: {name} {answered[name]['version']}: {one['id']} (fixed in: {hint})", file=sys.stderr)
    if vulnerable:
        return 1
    unknown = sorted(pinned - {name for name, one in answered.items() if "vulns" in one})
    if unknown:
        named = ", ".join(unknown[:NAMED_MAX]) + (", ..." if len(unknown) > NAMED_MAX else "")
        return _not_audited(lock, f"the service does not know {named}", len(unknown), len(pinned))
    print(f"{lock}: {len(pinned)} packages, none has an advisory")
    return 0


def _ask(lock: Path) -> tuple[list[dict[str, Any]] | None, str]:
    """What pip-audit reports of each package; None and the reason when it reports nothing."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "report.json")
        argv = [
            *(sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"),
            *("--vulnerability-service", "osv", "--timeout", ANSWER_SECONDS, "--progress-spinner", "off"),
            *("--cache-dir", folder, "--format", "json", "--output", str(output)),
        ]
        if url := os.environ.get("MOP_OSV_URL"):
            argv += ["--osv-url", f"{url.rstrip('/')}/v1/query"]
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True, timeout=SECONDS
            )
            return json.loads(output.read_text(encoding="utf-8"))["dependencies"], ""
        except subprocess.TimeoutExpired:
            return None, f"no answer within {SECONDS} s"
        except (OSError, ValueError):  # no report was written
            lines = done.stderr.strip().splitlines()
            return None, lines[-1][:300] if lines else f"pip-audit ended with status {done.returncode}"


def _not_audited(lock: Path, reason: str, missing: int, pinned: int) -> int:
    print(f"NOT AUDITED: {lock}: {missing} of {pinned} packages: {reason}", file=sys.stderr)
    return 1 if os.environ.get("ADVISORIES") == "required" else 0


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
