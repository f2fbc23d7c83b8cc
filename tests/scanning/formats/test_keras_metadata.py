"""What Keras writes beside a SavedModel: each layer is read, and no text of it passed over."""

from __future__ import annotations

from pathlib import Path

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile_structures import field


def test_the_layers_beside_a_saved_model_are_read(tmp_path: Path):
    def node(configuration: bytes) -> bytes:
        return field(1, field(3, b"root") + field(4, b"_tf_keras_sequential") + field(5, configuration))

    plain = node(b'{"class_name": "Dense"}' + b" " * 200_000)
    assert verdict(tmp_path, plain).verdict == Verdict.CLEAN
    assert rules(looked_at(tmp_path, plain + node(b'{"class_name": "Lambda"}'))) == {"keras-lambda"}
    assert rules(looked_at(tmp_path, node(b" " * (16 * 1024**2 + 1)))) == {"not-fully-scanned"}
