"""A first model folder: `inference.py` with the converters of a modality, requirements, settings, a sample, a task.

<folder>/model/…  src/inference.py  src/requirements.txt  src/settings.yml  sample.json  task.json
"""

from __future__ import annotations

import json
import shutil
import string
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Sequence

from mop_client.checkpoints import Pins, read_pins
from mop_client.errors import ClientError
from mop_client.words import LABEL_TYPES, MODALITIES

TEXT_SAMPLE = "You are welcome to join us on Friday."
PIP = "24.3.1"
_LABELS_MIN = {"Categorical": 2, "Ordinal": 3}
_LABELS_MAX = 20
# an image of 8 x 8 grey pixels
_PIXELS = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR42mNsYIAAJgaKGAAmCACQtTEKkQAAAABJRU5ErkJggg=="


@dataclass(frozen=True)
class Wish:
    """What a model folder is made for.

    Attributes:
        modality: of MODALITIES.
        label_type: of LABEL_TYPES.
        labels: in order; ascending where they are ordinal.
        taxonomy: what the output calls the taxonomy.
        framework: what wrote the checkpoint; None: there is none yet.
        checkpoint: the file or folder that it wrote.
        python: the model's Python, such as 3.11; None: the checkpoint's, else this one's.
    """

    modality: str
    label_type: str
    labels: tuple[str, ...]
    taxonomy: str
    framework: str | None = None
    checkpoint: Path | None = None
    python: str | None = None


@dataclass(frozen=True)
class Made:
    """What was written, and what could not be told from the checkpoint."""

    files: tuple[str, ...]
    notes: tuple[str, ...]


def write_model_folder(folder: Path, wish: Wish) -> Made:
    """Write a model folder; nothing that is there is overwritten.

    Raises:
        ClientError: the folder holds something, the labels break a rule, or the checkpoint is not what it should be.
    """
    _check(wish)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ClientError(f"{folder} holds something already.", hint="Give a folder that is empty or does not exist.")
    pins = read_pins(wish.framework, wish.checkpoint) if wish.framework and wish.checkpoint else Pins(())
    python = wish.python or _minor(pins.python) or f"{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "model").mkdir(parents=True)
    (folder / "src").mkdir()
    _place_checkpoint(folder / "model", wish)
    wanted = dict.fromkeys([*pins.lines, *_helpers(wish), "mop-utils>=3.0"])
    texts = {
        "src/inference.py": inference_code(wish),
        "src/requirements.txt": "".join(f"{line}\n" for line in wanted),
        "src/settings.yml": f'env:\n  python: "{python}"\n  pip: "{PIP}"\n',
        "sample.json": json.dumps(_sample(wish), indent=2) + "\n",
        "task.json": json.dumps([_task(wish)], indent=2) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())  # with the same line ends on every system
    return Made(("model/", *texts), pins.notes)


def inference_code(wish: Wish) -> str:
    """The text of inference.py."""
    framework = wish.framework or "none"
    values = {
        "title": f"A classifier of {_WORDS[wish.modality]}: {_NAMES[framework]}.",
        "taxonomy": json.dumps(wish.taxonomy, ensure_ascii=False),
        "labels": json.dumps(list(wish.labels), ensure_ascii=False),
        "checkpoint": json.dumps(wish.checkpoint.name if wish.checkpoint else ""),
        "imports": "\n".join(_imports(framework, wish.modality)),
        "texts": _TEXTS[wish.modality],
        "features": _features(framework, wish.modality),
        **_pieces_of_transformers(wish.modality),
    }
    kind = "image" if wish.modality == "Image" else "text"
    batch = _fill(f"{framework}_{kind}_batch", values) if framework in {"onnx", "keras"} else ""
    values["batch"] = batch
    parts = {
        "load": _fill(f"{framework}_load", values),
        "inputs": _inputs(wish, values),
        "outputs": _fill(f"outputs_{wish.label_type.lower()}", values),
        "scores": _fill(f"{framework}_scores", values),
    }
    return _fill("inference", {**values, **parts}) + "\n"


_WORDS = {"Text": "texts", "Image": "images", "ImageAndText": "texts with images"}
_NAMES = {
    "none": "the model is still to be put in",
    "sklearn": "scikit-learn",
    "onnx": "ONNX Runtime",
    "transformers": "Transformers",
    "mlflow": "MLflow",
    "keras": "Keras",
}
_TEXTS = {"Text": '[item["text"] for item in items]', "Image": "[]", "ImageAndText": "self._texts(items)"}


