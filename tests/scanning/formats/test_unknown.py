"""What no format recognises is never clean, and followed as far as any loader would."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import plain
from security.hostile_structures import field

NODE = field(1, b"n") + field(2, b"WriteFile")


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (field(8, field(2, 17)) + field(7, field(1, field(4, b"PyOp"))) + field(1, 8), "custom-operator"),
        (field(7, field(1, field(4, b"PyOp"))), "custom-operator"),
        (field(2, field(1, field(3, NODE))), "graph-operation"),
        (field(4, field(1, 7)) + field(1, NODE), "graph-operation"),
        (field(1, field(2, b"WriteFile") + field(1, b"n")), "graph-operation"),
        (field(2, field(1, field(4, b"serve")) + field(2, field(2, field(1, field(3, NODE))))), "graph-operation"),
        (field(1, field(5, b'{"class_name": "Lambda"}') + field(4, b"_tf_keras_layer")), "keras-lambda"),
        (b"\x98\x06\x01" + field(1, NODE), "graph-operation"),  # a field that nobody knows, in front
    ],
)
def test_a_message_with_its_fields_in_another_order_is_followed_all_the_same(tmp_path: Path, content: bytes, rule: str):
    assert rule in rules(looked_at(tmp_path, content))


def test_a_pickle_without_a_header_is_followed(tmp_path: Path):
    assert rules(looked_at(tmp_path, plain("/tmp/marker")[2:])) == {"code-execution"}


def test_a_pickle_anywhere_in_it_is_found(tmp_path: Path):
    noise = b"\x07\x01" + random.Random(3).randbytes(9_000)  # noqa: S311 - bytes of no meaning
    assert verdict(tmp_path, noise).verdict == Verdict.NOT_FULLY_SCANNED
    assert verdict(tmp_path, noise + plain("/tmp/marker") + noise).verdict == Verdict.INFECTED
