"""`python scan_verdicts_rivals.py TOOL FOLDER`: another scanner over each file of a folder, in its own environment.

Standard output: JSON lines {"file", "said", "why"}, said being one of blocks, warns, unread, silent; the last is
{"cpu": seconds, with the import}. Each file is looked at by itself and may take 20 seconds.
"""

# ruff: noqa: PLC0415 - each tool is imported where it is used

from __future__ import annotations

import contextlib
import io
import json
import logging
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 20
Said = tuple[str, str]


def modelaudit() -> Callable[[Path], Said]:
    from modelaudit.core import scan_model_directory_or_file

    def look(path: Path) -> Said:
        result = scan_model_directory_or_file(str(path), timeout=SECONDS, cache_enabled=False)
        severities = {str(getattr(issue.severity, "value", issue.severity)): issue.message for issue in result.issues}
        if "critical" in severities:
            return "blocks", severities["critical"]
        if "warning" in severities:
            return "warns", severities["warning"]
        outcomes = [one.model_dump().get("scan_outcome") for one in result.file_metadata.values()]
        if "inconclusive" in outcomes or not result.success or any(one.type == "unknown" for one in result.assets):
            return "unread", ""
        return "silent", ""

    return look


def modelscan() -> Callable[[Path], Said]:
    from modelscan.modelscan import ModelScan

    def look(path: Path) -> Said:
        result: dict[str, Any] = ModelScan().scan(str(path))
        counts = result["summary"]["total_issues_by_severity"]
        if counts.get("CRITICAL") or counts.get("HIGH"):
            return "blocks", result["issues"][0]["description"]
        if counts.get("MEDIUM") or counts.get("LOW"):
            return "warns", result["issues"][0]["description"]
        if result["errors"] or not result["summary"]["scanned"]["total_scanned"]:
            return "unread", ""
        return "silent", ""

    return look


def picklescan() -> Callable[[Path], Said]:
    from picklescan.scanner import scan_file_path

    def look(path: Path) -> Said:
        result = scan_file_path(str(path))
        if result.infected_files:
            return "blocks", ", ".join(f"{one.module}.{one.name}" for one in result.globals)
        if result.scan_err or not result.scanned_files:
            return "unread", ""
        return ("warns" if result.suspicious_count else "silent"), ""

    return look


def fickling() -> Callable[[Path], Said]:
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle

    def look(path: Path) -> Said:
        with path.open("rb") as file:
            stacked = StackedPickle.load(file)
        worst = max((check_safety(one).severity for one in stacked), key=lambda one: one.value)
        if worst.value > Severity.SUSPICIOUS.value:
            return "blocks", str(worst)
        return ("silent" if worst == Severity.LIKELY_SAFE else "warns"), str(worst)

    return look


def too_long(_signal: int, _frame: object) -> None:
    raise TimeoutError


def main() -> None:
    tool, folder = sys.argv[1], Path(sys.argv[2])
    logging.disable()
    look = {"modelaudit": modelaudit, "modelscan": modelscan, "picklescan": picklescan, "fickling": fickling}[tool]()
    signal.signal(signal.SIGALRM, too_long)
    out = sys.stdout
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        signal.alarm(SECONDS)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                said, why = look(path)
        except BaseException as error:  # noqa: BLE001 - a tool may end in any way; it is told
            said, why = "unread", f"{type(error).__name__}: {error}"
        signal.alarm(0)
        print(json.dumps({"file": str(path.relative_to(folder)), "said": said, "why": why[:200]}), file=out, flush=True)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime}), file=out)


if __name__ == "__main__":
    main()
