from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest

from mop.environments import Interpreter, choose_interpreter, find_interpreters
from mop.errors import SettingsFileError

AVAILABLE = [
    Interpreter(version, Path("/p") / version) for version in ("3.11.2", "3.9.18", "3.11.10", "3.11.7", "3.10.13")
]
RUNNING = "{}.{}.{}".format(*sys.version_info[:3])


def test_the_running_interpreter_is_found_by_its_full_path() -> None:
    found = {one.version: one for one in find_interpreters([Path(sys.base_prefix)])}
    assert found[RUNNING].path.is_absolute()
    assert not found[RUNNING].path.is_symlink()


def test_shims_virtual_environments_and_missing_folders_are_passed_over(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("python3.11", "python3.x", "python3.9"):
        (shims / name).write_text('#!/bin/sh\nexec python3 "$@"\n')
        (shims / name).chmod(0o755)
    (shims / "python3.8").write_bytes(b"\x7fELF and then nothing")
    assert find_interpreters([shims, tmp_path / "env", tmp_path, tmp_path / "missing"]) == []


def test_the_exact_patch_is_chosen() -> None:
    choice = choose_interpreter("3.11.2", AVAILABLE)
    assert (choice.interpreter.version, choice.note) == ("3.11.2", None)


def test_a_minor_gets_its_newest_patch_without_a_note() -> None:
    choice = choose_interpreter("3.11", AVAILABLE)
    assert (choice.interpreter.version, choice.note) == ("3.11.10", None)


def test_a_missing_patch_gets_the_newest_of_its_minor_and_says_so() -> None:
    choice = choose_interpreter("3.10.2", AVAILABLE)
    assert choice.interpreter.version == "3.10.13"
    assert choice.note is not None
    assert "3.10.2" in choice.note
    assert "3.10.13" in choice.note


def test_a_minor_that_is_not_here_names_what_is() -> None:
    with pytest.raises(
        SettingsFileError, match=r"no Python 3\.12\. It has: 3\.9\.18, 3\.10\.13, 3\.11\.2, 3\.11\.7, 3\.11\.10"
    ):
        choose_interpreter("3.12", AVAILABLE)
    with pytest.raises(SettingsFileError, match="It has: none"):
        choose_interpreter("3.1", [])
