"""What a checkpoint says about the packages that wrote it. Nothing in it is run: it is read as bytes, JSON or YAML."""

from __future__ import annotations

import bz2
import gzip
import importlib.metadata
import json
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import yaml

from mop_client.errors import ClientError

HEAD_BYTES = 64 * 1024 * 1024
_SKLEARN = re.compile(
    rb"_sklearn_version.{0,12}?([0-9]+\.[0-9]+(?:\.[0-9]+)?(?:(?:rc|\.dev|\.post)[0-9]+)?)", re.DOTALL
)
# opset → the first onnxruntime that reads it
_OPSETS = {15: "1.10", 16: "1.11", 17: "1.12", 18: "1.14", 19: "1.15", 20: "1.17", 21: "1.18", 22: "1.21", 23: "1.22"}


@dataclass(frozen=True)
class Pins:
    """Requirements of a checkpoint.

    Attributes:
        lines: of requirements.txt.
        notes: what could not be told from the checkpoint.
        python: the Python that it was saved with, where it says so.
    """

    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()
    python: str | None = None


def read_pins(framework: str, path: Path) -> Pins:
    """The requirements of a checkpoint.

    Raises:
        ClientError: it is not one of that framework.
    """
    if not path.exists():
        raise ClientError(f"{path} does not exist.", hint="Give the path of the checkpoint.")
    readers: dict[str, Callable[[Path], Pins]] = {
        "sklearn": _sklearn, "onnx": _onnx, "transformers": _transformers, "mlflow": _mlflow, "keras": _keras
    }  # fmt: skip
    return readers[framework](path)


def _sklearn(path: Path) -> Pins:
    if path.is_dir():
        raise ClientError(f"{path} is a folder.", hint="Give the file that joblib.dump or pickle.dump wrote.")
    found = _SKLEARN.search(_plain(path))
    if found is None:
        raise ClientError(
            f"{path} names no scikit-learn that wrote it.",
            hint="Give the file of one fitted scikit-learn estimator, written by joblib.dump or pickle.dump.",
        )
    version = found[1].decode()
    # numpy, scipy and joblib are not named in the file: those beside the same scikit-learn here are the ones
    beside = ("joblib", "numpy", "scipy") if _installed("scikit-learn") == version else ()
    lines = [f"scikit-learn=={version}", *(f"{name}=={_installed(name)}" for name in beside)]
    notes = () if beside else ("The file does not say which numpy and joblib wrote it: pin them if you know.",)
    return Pins(tuple(lines), notes)


def _plain(path: Path) -> bytes:
    """The start of a pickle, unpacked where joblib packed it."""
    data = path.read_bytes()[:HEAD_BYTES]
    for opener in (gzip.decompress, zlib.decompress, bz2.decompress, lzma.decompress):
        try:
            return opener(data)[:HEAD_BYTES]
        except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError):
            continue
    return data


def _onnx(path: Path) -> Pins:
    try:
        opset = _opset(path.read_bytes())
    except (IndexError, ValueError, OSError) as error:
        raise ClientError(f"{path} is not an ONNX model.", hint="Give the .onnx file.") from error
    here = _installed("onnxruntime")
    if here:
        return Pins((f"onnxruntime=={here}", *_pinned("numpy")))
    least = _OPSETS.get(opset, "1.10" if opset < min(_OPSETS) else _OPSETS[max(_OPSETS)])
    note = f"An ONNX file names its operator set ({opset}), not a runtime: pin the onnxruntime that you tried it with."
    return Pins((f"onnxruntime>={least}", "numpy"), (note,))


def _opset(data: bytes) -> int:
    """The version of the default operator set: field 8 of the model, in it field 1 (domain) and 2 (version)."""
    found = 0
    for number, value in _fields(data):
        if number == 8 and isinstance(value, bytes):  # noqa: PLR2004 - opset_import
            parts = dict(_fields(value))
            if parts.get(1, b"") in {b"", b"ai.onnx"} and isinstance(parts.get(2), int):
                found = max(found, int(parts[2]))
    if not found:
        raise ValueError("no operator set")
    return found


def _fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """The fields of a protobuf message."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _number(data, at)
            found.append((tag >> 3, value))
            continue
        length, at = _number(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)  # noqa: PLR2004 - wire types
        if length < 0 or at + length > len(data):
            raise ValueError("not a protobuf message")
        found.append((tag >> 3, data[at : at + length]))
        at += length
    return found


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            return value, at
        if shift > 63:  # noqa: PLR2004 - 64 bits
            raise ValueError("not a protobuf message")


def _transformers(path: Path) -> Pins:
    config = _json(path / "config.json", "Give the folder that save_pretrained wrote.")
    version = config.get("transformers_version")
    if not isinstance(version, str):
        raise ClientError(
            f"{path / 'config.json'} names no transformers_version.", hint="Save it with save_pretrained."
        )
    torch = _installed("torch")
    notes = () if torch else ("The folder does not say which torch wrote it: pin it if you know.",)
    return Pins((f"transformers=={version}", f"torch=={torch.partition('+')[0]}" if torch else "torch"), notes)


def _mlflow(path: Path) -> Pins:
    listed = path / "requirements.txt"
    if not (path / "MLmodel").is_file() or not listed.is_file():
        raise ClientError(f"{path} is no MLflow model.", hint="Give the folder with MLmodel and requirements.txt.")
    lines = [line.strip() for line in listed.read_text(encoding="utf-8").splitlines()]
    described = yaml.safe_load((path / "MLmodel").read_text(encoding="utf-8")) or {}
    flavor = described.get("flavors", {}).get("python_function", {})
    python = str(flavor.get("python_version") or "") or None
    return Pins(tuple(line for line in lines if line and not line.startswith("#")), (), python)


def _keras(path: Path) -> Pins:
    try:
        with zipfile.ZipFile(path) as archive:
            version = json.loads(archive.read("metadata.json"))["keras_version"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ClientError(f"{path} is no Keras 3 model.", hint="Save it with model.save('model.keras').") from error
    tensorflow = _installed("tensorflow")
    notes = () if tensorflow else ("The file does not say which tensorflow ran it: pin it if you know.",)
    return Pins((f"keras=={version}", f"tensorflow=={tensorflow}" if tensorflow else "tensorflow", "numpy"), notes)


def _json(path: Path, hint: str) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClientError(f"{path} cannot be read.", hint=hint) from error
    return found if isinstance(found, dict) else {}


def _pinned(*names: str) -> list[str]:
    return [f"{name}=={version}" if (version := _installed(name)) else name for name in names]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