def _fill(name: str, values: dict[str, str]) -> str:
    text = resources.files("mop_client").joinpath("templates", f"{name}.py.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(values).rstrip("\n")


def _inputs(wish: Wish, values: dict[str, str]) -> str:
    """The converter of the modality, and what turns its items into what the framework takes."""
    parts = [_fill(f"inputs_{wish.modality.lower()}", values)]
    if wish.framework is not None and wish.modality != "Text":
        parts.append(_fill(f"helper_{wish.modality.lower()}", values))
    return "\n\n".join(parts)


def _imports(framework: str, modality: str) -> list[str]:
    if framework == "none":
        return ["import json", "from pathlib import Path", ""]
    standard = {"Image": ["base64", "io"], "ImageAndText": ["re"], "Text": []}[modality]
    packages = set(_PACKAGES[framework])
    if modality == "Image":
        packages |= {"from PIL import Image"}
        packages |= {"import numpy as np"} if framework == "sklearn" else set()
    elif framework == "mlflow":
        packages |= {"import pandas as pd"}
    if framework == "transformers":
        parts = _pieces_of_transformers(modality)
        packages |= {f"from transformers import {parts['automodel']}, {parts['prepare']}"}
    ordered = sorted(packages, key=lambda line: (line.startswith("from"), line.lower()))
    return [*(f"import {name}" for name in standard), "from pathlib import Path", "", *ordered]


_PACKAGES = {
    "sklearn": ("import joblib",),
    "onnx": ("import numpy as np", "import onnxruntime"),
    "transformers": ("import torch",),
    "mlflow": ("import mlflow.pyfunc", "import numpy as np"),
    "keras": ("import keras", "import numpy as np"),
}


def _features(framework: str, modality: str) -> str:
    if modality == "Image":  # as rows of numbers: the one line to change where the model was fitted on others
        return "[np.asarray(one.resize((32, 32)), float).ravel() / 255 for one in self._pictures(items)]"
    if framework == "mlflow":
        return f'pd.DataFrame({{"text": {_TEXTS[modality]}}})'
    return _TEXTS[modality]


def _pieces_of_transformers(modality: str) -> dict[str, str]:
    if modality == "Image":
        return {
            "prepare": "AutoImageProcessor",
            "automodel": "AutoModelForImageClassification",
            "prepared": 'self.prepare(images=self._pictures(items), return_tensors="pt")',
        }
    return {
        "prepare": "AutoTokenizer",
        "automodel": "AutoModelForSequenceClassification",
        "prepared": f'self.prepare({_TEXTS[modality]}, padding=True, truncation=True, return_tensors="pt")',
    }


def _helpers(wish: Wish) -> Sequence[str]:
    """Packages that inference.py needs beside the framework's."""
    if wish.framework is None:
        return ()
    return ("pillow",) if wish.modality == "Image" else ()


def _check(wish: Wish) -> None:
    for value, known, what in (
        (wish.modality, MODALITIES, "modality"),
        (wish.label_type, LABEL_TYPES, "label type"),
    ):
        if value not in known:
            raise ClientError(f"There is no {what} {value!r}.", hint=f"Choose one of {', '.join(known)}.")
    least = _LABELS_MIN[wish.label_type]
    if not least <= len(wish.labels) <= _LABELS_MAX or len(set(wish.labels)) != len(wish.labels) or "" in wish.labels:
        raise ClientError(
            f"{wish.label_type} tasks have {least} to {_LABELS_MAX} different labels.",
            hint="Give them in order, such as --labels no,yes.",
        )
    if (wish.framework is None) != (wish.checkpoint is None):
        raise ClientError("A checkpoint and what wrote it belong together.", hint="Give --from FRAMEWORK PATH.")


def _place_checkpoint(folder: Path, wish: Wish) -> None:
    if wish.checkpoint is None:
        share = 1 / len(wish.labels)
        (folder / "prior.json").write_text(json.dumps([share] * len(wish.labels)) + "\n", encoding="utf-8")
    elif wish.checkpoint.is_dir():
        shutil.copytree(wish.checkpoint, folder / wish.checkpoint.name)
    else:
        shutil.copy2(wish.checkpoint, folder / wish.checkpoint.name)


def _sample(wish: Wish) -> dict[str, object]:
    """An item of `inference()`."""
    if wish.modality == "Image":
        return {"image": _PIXELS}
    if wish.modality == "ImageAndText":
        return {"text": f"{TEXT_SAMPLE} ##{{image_0}}", "images": [_PIXELS]}
    return {"text": TEXT_SAMPLE}


def _task(wish: Wish) -> dict[str, object]:
    """What `mop check --task` takes."""
    return {
        "taxonomy": wish.taxonomy,
        "customized_name": wish.taxonomy,
        "modality": wish.modality,
        "label_type": wish.label_type,
        "labels": list(wish.labels),
    }


def _minor(version: str | None) -> str | None:
    return ".".join(version.split(".")[:2]) if version else None
