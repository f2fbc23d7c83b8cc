"""The repository's own tools: the Makefile's help, the budgets plugin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.budgets import ALLOWED_SKIPS, BUDGETS, FAULTS_EXIT_STATUS, suite_of

REPOSITORY = Path(__file__).resolve().parents[1]
# plugins that these small runs do not use take a process a second to import
WITHOUT = [f"-pno:{name}" for name in ("anyio", "asyncio", "django", "hypothesispytest", "randomly", "schemathesis")]


def test_make_alone_lists_every_target():
    shown = subprocess.run(["make", "--no-print-directory"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    phony = re.findall(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)[0].split()
    assert re.findall(r"^  make ([a-z-]+) ", shown.stdout, flags=re.MULTILINE) == phony


def test_every_suite_has_a_budget():
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("test_*.py")} - {REPOSITORY / "tests"}
    suites = {suite_of(f"{folder.relative_to(REPOSITORY)}/test_x.py::test") for folder in folders}
    assert suites <= set(BUDGETS)


@pytest.mark.parametrize("pattern", ALLOWED_SKIPS)
def test_an_allowed_skip_names_tests_and_no_whole_file(pattern: str):
    file, _, test = pattern.partition("::")
    (function,) = re.findall(r"[a-z0-9_]+", re.split(r"\[", test.replace("*", " "), maxsplit=1)[0])[:1] or ("",)
    texts = [path.read_text() for path in REPOSITORY.glob(file)]
    assert texts
    assert any(f"def {function}" in text or function in text for text in texts)
    assert test.strip("*")


@pytest.mark.parametrize(("ci", "status"), [("true", FAULTS_EXIT_STATUS), ("", 0)])
def test_a_skip_that_is_not_allowed_fails_the_run_in_ci_alone(tmp_path: Path, ci: str, status: int):
    (tmp_path / "test_skipping.py").write_text(
        "import pytest\ndef test_a():\n    pytest.skip('no reason')\ndef test_b():\n    pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "support.budgets", *WITHOUT, "-q", "--rootdir", ".", "."],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY / "tests"), "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert "skipped: test_skipping.py::test_a: Skipped: no reason" in done.stdout
    assert re.search(r"^top +2 tests", done.stdout, flags=re.MULTILINE)


UNSTEADY = """
from pathlib import Path
def test_unsteady():
    seen = Path("a").exists()
    Path("a").touch()
    assert seen
"""
BROKEN = "def test_broken():\n    raise AssertionError\n"


def test_what_asks_for_more_time_than_others_comes_first(tmp_path: Path):
    files = {
        "tests/client/test_b.py": "import pytest\n@pytest.mark.timeout(900)\ndef test_long(): ...\ndef test_b(): ...\n",
        "tests/ui/test_a.py": "import pytest\n@pytest.mark.timeout(10)\ndef test_a(): pass\n",
        "tests/integration/test_c.py": "def test_c(): pass\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    options = ("-p", "support.budgets", *WITHOUT, "-o", "timeout=300", "--rootdir", ".")
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--collect-only", "-q", "tests"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.findall(r"::(\w+)", shown.stdout) == ["test_long", "test_c", "test_b", "test_a"]


SKIPPED = "import pytest\ndef test_skipped():\n    pytest.skip('no reason')\n"
FINE = "def test_fine():\n    pass\n"


@pytest.mark.parametrize(
    ("ci", "tests", "status"),
    [
        ("true", FINE + UNSTEADY, 0),
        ("true", FINE + UNSTEADY + BROKEN, 1),
        ("true", FINE + UNSTEADY + SKIPPED, FAULTS_EXIT_STATUS),
        ("true", FINE + "".join(BROKEN.replace("broken", f"b{n}") for n in range(6)) + UNSTEADY, 1),
        ("true", "raise AssertionError\n", 2),
        ("", FINE + UNSTEADY, 1),
    ],
    ids=["unsteady", "broken too", "a skip too", "many", "no test", "outside of CI"],
)
def test_a_test_that_fails_in_ci_has_one_more_try_and_is_named(tmp_path: Path, ci: str, tests: str, status: int):
    (tmp_path / "test_a.py").write_text(tests)
    (tmp_path / ".venv").symlink_to(REPOSITORY / ".venv")
    done = subprocess.run(
        ["sh", REPOSITORY / "scripts" / "run-tests.sh", *WITHOUT, "--rootdir", ".", "test_a.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY / "tests"), "CI": ci, "PROCESSES": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    told = "UNSTEADY: test_a.py::test_unsteady failed, and passed when it ran again alone" in done.stdout
    assert told == (status == 0)
