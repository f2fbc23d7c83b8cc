"""What a checkpoint says about the packages that wrote it; nothing in it is run."""

from __future__ import annotations

import importlib.metadata
import json
import pickle
import zipfile

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from mop_client.checkpoints import read_pins
from mop_client.errors import ClientError

HERE = importlib.metadata.version("scikit-learn")


def onnx_model(opset: int) -> bytes:
    """The head of an ONNX file: ir_version 8, producer, one operator set."""
    return bytes([0x08, 8, 0x12, 4]) + b"test" + bytes([0x42, 2, 0x10, opset])


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_scikit_learn_s_version_is_read_from_any_file_of_joblib(tmp_path, compress):
    path = tmp_path / "model.joblib"
    joblib.dump(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]), path, compress=compress)
    pins = read_pins("sklearn", path)
    assert pins.lines[0] == f"scikit-learn=={HERE}"
    assert {line.split("==")[0] for line in pins.lines} == {"scikit-learn", "joblib", "numpy", "scipy"}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_and_from_any_pickle(tmp_path, protocol):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), protocol))
    assert read_pins("sklearn", path).lines[0] == f"scikit-learn=={HERE}"


def test_another_version_s_companions_are_not_guessed(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"_sklearn_version": "0.24.2"}))
    pins = read_pins("sklearn", path)
    assert pins.lines == ("scikit-learn==0.24.2",)
    assert "pin them" in pins.notes[0]


def test_a_pickle_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([Bomb(), {"_sklearn_version": "1.5.2"}]))
    assert read_pins("sklearn", path).lines[0] == "scikit-learn==1.5.2"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("opset", "runtime"), [(9, "1.10"), (17, "1.12"), (21, "1.18"), (99, "1.22")])
def test_onnx_names_the_first_runtime_that_reads_its_operators(tmp_path, opset, runtime, monkeypatch):
    monkeypatch.setattr("mop_client.checkpoints._installed", lambda _name: None)
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_model(opset))
    assert read_pins("onnx", path).lines[0] == f"onnxruntime>={runtime}"


def test_transformers_mlflow_and_keras_say_what_wrote_them(tmp_path):
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "config.json").write_text(json.dumps({"transformers_version": "4.44.2"}))
    assert read_pins("transformers", tmp_path / "hf").lines[0] == "transformers==4.44.2"
    (tmp_path / "ml").mkdir()
    (tmp_path / "ml" / "MLmodel").write_text("flavors:\n  python_function:\n    python_version: 3.10.13\n")
    (tmp_path / "ml" / "requirements.txt").write_text("mlflow==2.16.0\n# a comment\nnumpy==1.26.4\n")
    pins = read_pins("mlflow", tmp_path / "ml")
    assert (pins.lines, pins.python) == (("mlflow==2.16.0", "numpy==1.26.4"), "3.10.13")
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
    assert read_pins("keras", tmp_path / "model.keras").lines[0] == "keras==3.5.0"


@pytest.mark.parametrize("framework", ["sklearn", "onnx", "transformers", "mlflow", "keras"])
def test_what_is_something_else_is_said(tmp_path, framework):
    other = tmp_path / "other"
    other.write_bytes(b"\xff\xff\xff\xff\xff nothing")
    with pytest.raises(ClientError) as caught:
        read_pins(framework, other)
    assert caught.value.hint
    with pytest.raises(ClientError, match="does not exist"):
        read_pins(framework, tmp_path / "missing")
