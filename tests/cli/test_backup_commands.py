"""`mop backup` and `mop restore` as commands: names, questions, refusals."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from cli.commands import free_port, mop
from support.prepared import copy_tables

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installation that has a user."""
    folder = tmp_path_factory.mktemp("made")
    copy_tables(folder / "installation")
    created = mop("createuser", "ada", "--admin", "--password-stdin", home=folder, stdin=f"{PASSWORD}\n")
    assert created.code == 0, created.err
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(made, tmp_path / "home")


def users(home: Path) -> list[str]:
    with sqlite3.connect(home / "installation" / "mop.db") as database:
        return [name for (name,) in database.execute("select username from accounts_user order by username")]


def test_a_backup_goes_into_a_folder_and_comes_back_only_after_a_yes(home: Path):
    folder = home / "backups"
    folder.mkdir()
    made = mop("backup", str(folder), home=home)
    assert made.code == 0, made.err
    (file,) = folder.iterdir()
    assert made.out == f"{file}\n"
    assert file.name.startswith("mop-")
    assert file.suffixes == [".tar", ".gz"]
    mop("createuser", "ben", "--password-stdin", home=home, stdin=f"{PASSWORD}\n")
    for stdin in ("n\n", ""):
        asked = mop("restore", str(file), home=home, stdin=stdin)
        assert asked.code == 130
        assert f"This replaces the installation at {home / 'installation'}" in asked.err
    assert users(home) == ["ada", "ben"]
    restored = mop("restore", str(file), "--yes", "--json", home=home)
    assert restored.code == 0, restored.err
    assert users(home) == ["ada"]
    aside = Path(restored.json["aside"])
    assert (aside / "mop.db").is_file()
    assert str(aside.parent) == restored.json["home"] == str(home / "installation")


def test_what_can_not_be_done_is_64_and_says_why(home: Path):
    taken = home / "taken.tar.gz"
    taken.write_text("not a backup")
    refused = mop("backup", str(taken), home=home)
    assert (refused.code, refused.out) == (64, "")
    assert f"{taken} exists already" in refused.err
    refused = mop("restore", str(taken), "--yes", home=home)
    assert refused.code == 64
    assert "BackupRefusedError: This is not a backup of MOP" in refused.err
    assert users(home) == ["ada"]
    nothing = mop("backup", str(home / "new.tar"), home=home, MOP_HOME=str(home / "empty"))
    assert nothing.code == 64
    assert "There is no installation to back up" in nothing.err
    assert not (home / "new.tar").exists()


def test_mop_up_refuses_a_home_that_was_left_half_replaced(home: Path):
    (home / "installation" / "restore-in-progress").write_text("what was there before is in X")
    refused = mop("up", "--port", str(free_port()), home=home)
    assert refused.code == 64
    assert "left half-replaced: what was there before is in X" in refused.err
