"""The scan's process from outside: sudden ends, what is read, what is told."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mop.scanning import scanner_process
from mop.scanning.findings import Severity, Verdict
from mop.scanning.limits import ScanLimits
from mop.scanning.policy import decide
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject
from mop.scanning.scanners import NAMES
from scanning.looking import write
from security.hostile import plain
from support.cage import scan_cage
from support.policies import default_policy
from support.traces import processes_of


def _silent(_line: str) -> None:
    """Nobody reads the log."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model-folder"
    folder.mkdir()
    for name in ("a.pkl", "b.pkl", "c.pkl"):
        (folder / name).write_bytes(pickle.dumps({name: 1}))
    return folder


def verdicts(report: object) -> dict[str, str]:
    return {file.path: file.verdict for file in report.files}  # type: ignore[attr-defined]


async def test_a_file_over_which_the_scanner_dies_is_not_fully_scanned_and_the_others_are(model: Path):
    def kill_over_b(_scanner: str, path: str) -> None:
        if path == "b.pkl":
            for process in processes_of(model):
                os.kill(process.pid, signal.SIGKILL)

    def slow(argv: list[str]) -> list[str]:
        # the marker lets the test find the process
        return ["env", f"MOP_SCANNED={model}", *argv]

    (model / "b.pkl").write_bytes(os.urandom(80_000_000))
    lines: list[str] = []
    scanners = ["model-files"]
    report = await run_scanners(Subject(model), cage=slow, log=lines.append, progress=kill_over_b, scanners=scanners)
    assert verdicts(report) == {
        "a.pkl": Verdict.CLEAN,
        "b.pkl": Verdict.NOT_FULLY_SCANNED,
        "c.pkl": Verdict.CLEAN,
    }
    assert [(finding.rule, finding.severity) for finding in report.findings] == [("scanner-ended", Severity.CRITICAL)]
    assert decide(report, default_policy(), (), today=dt.date(2026, 1, 1)).blocked == report.findings
    assert report.depends_on_host
    assert any("did not come to the end of b.pkl" in line for line in lines)


async def test_one_end_of_a_process_is_no_fault_of_the_file(model: Path):
    starts = 0

    def ended_once(argv: list[str]) -> list[str]:
        nonlocal starts
        starts += 1
        return ended_at("b.pkl")(argv) if starts == 1 else argv

    report = await run_scanners(Subject(model), cage=ended_once, log=_silent, scanners=["model-files"])
    assert (starts, report.findings) == (2, ())
    assert set(verdicts(report).values()) == {Verdict.CLEAN}


async def test_a_file_that_takes_the_processor_for_too_long_ends_its_process_and_blocks(model: Path):
    used = "import time\nwhile True: time.process_time()"

    def busy(argv: list[str]) -> list[str]:  # what hangs in native code, where nothing of Python's interrupts it
        hangs = (
            "import mop.scanning.scanners.model_files as files, mop.scanning.job as job\n"
            "read = files.unwrap_file\n"
            "job._GRACE_SECONDS = 0\n"
            f"files.unwrap_file = lambda path, look: read(path, look) if path.name != 'b.pkl' else exec({used!r})\n"
            "job.main()\n"
        )
        return [argv[0], "-I", "-c", hangs]

    limits = ScanLimits(seconds=0.1, bytes_per_second=10**12)
    report = await run_scanners(Subject(model, limits=limits), cage=busy, log=_silent, scanners=["model-files"])
    assert [(one.path, one.severity) for one in report.findings] == [("b.pkl", Severity.CRITICAL)]
    assert "takes more processor time" in report.findings[0].message
    assert verdicts(report)["c.pkl"] == Verdict.CLEAN
    assert report.incomplete == {}


async def test_silence_by_the_clock_blocks_nothing_and_leaves_the_scan_incomplete(
    model: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scanner_process, "_PATIENCE_SECONDS", 2.0)

    def stopped(argv: list[str]) -> list[str]:
        program = '{ print; fflush() } /looking/ && /b.pkl/ { system("sleep 600") }'
        return ["env", f"MOP_SCANNED={model}", "sh", "-c", f"\"$@\" | awk '{program}'", "sh", *argv]

    limits = ScanLimits(seconds=0.1, bytes_per_second=10**12)
    report = await run_scanners(Subject(model, limits=limits), cage=stopped, log=_silent, scanners=["model-files"])
    assert [(one.path, one.severity) for one in report.findings] == [("b.pkl", Severity.MEDIUM)]
    assert report.incomplete == {"model-files": "at b.pkl, it took longer than it may"}
    assert verdicts(report) | {"b.pkl": ""} == {"a.pkl": Verdict.CLEAN, "b.pkl": "", "c.pkl": Verdict.CLEAN}
    assert processes_of(model) == []


