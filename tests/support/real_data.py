"""Datasets made of real, public moderation data, which lie outside of the project and are read where they are.

`MOP_REAL_DATA` names the folder; `.ci/run` requires it. What is made of it lives in memory or in a test's folder.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

MODERATION = {"H": "Hate", "S": "Sexual", "V": "Violence", "SH": "Self-harm"}
HATE_LEVELS = ("none", "H", "H2")


def real_data() -> Path:
    """The folder of the data; a test that needs it is skipped where there is none."""
    folder = os.environ.get("MOP_REAL_DATA")
    if not folder:
        pytest.skip("MOP_REAL_DATA names no folder")
    return Path(folder)


def moderation_dataset() -> bytes:
    """`text` and four Binary columns, of the samples that have all four labels. Line breaks became spaces."""
    samples = [sample for sample in _moderation() if MODERATION.keys() <= sample.keys()]
    return _file(
        ("text", *MODERATION.values()),
        ((_one_line(str(sample["prompt"])), *(str(sample[key]) for key in MODERATION)) for sample in samples),
    )


def hate_levels_dataset() -> bytes:
    """`text` and the Ordinal column `hate`: none < H < H2, of the samples that have both labels."""
    samples = [sample for sample in _moderation() if {"H", "H2"} <= sample.keys()]
    return _file(
        ("text", "hate"),
        (
            (_one_line(str(sample["prompt"])), "H2" if sample["H2"] else "H" if sample["H"] else "none")
            for sample in samples
        ),
    )


def hatecheck_dataset() -> bytes:
    """`text`, the Binary column `hateful`, and `functionality` and `target` for slices."""
    with (real_data() / "hatecheck" / "test_suite_cases.csv").open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    return _file(
        ("text", "hateful", "functionality", "target"),
        (
            (
                _one_line(case["test_case"]),
                str(int(case["label_gold"] == "hateful")),
                case["functionality"],
                case["target_ident"] or "nobody",
            )
            for case in cases
        ),
    )


def _moderation() -> list[dict[str, str | int]]:
    with gzip.open(real_data() / "openai-moderation" / "samples.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _file(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue().encode()
