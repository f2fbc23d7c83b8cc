"""Formats that are known by their marks: clean, and searched to their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from mop.scanning.formats import Head, format_of
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import plain

MARKED = {
    "images, sound, PDF": (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"%PDF-1.7",
        b"RIFF\0\0\0\0WEBP",
        b"\0\0\1\0\3\0\x10\x10\0",
    ),
    "Parquet, Arrow, Feather, ORC": (b"PAR1", b"ARROW1", b"FEA1", b"ORC"),
    "SQLite": (b"SQLite format 3\0",),
    "TFLite": (b"\x1c\0\0\0TFL3",),
    "XGBoost (UBJSON, deprecated binary), CatBoost, fastText, Faiss": (b"CBM1", b"binf", b"IxF2"),
}
MARKS = [(name, mark) for name, marks in MARKED.items() for mark in marks]


@pytest.mark.parametrize(("name", "mark"), MARKS)
def test_it_is_known_by_its_mark_and_searched(tmp_path: Path, name: str, mark: bytes):
    content = mark + bytes(range(256)) * 20
    assert format_of(Head(content[:4096], len(content))).name == name
    assert verdict(tmp_path, content).verdict == Verdict.CLEAN
    assert rules(looked_at(tmp_path, content + plain("/tmp/marker"))) == {"code-execution"}


def test_nothing_is_clean_and_a_piece_of_a_mark_is_not(tmp_path: Path):
    assert verdict(tmp_path, b"").verdict == Verdict.CLEAN
    assert verdict(tmp_path, b"\0\0\1\0\xff\xff" + bytes(range(1, 200))).verdict == Verdict.NOT_FULLY_SCANNED
