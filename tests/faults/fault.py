"""One fault: a change of MOP's code that makes it wrong, and the tests that must notice.

    breaks = "A worker whose work was given to another goes on writing."
    tests = ["tests/engine/test_fence.py::test_a_lost_worker_writes_nothing"]

    [[changes]]
    file = "src/mop/engine/fence.py"
    search = '''
        if cursor.fetchone() == (None,):
    '''
    replace = '''
        if cursor.fetchone() is not False:
    '''

A change is found by its text, so it survives that code moves to another file: `file` is only where to look first.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
SOURCES = ("src", "packages/mop-client/src", "packages/mop-utils/src")
KINDS = frozenset({".py", ".html", ".js", ".toml"})
DATABASES = frozenset({"sqlite", "postgresql"})
BREAKS_MAX = 200


class FaultError(Exception):
    """A fault that cannot be used as it stands; the message says why."""


@dataclass(frozen=True)
class Change:
    """A text of the code and what stands in its place."""

    file: str
    search: str
    replace: str


@dataclass(frozen=True)
class Fault:
    """Attributes:
    name: of its file, without the ending.
    breaks: what no longer holds, as one sentence.
    tests: pytest's names of the tests that must fail.
    changes: of the code.
    database: the database that the tests run on.
    """

    name: str
    breaks: str
    tests: tuple[str, ...]
    changes: tuple[Change, ...]
    database: str = "sqlite"


def read_faults(folder: Path = FOLDER) -> list[Fault]:
    """Every fault, in the order of the names.

    Raises:
        FaultError: a file is not in the form above.
    """
    return [read_fault(path) for path in sorted(folder.glob("*.toml"))]


def read_fault(path: Path) -> Fault:
    """One fault.

    Raises:
        FaultError: the file is not in the form above.
    """
    try:
        content = tomllib.loads(path.read_text())
        changes = tuple(Change(**change) for change in content.pop("changes"))
        fault = Fault(name=path.stem, changes=changes, tests=tuple(content.pop("tests")), **content)
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise FaultError(f"{path.name}: {error}") from error
    if not fault.changes or not fault.tests or not 0 < len(fault.breaks) <= BREAKS_MAX:
        raise FaultError(f"{path.name} needs changes, tests, and one sentence that says what it breaks")
    if fault.database not in DATABASES:
        raise FaultError(f"{path.name}: {fault.database!r} is none of {', '.join(sorted(DATABASES))}")
    return fault


def changed_files(fault: Fault, root: Path = REPOSITORY) -> dict[Path, str]:
    """The files that the fault changes below `root`, each with its new content. Nothing is written.

    Raises:
        FaultError: a text is not there exactly once, or what comes out is no Python.
    """
    texts: dict[Path, str] = {}
    for change in fault.changes:
        if change.search == change.replace:
            raise FaultError(f"{fault.name}: a change that changes nothing")
        path = _place(fault, change, root)
        texts[path] = texts.get(path, path.read_text()).replace(change.search, change.replace, 1)
    for path, text in texts.items():
        if path.suffix == ".py":
            try:
                compile(text, str(path), "exec", dont_inherit=True)
            except SyntaxError as error:
                raise FaultError(f"{fault.name}: {path.name} is no Python any more: {error}") from error
    return texts


def troubles_of(fault: Fault, root: Path = REPOSITORY) -> list[str]:
    """Why a fault is of no use in the repository as it is."""
    try:
        changed_files(fault, root)
    except FaultError as error:
        return [str(error)]
    return [f"{fault.name}: there is no test {test}" for test in fault.tests if not _is_there(test, root)]


def _place(fault: Fault, change: Change, root: Path) -> Path:
    """The one file that holds the text: the named one, else the only one of all."""
    named = root / change.file
    found = named.read_text().count(change.search) if named.is_file() else 0
    if found == 1:
        return named
    places = [path for path in _sources(root) for _ in range(path.read_text().count(change.search))]
    if len(places) == 1:
        return places[0]
    where = ", ".join(path.relative_to(root).as_posix() for path in places) or "nowhere"
    first = change.search.strip().partition("\n")[0]
    raise FaultError(f"{fault.name}: the text that begins with {first!r} must be there once; it is there: {where}")


def _sources(root: Path) -> list[Path]:
    return [path for folder in SOURCES for path in sorted((root / folder).rglob("*")) if path.suffix in KINDS]


def _is_there(test: str, root: Path) -> bool:
    file, _, name = test.partition("::")
    path = root / file
    function = name.partition("[")[0].rpartition("::")[2]
    return path.is_file() and bool(re.search(rf"def {re.escape(function)}\(", path.read_text()))
