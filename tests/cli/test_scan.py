"""`mop scan` as a contributor calls it before anything is uploaded."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from cli.commands import mop
from security.hostile import plain

pytestmark = pytest.mark.sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a model"
    folder.mkdir()
    (folder / "good.pkl").write_bytes(pickle.dumps({"a": 1}))
    return folder


def test_a_clean_folder_ends_with_0(folder: Path, tmp_path: Path):
    result = mop("scan", str(folder), home=tmp_path)
    assert (result.code, result.out.splitlines()[0]) == (0, "not vulnerable: 1 clean")


def test_what_blocks_ends_with_2_and_stands_in_the_first_lines(folder: Path, tmp_path: Path):
    (folder / "weights.txt").write_bytes(plain("/tmp/fired"))
    result = mop("scan", str(folder), home=tmp_path)
    assert result.code == 2
    assert result.out.splitlines()[:2] == ["vulnerable: 1 clean, 1 infected", "  infected: weights.txt"]
    assert "posix.system" in result.out
    assert "hint: Do not load this file." in result.out


def test_a_file_that_is_not_fully_scanned_warns_and_is_named(folder: Path, tmp_path: Path):
    (folder / "data.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    result = mop("scan", str(folder), home=tmp_path)
    assert result.code == 1
    assert "  not fully scanned: data.7z" in result.out.splitlines()[:2]


def test_json_holds_the_documented_fields_and_nothing_else_is_printed(folder: Path, tmp_path: Path):
    (folder / "bad.pkl").write_bytes(plain("/tmp/fired"))
    result = mop("scan", str(folder), "--json", home=tmp_path)
    said = json.loads(result.out)
    assert (result.code, said["decision"]) == (2, "vulnerable")
    assert {file["path"]: file["verdict"] for file in said["files"]} == {"bad.pkl": "infected", "good.pkl": "clean"}
    (found,) = said["findings"]
    assert {"path", "scanner", "rule", "severity", "message", "hint", "action"} <= set(found)


def test_an_installations_own_policy_holds_and_a_wrong_one_is_named(folder: Path, tmp_path: Path):
    (folder / "bad.pkl").write_bytes(plain("/tmp/fired"))
    home = tmp_path / "home"
    home.mkdir()
    (home / "policy.toml").write_text('block = "never"\n', encoding="utf-8")
    result = mop("scan", str(folder), home=tmp_path, MOP_HOME=str(home))
    assert (result.code, result.out.splitlines()[0]) == (1, "not vulnerable: 1 clean, 1 infected")
    (home / "policy.toml").write_text('blocks = "never"\n', encoding="utf-8")
    result = mop("scan", str(folder), home=tmp_path, MOP_HOME=str(home))
    assert result.code == 64
    assert "unknown keys blocks" in result.err
    assert "hint:" in result.err


def test_without_a_cage_it_finds_the_same(folder: Path, tmp_path: Path):
    (folder / "bad.pkl").write_bytes(plain("/tmp/fired"))
    assert mop("scan", str(folder), "--no-sandbox", home=tmp_path).code == 2


def test_files_that_only_their_owner_may_read_are_scanned_too(folder: Path, tmp_path: Path):
    deep = folder / "closed" / "deeper"
    deep.mkdir(parents=True)
    (deep / "bad.pkl").write_bytes(plain("/tmp/fired"))
    (folder / "link.pkl").symlink_to("/etc/passwd")
    for path in (deep / "bad.pkl", folder / "good.pkl"):
        path.chmod(0o600)
    for path in (deep, deep.parent, folder):
        path.chmod(0o700)
    result = mop("scan", str(folder), "--json", home=tmp_path)
    verdicts = {file["path"]: file["verdict"] for file in json.loads(result.out)["files"]}
    assert verdicts["closed/deeper/bad.pkl"] == "infected"
    assert verdicts["good.pkl"] == "clean"
    assert any(found["path"] == "link.pkl" for found in json.loads(result.out)["findings"])
    assert list((tmp_path / "installation").glob("scan-*")) == []
