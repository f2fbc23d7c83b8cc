"""Links, pipes, sockets, names, sizes and disguises are told of; nothing is followed, and nothing is waited for."""

from __future__ import annotations

import os
import pickle
import socket
from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from mop.scanning.limits import ScanLimits
from mop.scanning.scanner import Subject
from mop.scanning.scanners.structure import FINDINGS_MAX, Structure
from scanning.looking import caged, only, rules, scanned, write


def test_an_ordinary_folder_gives_nothing(tmp_path: Path):
    write(tmp_path, {"src/inference.py": "", "model/wörter liste.txt": "a", "model/a.safetensors": b"\x08" + b"\0" * 9})
    report = scanned(Structure(), tmp_path)
    assert (report.files, report.findings) == ((), ())


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../src/../../x", "../.."])
def test_a_link_that_leads_out_is_infected(tmp_path: Path, target: str):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a.bin").symlink_to(target)
    report = scanned(Structure(), tmp_path)
    assert (only(report).rule, only(report).severity, only(report).path) == (
        "link-escape",
        Severity.CRITICAL,
        "model/a.bin",
    )
    assert report.files[0].verdict == Verdict.INFECTED


def test_a_link_inside_is_not_followed_and_not_clean(tmp_path: Path):
    write(tmp_path, {"model/a.bin": b"x"})
    (tmp_path / "model" / "again").symlink_to("../model")
    report = scanned(Structure(), tmp_path)
    assert rules(report) == {"model/again": ["link"]}
    assert [(file.path, file.verdict) for file in report.files] == [("model/again", Verdict.NOT_FULLY_SCANNED)]


def test_pipes_and_sockets_are_not_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "a.json")
    listening = socket.socket(socket.AF_UNIX)
    with listening:
        listening.bind(os.path.relpath(tmp_path / "b.json"))
        report = scanned(Structure(), tmp_path)
    assert rules(report) == {"a.json": ["special-file"], "b.json": ["special-file"]}
    assert {file.verdict for file in report.files} == {Verdict.NOT_FULLY_SCANNED}


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\x1b[2Jb", "photo\u202egnp.exe", "a\u200bb", " a", "a ", "a\\b", b"\xff\xfe", "a\u2028b", "\ufeffa"],
    ids=ascii,
)
def test_strange_names_are_told_in_plain_characters(tmp_path: Path, name: str | bytes):
    Path(tmp_path / os.fsdecode(name)).touch()
    report = scanned(Structure(), tmp_path)
    assert only(report).rule == "strange-name"
    assert only(report).message.isascii()
    assert only(report).message.isprintable()


def test_a_very_long_path_is_told(tmp_path: Path):
    folder = tmp_path.joinpath(*["x" * 200] * 6)
    folder.mkdir(parents=True)
    assert {finding.rule for finding in scanned(Structure(), tmp_path).findings} == {"strange-name"}


def test_folders_beyond_all_depth_end_the_look_at_them(tmp_path: Path):
    tmp_path.joinpath(*["d"] * 200).mkdir(parents=True)
    report = scanned(Structure(), tmp_path)
    assert only(report).rule == "not-fully-scanned"
    assert report.files[0].verdict == Verdict.NOT_FULLY_SCANNED


def test_a_folder_that_can_not_be_listed_is_told(tmp_path: Path):
    report = scanned(Structure(), tmp_path / "missing")
    assert only(report).rule == "not-fully-scanned"


def test_names_that_differ_in_case_or_in_unicode_form_alone(tmp_path: Path):
    write(tmp_path, {"A.txt": "", "a.txt": "", "\u00e9": "", "e\u0301": ""})
    assert list(rules(scanned(Structure(), tmp_path)).values()) == [["names-alike"], ["names-alike"]]


def test_counts_and_sizes_over_the_limits(tmp_path: Path):
    write(tmp_path, {f"{number}.bin": b"12345678" for number in range(5)})
    limits = ScanLimits(files=4, file_bytes=7, folder_bytes=39)
    found = rules(scanned(Structure(), Subject(tmp_path, limits=limits)))
    assert sorted(found.pop(".")) == ["large-folder", "many-files"]
    assert found == {f"{number}.bin": ["large-file"] for number in range(5)}


def test_far_too_many_files_end_it(tmp_path: Path):
    write(tmp_path, {f"{number}.bin": b"" for number in range(25)})
    report = scanned(Structure(), Subject(tmp_path, limits=ScanLimits(files=2)))
    assert rules(report) == {".": ["many-files", "not-fully-scanned"]}


def test_a_flood_of_findings_is_counted(tmp_path: Path):
    for number in range(FINDINGS_MAX + 7):
        (tmp_path / f"{number}").symlink_to("/")
    report = scanned(Structure(), tmp_path)
    assert len(report.findings) == FINDINGS_MAX + 1
    assert any("7 more findings" in finding.message for finding in report.findings)
    assert len(report.files) == FINDINGS_MAX + 7


def test_programs_by_their_mode(tmp_path: Path):
    write(tmp_path, {"model/a.bin": b"", "model/b.bin": b"", "src/run.sh": "", "model/c.bin": b""})
    (tmp_path / "model" / "a.bin").chmod(0o755)
    (tmp_path / "model" / "b.bin").chmod(0o744)
    (tmp_path / "src" / "run.sh").chmod(0o755)
    (tmp_path / "model" / "c.bin").chmod(0o4644)
    report = scanned(Structure(), tmp_path)
    assert rules(report) == {"model/a.bin": ["executable-bit"], "model/c.bin": ["set-user-id"]}
    assert report.findings[-1].severity == Severity.LOW


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", pickle.dumps({"a": 1})),
        ("weights.safetensors", b"PK\x03\x04rest"),
        ("picture.png", b"\x7fELF" + b"\0" * 60),
        ("words.txt", b"MZ\x90\0\x03"),
        ("notes.md", b"\xa7\r\r\n" + b"\0" * 12 + b"\xe3"),
    ],
)
def test_what_is_no_text_behind_the_name_of_one(tmp_path: Path, name: str, content: bytes):
    report = scanned(Structure(), write(tmp_path, {name: content}))
    assert rules(report) == {name: ["disguised"]}
    assert report.files[0].verdict == Verdict.SUSPICIOUS


@pytest.mark.parametrize("content", [b"MZ is a label", b"BZhou", b"{}", b"x^2", b"", b"\xff\xfea\0"])
def test_texts_that_begin_oddly_are_texts(tmp_path: Path, content: bytes):
    assert scanned(Structure(), write(tmp_path, {"a.txt": content})).findings == ()


@pytest.mark.sandbox
def test_it_says_the_same_in_the_cage(tmp_path: Path):
    folder = write(tmp_path / "folder", {"model/a.bin": b"x"})
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("/etc/passwd")
    report = caged(folder, "structure")
    assert rules(report) == {"link": ["link-escape"], "pipe": ["special-file"]}
    assert report.incomplete == {}
