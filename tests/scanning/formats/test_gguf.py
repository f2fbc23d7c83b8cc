"""GGUF: templates among its pairs, read to the last tensor."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def gguf(key: bytes, value: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(key) + value


@pytest.mark.parametrize("key", [b"tokenizer.chat_template", b"tokenizer.chat_template.tool_use"])
def test_a_template_that_reaches_for_python_is_infected(tmp_path: Path, key: bytes):
    def pair(template: bytes) -> bytes:
        return gguf(key, struct.pack("<I", 8) + text(template))

    assert rules(looked_at(tmp_path, pair(b"{{ x.__class__ }}"))) == {"template-code"}
    assert verdict(tmp_path, pair(b"{{ messages[0]['content'] }}")).verdict == Verdict.CLEAN


def test_one_that_breaks_off_is_not_fully_scanned(tmp_path: Path):
    whole = gguf(b"general.name", struct.pack("<I", 8) + text(b"tone"))
    assert verdict(tmp_path, whole).verdict == Verdict.CLEAN
    assert verdict(tmp_path, whole[:-2]).verdict == Verdict.NOT_FULLY_SCANNED
