from __future__ import annotations

from pathlib import Path

import pytest

from faults.fault import FOLDER, Change, Fault, FaultError, changed_files, read_faults, troubles_of

FAULTS = read_faults()
FENCE = "def hold():\n    return lost\n"


def fault(search: str, replace: str, *tests: str, file: str = "src/mop/a.py") -> Fault:
    return Fault(name="f", breaks="It is broken.", tests=tests, changes=(Change(file, search, replace),))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "src/mop"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(FENCE)
    (folder / "b.py").write_text("LIMIT = 1\n")
    return tmp_path


@pytest.mark.parametrize("name", [one.name for one in FAULTS])
def test_a_fault_fits_the_code_and_its_tests_are_there(name: str):
    assert troubles_of(next(one for one in FAULTS if one.name == name)) == []


def test_the_table_lists_every_fault():
    rows = [line.split("`")[1] for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith("| `")]
    assert rows == [one.name for one in FAULTS]


def test_a_text_that_moved_to_another_file_is_found_there(root: Path):
    assert changed_files(fault("LIMIT = 1", "LIMIT = 2"), root) == {root / "src/mop/b.py": "LIMIT = 2\n"}
    assert changed_files(fault("LIMIT = 1", "LIMIT = 2", file="src/gone.py"), root) == {
        root / "src/mop/b.py": "LIMIT = 2\n"
    }


@pytest.mark.parametrize(("search", "told"), [("LIMIT = 3", "nowhere"), ("\n", "src/mop/a.py, src/mop/a.py")])
def test_a_text_that_is_not_there_once_is_refused(root: Path, search: str, told: str):
    with pytest.raises(FaultError, match=f"must be there once.*{told}"):
        changed_files(fault(search, "x"), root)


def test_what_would_be_no_python_is_refused(root: Path):
    with pytest.raises(FaultError, match="no Python any more"):
        changed_files(fault("LIMIT = 1", "LIMIT ="), root)


def test_a_test_that_is_gone_is_told(root: Path):
    (root / "tests").mkdir()
    (root / "tests/test_a.py").write_text("def test_it():\n    pass\n")
    there, gone = "tests/test_a.py::test_it[one]", "tests/test_a.py::test_others"
    assert troubles_of(fault("lost", "False", there, gone), root) == [f"f: there is no test {gone}"]
