"""`mop dataset check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets.made import IMAGE_HEADER, image_row, picture, table
from mop.cli.main import run

HEAD = ("text", "label", "group")
CLEAN = table(HEAD, ("a", "0", "x"), ("b", "1", "y"), ("c", "1", "y"))
FAULTY = table(HEAD, ("a", "0", "x"), ("b", "yes", "y"), ("c", "1"), ("d", "0", ""))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dataset.csv"


def check(file: Path, data: bytes, *arguments: str) -> int:
    file.write_bytes(data)
    return run(["dataset", "check", str(file), *arguments])


def test_a_clean_file_ends_with_0(file: Path, capsys: pytest.CaptureFixture[str]):
    assert check(file, CLEAN, "--modality", "text", "--label", "label", "--group-column", "group", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "status": "verified",
        "rows": 3,
        "size": len(CLEAN),
        "faults": [],
        "warnings": [],
        "counts": [],
        "labels": {"label": {"1": 2, "0": 1}},
        "groups": {"group": {"y": 2, "x": 1}},
    }


def test_faults_end_with_1_and_quote_cells(file: Path, capsys: pytest.CaptureFixture[str]):
    assert check(file, FAULTY, "--modality", "Text", "--label", "label", "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert result["status"] == "verifyFailed"
    assert [(one["kind"], one["row"], one["column"]) for one in result["faults"]] == [
        ("ragged-row", 4, None),
        ("empty-cell", 5, "column 3"),
        ("label-not-of-task", 3, "label"),
    ]
    assert "yes" in result["faults"][2]["message"]
    assert all(one["hint"] for one in result["faults"])


def test_people_read_a_table(file: Path, capsys: pytest.CaptureFixture[str]):
    assert check(file, FAULTY, "--modality", "Text", "--label", "label") == 1
    out = capsys.readouterr().out
    assert out.startswith("verifyFailed: 4 rows")
    assert "The label is none of the labels allowed" in out
    assert "hint: Use the labels of the connected tasks" in out


def test_duplicate_rows_are_a_warning_and_end_with_1(file: Path, capsys: pytest.CaptureFixture[str]):
    assert check(file, CLEAN + b"a\t0\tx\n", "--modality", "Text", "--label", "label", "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["status"], result["faults"]) == ("verified", [])
    assert [(one["kind"], one["row"]) for one in result["warnings"]] == [("duplicate-row", 5)]


def test_a_cell_cannot_steer_the_terminal(file: Path, capsys: pytest.CaptureFixture[str]):
    check(file, table(("text", "label"), ("a", "\x1b[2J0"), ("b", "1")), "--modality", "Text", "--label", "label")
    assert "\x1b" not in capsys.readouterr().out


def test_ordinal_levels_are_those_named(file: Path, capsys: pytest.CaptureFixture[str]):
    data = table(("text", "level"), ("a", "none"), ("b", "H"), ("c", "H2"))
    arguments = ("--modality", "Text", "--label", "level", "--label-type", "ordinal", "--json", "--labels")
    assert check(file, data, *arguments, "none,H,H2") == 0
    assert check(file, data, *arguments, "none,H") == 1
    capsys.readouterr()


def test_a_label_size_that_differs(file: Path, capsys: pytest.CaptureFixture[str]):
    data = table(("text", "kind"), ("a", "x"), ("b", "y"))
    arguments = ("--modality", "text", "--label", "kind", "--label-type", "multi-label", "--json", "--label-size")
    assert check(file, data, *arguments, "2") == 0
    capsys.readouterr()
    assert check(file, data, *arguments, "3") == 1
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["kind"], fault["row"], fault["column"]) == ("label-size", None, "kind")


def test_images_and_their_limit_of_pixels(file: Path, capsys: pytest.CaptureFixture[str]):
    data = table(IMAGE_HEADER, image_row(picture(), label="0"), image_row(picture(form="JPEG"), label="1"))
    assert check(file, data, "--modality", "Image", "--label", "label") == 0
    assert check(file, data, "--modality", "Image", "--label", "label", "--max-pixels", "47") == 1
    capsys.readouterr()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--label", "label"),
        ("--modality", "Video"),
        ("--modality", "Text", "--label", "text"),
        ("--modality", "Text", "--label", "label", "--label-size", "3"),
        ("--modality", "Text", "--label", "label", "--label-type", "fuzzy"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_64(file: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert check(file, CLEAN, *arguments) == 64
    capsys.readouterr()


def test_a_file_that_is_not_there_ends_with_64(file: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["dataset", "check", str(file), "--modality", "Text"]) == 64
    capsys.readouterr()
