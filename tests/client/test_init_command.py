"""Folders of `mop init` with real checkpoints pass `mop check`: environment, cage, contract."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from cli.commands import mop

pytestmark = [
    pytest.mark.index,
    pytest.mark.sandbox,
    pytest.mark.second_tier,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("init"),
]


def check(folder: Path, home: Path) -> None:
    arguments = ("--task", str(folder / "task.json"), "--sample", f"@{folder / 'sample.json'}")
    result = mop("check", str(folder), *arguments, "--json", home=home, seconds=600)
    assert result.json["status"] == "verified", result.json
    assert result.json["error"] is None


def onnx_classifier(path: Path, *, side: int, labels: int) -> None:
    """An ONNX file: float images of 3 x side x side → Flatten → MatMul → Softmax. Written by hand: protobuf."""

    def number(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    def field(tag: int, value: int | bytes | str) -> bytes:
        if isinstance(value, int):
            return number(tag << 3) + number(value)
        data = value.encode() if isinstance(value, str) else value
        return number(tag << 3 | 2) + number(len(data)) + data

    def node(operator: str, inputs: list[str], output: str) -> bytes:
        return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operator)

    def tensor_type(*shape: int | str) -> bytes:
        dims = b"".join(field(1, field(1, one) if isinstance(one, int) else field(2, one)) for one in shape)
        return field(1, field(1, 1) + field(2, dims))

    features = 3 * side * side
    weights = struct.pack(f"<{features * labels}f", *((index % 7 - 3) / features for index in range(features * labels)))
    initial = field(1, features) + field(1, labels) + field(2, 1) + field(8, "w") + field(9, weights)
    graph = (
        field(1, node("Flatten", ["x"], "flat"))
        + field(1, node("MatMul", ["flat", "w"], "logits"))
        + field(1, node("Softmax", ["logits"], "scores"))
        + field(2, "images")
        + field(5, initial)
        + field(11, field(1, "x") + field(2, tensor_type("n", 3, side, side)))
        + field(12, field(1, "scores") + field(2, tensor_type("n", labels)))
    )
    path.write_bytes(field(1, 8) + field(2, "test") + field(7, graph) + field(8, field(2, 13)))


def test_a_scikit_learn_pipeline_passes_the_check(tmp_path: Path):
    texts, labels = ["you idiot", "you moron", "good day", "have fun"] * 5, ["yes", "yes", "no", "no"] * 5
    pipeline = make_pipeline(HashingVectorizer(n_features=256), LogisticRegression()).fit(texts, labels)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    folder = tmp_path / "folder"
    made = mop("init", str(folder), "--from", "sklearn", str(tmp_path / "pipeline.joblib"), home=tmp_path)
    assert made.code == 0, made.err
    check(folder, tmp_path)


def test_an_onnx_model_of_images_passes_the_check(tmp_path: Path):
    onnx_classifier(tmp_path / "images.onnx", side=16, labels=3)
    folder = tmp_path / "folder"
    made = mop(
        "init", str(folder), "--modality", "image", "--label-type", "ordinal", "--labels", "0,1,2",
        "--name", "Violence", "--from", "onnx", str(tmp_path / "images.onnx"), home=tmp_path,
    )  # fmt: skip
    assert made.code == 0, made.err
    check(folder, tmp_path)


def checkpoint(folder: Path, script: str, *packages: str, **environment: str) -> Path:
    """What a script saves at the path that it is given, with packages of an environment of its own."""
    uv, target = Path(sys.executable).with_name("uv"), folder / "checkpoint"
    (folder / "save.py").write_text(script, encoding="utf-8")
    for command in (
        [uv, "venv", "--python", sys.executable, folder / "saving"],
        [uv, "pip", "install", "--python", folder / "saving", *packages],
        [folder / "saving" / "bin" / "python", folder / "save.py", target],
    ):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=600, env={**clean, **environment}
        )
        assert done.returncode == 0, done.stderr
    return target


MLFLOW = """
import sys

import mlflow.sklearn
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

texts, labels = ["you idiot", "you moron", "good day", "have fun"] * 5, ["yes", "yes", "no", "no"] * 5
columns = ColumnTransformer([("text", HashingVectorizer(n_features=256), "text")])
model = make_pipeline(columns, LogisticRegression()).fit(pd.DataFrame({"text": texts}), labels)
mlflow.sklearn.save_model(model, sys.argv[1], serialization_format="cloudpickle")
"""


@pytest.mark.slow
def test_an_mlflow_model_passes_the_check(tmp_path: Path):
    saved = checkpoint(tmp_path, MLFLOW, "mlflow-skinny", "scikit-learn", "pandas")
    folder = tmp_path / "folder"
    made = mop("init", str(folder), "--from", "mlflow", str(saved), home=tmp_path)
    assert made.code == 0, made.err
    check(folder, tmp_path)


KERAS = """
import sys
from pathlib import Path

import keras

layers = keras.layers
model = keras.Sequential([layers.Input((16, 16, 3)), layers.Flatten(), layers.Dense(3, activation="softmax")])
model.save(sys.argv[1] + ".keras")
Path(sys.argv[1] + ".keras").rename(sys.argv[1])
"""


@pytest.mark.slow
def test_a_keras_model_of_images_passes_the_check(tmp_path: Path):
    saved = checkpoint(tmp_path, KERAS, "keras", "jax", "scipy", KERAS_BACKEND="jax")
    (tmp_path / "images.keras").write_bytes(saved.read_bytes())
    folder = tmp_path / "folder"
    made = mop(
        "init", str(folder), "--modality", "image", "--label-type", "ordinal", "--labels", "0,1,2",
        "--name", "Violence", "--from", "keras", str(tmp_path / "images.keras"), home=tmp_path,
    )  # fmt: skip
    assert made.code == 0, made.err
    check(folder, tmp_path)


TRANSFORMERS = """
import sys
from pathlib import Path

from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

words = "[PAD] [UNK] [CLS] [SEP] [MASK] you good idiot day fun have moron".split()
target = Path(sys.argv[1])
target.mkdir()
(target / "vocab.txt").write_text("\\n".join(words))
size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
names = {0: "no", 1: "yes"}
config = BertConfig(vocab_size=len(words), max_position_embeddings=64, id2label=names, **size)
BertForSequenceClassification(config).save_pretrained(target)
BertTokenizerFast(str(target / "vocab.txt"), model_max_length=64).save_pretrained(target)
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_transformers_model_of_texts_passes_the_check(tmp_path: Path):
    saved = checkpoint(tmp_path, TRANSFORMERS, "transformers", "torch")
    folder = tmp_path / "folder"
    made = mop("init", str(folder), "--labels", "no,yes", "--from", "transformers", str(saved), home=tmp_path)
    assert made.code == 0, made.err
    check(folder, tmp_path)
