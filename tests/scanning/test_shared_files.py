"""Several processes share the files of a large folder: each file is read by one, and none waits for a slow one."""

from __future__ import annotations

import pickle
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mop.scanning import shared_files
from mop.scanning.findings import Verdict
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject
from mop.scanning.shared_files import PROCESSES_MAX, SharedFiles, processes_for
from scanning.looking import write
from support.cage import scan_cage

NAMES = [f"{letter}.pkl" for letter in "abcdefgh"]


def _silent(_line: str) -> None:
    """Nobody reads the log."""


def lines_pass(then: str) -> Callable[[list[str]], list[str]]:
    """Runs a line of Python after each line that the job has told."""
    program = (
        "import os, subprocess, sys, time\n"
        "job = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n"
        "for line in job.stdout:\n"
        "    print(line, end='', flush=True)\n"
        f"    {then}\n"
    )
    return lambda argv: [sys.executable, "-c", program, *argv]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shared_files, "_SHARED_FILES", 2)
    # each is more than a process takes at once
    return write(tmp_path / "folder", {name: pickle.dumps(bytes(300_000)) for name in NAMES})


def test_a_file_is_given_to_one_process_and_to_that_one_again():
    files, first, second = SharedFiles(["a", "b", "c"]), object(), object()
    assert files.take(first, ["a", "b", "x", 7]) == ["a", "b"]
    assert files.take(second, ["a", "b", "c"]) == ["c"]
    assert files.take(first, ["a", "c"]) == ["a"]
    assert files.has(first, "a")
    assert not files.has(second, "a")


def test_a_small_folder_is_read_by_one_process_and_a_large_one_by_as_many_as_there_are_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    subject = Subject(write(tmp_path / "folder", dict.fromkeys(NAMES, "text")))
    assert processes_for(subject, 8) == (1, None)
    monkeypatch.setattr(shared_files, "_SHARED_BYTES", 10)
    for cpus, expected in ((1, 1), (2, 2), (64, PROCESSES_MAX)):
        assert processes_for(subject, cpus)[0] == expected


async def test_each_file_is_read_once(model: Path):
    seen: Counter[str] = Counter()
    subject = Subject(model)
    report = await run_scanners(
        subject,
        cage=scan_cage(subject),
        log=_silent,
        progress=lambda scanner, path: seen.update([path] if scanner == "model-files" else []),
        cpus=3,
    )
    assert seen == dict.fromkeys(NAMES, 1)
    assert {file.verdict for file in report.files} == {Verdict.CLEAN}
    assert len(report.files) == len(NAMES)


async def test_a_slow_file_keeps_no_other_from_being_read(model: Path, tmp_path: Path):
    """Whoever reads a.pkl gets no further before all others are read, which only another process can do."""
    others, seen = tmp_path / "others-are-read", set()

    waiting = f"while 'a.pkl' in line and 'looking' in line and not os.path.exists({str(others)!r}): time.sleep(0.05)"

    def progress(_scanner: str, path: str) -> None:
        seen.add(path)
        if len(seen) == len(NAMES):
            others.touch()

    report = await run_scanners(
        Subject(model),
        cage=lines_pass(waiting),
        log=_silent,
        progress=progress,
        scanners=["model-files"],
        cpus=2,
        seconds=120,
    )
    assert {file.path: file.verdict for file in report.files} == dict.fromkeys(NAMES, Verdict.CLEAN)
    assert report.incomplete == {}


async def test_a_process_says_nothing_of_files_that_are_not_its_own(model: Path):
    """One that a file has taken over claims to have looked at everything: it is not believed."""
    told = "".join(
        f'{{"looking": "{name}"}}\\n{{"report": {{"files": [{{"path": "{name}", "verdict": "clean", "reasons": []}}], '
        '"findings": [], "scanners": [], "incomplete": {}}}\\n'
        for name in NAMES
    )
    line = f'printf \'{{"begins": "model-files"}}\\n{told}{{"ended": "model-files"}}\\n\''
    report = await run_scanners(
        Subject(model), cage=lambda _argv: ["sh", "-c", line], log=_silent, scanners=["model-files"], cpus=2
    )
    assert {file.path: file.verdict for file in report.files} == dict.fromkeys(NAMES, Verdict.NOT_FULLY_SCANNED)


async def test_a_process_that_dies_is_started_again_behind_the_file_that_ended_it(model: Path):
    ending = "if 'c.pkl' in line and 'looking' in line: job.kill(); break"  # what it told meanwhile is not passed on
    report = await run_scanners(
        Subject(model),
        cage=lines_pass(ending),
        log=_silent,
        scanners=["model-files"],
        cpus=2,
    )
    expected = dict.fromkeys(NAMES, Verdict.CLEAN) | {"c.pkl": Verdict.NOT_FULLY_SCANNED}
    assert {file.path: file.verdict for file in report.files} == expected