def ended_at(path: str, *, scanner: str = "model-files") -> Callable[[list[str]], list[str]]:
    """Ends the job as soon as it says that this scanner looks at this file: nobody reads what it says then."""
    program = (
        '{ print; fflush() } /"begins"/ { begun = $0 } /"looking"/ && index($0, path) && index(begun, name) { exit }'
    )
    line = '"$@" | awk -v path="$PATTERN" -v name="$SCANNER" "$PROGRAM"'
    values = [f'PATTERN="{path}"', f'SCANNER="{scanner}"', f"PROGRAM={program}"]
    return lambda argv: ["env", *values, "sh", "-c", line, "sh", *argv]


async def test_a_scanner_that_dies_over_a_file_takes_nothing_from_the_others(model: Path):
    report = await run_scanners(Subject(model), cage=ended_at("b.pkl"), log=_silent)
    assert verdicts(report) == {
        "a.pkl": Verdict.CLEAN,
        "b.pkl": Verdict.NOT_FULLY_SCANNED,
        "c.pkl": Verdict.CLEAN,
    }
    assert [(finding.scanner, finding.rule) for finding in report.findings] == [("model-files", "scanner-ended")]
    assert report.scanners == NAMES
    assert report.incomplete == {}


async def test_what_ends_a_shared_process_is_looked_at_again_in_one_of_its_own(model: Path):
    starts = 0

    def ended_once(argv: list[str]) -> list[str]:
        nonlocal starts
        starts += 1
        return ended_at("b.pkl")(argv) if starts == 1 else argv

    lines: list[str] = []
    report = await run_scanners(
        Subject(model), cage=ended_once, log=lines.append, scanners=["structure", "model-files"]
    )
    assert set(verdicts(report).values()) == {Verdict.CLEAN}
    assert report.findings == ()
    assert any("model-files begins again in a process of its own" in line for line in lines)


async def test_after_too_many_ends_a_scanner_is_given_up_and_what_it_has_not_seen_is_not_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scanner_process, "ENDS_MAX", 3)
    folder = tmp_path / "folder"
    names = [f"{number:02}.txt" for number in range(5)]
    write(folder, dict.fromkeys(names, ""))
    report = await run_scanners(
        Subject(folder),
        cage=lambda argv: ["sh", "-c", '"$@" | head -n 2', "sh", *argv],
        log=_silent,
        scanners=["secrets"],
    )
    assert report.incomplete == {"secrets": "3 files ended it"}
    assert verdicts(report) == dict.fromkeys(names, Verdict.NOT_FULLY_SCANNED)
    assert len([finding for finding in report.findings if finding.rule == "scanner-ended"]) == 3


async def test_a_file_that_only_some_scanners_came_to_is_not_clean(model: Path):
    write(model, {"src/inference.py": "x = 1\n"})

    def without_model_files(argv: list[str]) -> list[str]:
        return [
            "sh",
            "-c",
            'read -r line; case $line in *model-files*) exit 3;; esac; printf %s "$line" | "$@"',
            "sh",
            *argv,
        ]

    report = await run_scanners(
        Subject(model), cage=without_model_files, log=_silent, scanners=["model-files", "source"]
    )
    assert report.scanners == ("source",)
    assert verdicts(report)["src/inference.py"] == Verdict.NOT_FULLY_SCANNED
    assert {file.reasons for file in report.files} == {("model-files did not come to it: it ended with status 3",)}


async def test_at_the_deadline_of_the_whole_what_was_not_seen_is_said_so(model: Path):
    def endless(_argv: list[str]) -> list[str]:
        told = '{"begins": "model-files"}\\n{"looking": "a.pkl"}\\n'
        return ["env", f"MOP_SCANNED={model}", "sh", "-c", f"cat > /dev/null; printf '{told}'; exec sleep 600"]

    report = await run_scanners(Subject(model), cage=endless, log=_silent, scanners=["model-files"], seconds=0.5)
    reason = "the whole scan takes longer than 0.5 s"
    assert report.incomplete == {"model-files": reason}
    assert set(verdicts(report).values()) == {Verdict.NOT_FULLY_SCANNED}
    assert all(reason in "".join(file.reasons) for file in report.files)
    assert processes_of(model) == []


@pytest.mark.parametrize(
    "report",
    [
        '{"files": [{"path": 7, "verdict": "clean", "reasons": []}]}',
        '{"files": [{"path": "a.pkl", "verdict": "fine", "reasons": []}]}',
        '{"files": "a.pkl", "findings": [], "scanners": [], "incomplete": {}}',
        '{"files": [{"path": "a.pkl", "verdict": "clean", "reasons": [1]}]}',
        "7",
    ],
)
async def test_reports_of_a_wrong_form_are_passed_over_and_their_files_are_not_clean(model: Path, report: str):
    told = "\n".join(
        ('{"begins": "model-files"}', '{"looking": "a.pkl"}', f'{{"report": {report}}}', '{"ended": "model-files"}')
    )
    cage = lambda _argv: ["sh", "-c", 'cat > /dev/null; echo "$1"', "sh", told]  # noqa: E731
    found = await run_scanners(Subject(model), cage=cage, log=_silent, scanners=["model-files"])
    assert set(verdicts(found).values()) == {Verdict.NOT_FULLY_SCANNED}


async def test_a_file_that_a_scanner_passes_over_is_not_clean_whatever_others_say(model: Path):
    write(model, {"src/inference.py": "x = 1\n"})

    def hasty(argv: list[str]) -> list[str]:
        told = '{"begins": "model-files"}\\n{"ended": "model-files"}\\n'
        line = f'read -r line; case $line in *model-files*) printf \'{told}\';; *) printf %s "$line" | "$@";; esac'
        return ["sh", "-c", line, "sh", *argv]

    report = await run_scanners(Subject(model), cage=hasty, log=_silent, scanners=["model-files", "source"])
    assert report.scanners == ("model-files", "source")
    assert verdicts(report)["src/inference.py"] == Verdict.NOT_FULLY_SCANNED
    assert {file.reasons for file in report.files} == {("model-files passed it over",)}


async def test_a_process_speaks_for_the_scanner_at_work_alone(model: Path):
    clean = {"files": [{"path": "a.pkl", "verdict": "clean", "reasons": []}], "scanners": [], "incomplete": {}}
    foreign = {"scanner": "secrets", "rule": "r", "severity": "critical", "path": "p", "message": "m", "hint": "m"}
    told = [{"ended": "source"}, {"begins": "source"}, {"report": {**clean, "findings": [foreign]}}]
    lines = "\n".join(json.dumps(one) for one in ({"begins": "model-files"}, *told))
    cage = lambda _argv: ["sh", "-c", 'cat > /dev/null; echo "$1"', "sh", lines]  # noqa: E731
    report = await run_scanners(Subject(model), cage=cage, log=_silent, scanners=["model-files", "source"])
    assert report.findings == ()
    assert set(verdicts(report).values()) == {Verdict.NOT_FULLY_SCANNED}


async def test_a_job_that_can_not_start_leaves_every_file_unscanned_with_the_reason(model: Path):
    def wrong(_argv: list[str]) -> list[str]:
        return ["sh", "-c", "echo no such thing >&2; exit 3"]

    report = await run_scanners(Subject(model), cage=wrong, log=_silent, scanners=["model-files"])
    assert set(verdicts(report).values()) == {Verdict.NOT_FULLY_SCANNED}
    assert report.incomplete == {"model-files": "no such thing"}
    assert report.scanners == ()


async def test_lines_that_are_no_answers_are_passed_over(model: Path):
    def noisy(argv: list[str]) -> list[str]:
        return ["sh", "-c", 'echo nonsense; echo "[1]"; exec "$@"', "sh", *argv]

    report = await run_scanners(Subject(model), cage=noisy, log=_silent, scanners=["model-files"])
    assert set(verdicts(report).values()) == {Verdict.CLEAN}


async def test_a_folder_that_can_not_be_listed_is_not_called_clean(model: Path):
    report = await run_scanners(
        Subject(model / "missing"), cage=lambda argv: argv, log=_silent, scanners=["model-files"]
    )
    assert report.scanners == ()
    assert "model-files" in report.incomplete


@pytest.mark.sandbox
async def test_in_the_cage_the_same_is_found(model: Path):
    (model / "c.pkl").write_bytes(plain("/tmp/fired"))
    subject = Subject(model)
    report = await run_scanners(subject, cage=scan_cage(subject), log=_silent, scanners=["model-files"])
    assert verdicts(report)["c.pkl"] == Verdict.INFECTED
    assert report.findings[0].to_dict()["details"] == {"global": "posix.system"}


async def test_a_cancelled_scan_leaves_no_process(model: Path):
    (model / "a.pkl").write_bytes(os.urandom(80_000_000))
    begun = asyncio.Event()

    def marked(argv: list[str]) -> list[str]:
        return ["env", f"MOP_SCANNED={model}", *argv]

    scan = asyncio.create_task(
        run_scanners(
            Subject(model),
            cage=marked,
            log=_silent,
            progress=lambda _scanner, _path: begun.set(),
            scanners=["model-files"],
        )
    )
    await begun.wait()
    assert processes_of(model)
    scan.cancel()
    with pytest.raises(asyncio.CancelledError):
        await scan
    assert processes_of(model) == []
