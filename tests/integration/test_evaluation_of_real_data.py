"""Two text models on real moderation data, HateCheck with its slices; every number is computed again."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from pathlib import Path

import pytest

from support.evaluations import approved_dataset, document, finished
from support.installation import Installation
from support.model_folders import PYTHON
from support.real_data import hatecheck_dataset, moderation_dataset

pytestmark = [pytest.mark.sandbox, pytest.mark.second_tier]
TASK = "hateful text"
WRAPPER = """
import json, math, os, re
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput


class TextModel(BaseModelWrapper):
    def init(self, model_root):
        with open(os.path.join(model_root, "weights.json"), encoding="utf-8") as file:
            data = json.load(file)
        self.weights, self.bias = data["weights"], data["bias"]

    def inference(self, item):
        words = set(re.findall(r"[a-z']+", item["text"].lower()))
        value = self.bias + sum(self.weights.get(word, 0.0) for word in words)
        return {"score": 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        score = output["score"]
        bad = int(score >= 0.5)
        return MopInferenceOutput({
            "predicted_labels": {"hate": {"0": 1 - bad, "1": bad}},
            "confidence_scores": {"hate": {"0": 1 - score, "1": score}},
        })
"""


def test_two_text_models_on_moderation_data_and_hatecheck(mop: Installation):
    mop.start_worker(evaluation_start_seconds=1)
    with mop.as_administrator():
        body = {"name": TASK, "team": "the team", "modality": "Text", "taxonomy": "Hate"}
        mop.call("POST", "/tasks", body | {"label_type": "Categorical", "labels": ["0", "1"]})
    binary = {"task": TASK, "label_type": "Binary"}
    hatecheck, moderation = hatecheck_dataset(), moderation_dataset()
    approved_dataset(mop, "hatecheck", hatecheck, label="hateful", group_columns=["functionality", "target"], **binary)
    approved_dataset(mop, "moderation-hate", moderation, label="Hate", **binary)
    models = {
        "keywords": (dict.fromkeys(("hate", "despise", "disgust", "scum", "vermin", "kill"), 4.0), -2.0),
        "bayes": _bayes(moderation),
    }
    connections = [{"task": TASK, "customized_name": "hate"}]
    submitted = {
        name: mop.submit(_folder(mop.folders / name, *weights), connections=connections)
        for name, weights in models.items()
    }
    for name, revision in submitted.items():
        mop.wait(revision, "verified")
        found = finished(mop, revision.model, datasets=("hatecheck", "moderation-hate"))
        assert [one["name"] for one in found] == ["hatecheck", "moderation-hate"]
        for one, content, label in zip(found, (hatecheck, moderation), ("hateful", "Hate"), strict=True):
            shown = document(mop, one)
            assert shown["matrix"] == _expected(content, label, *models[name])
        slices = {(part["column"], part["value"]) for part in document(mop, found[0])["slices"]}
        assert {column for column, _ in slices} == {"functionality", "target", "text length"}
        assert len([1 for column, _ in slices if column == "functionality"]) > 20
        _verified_again(mop, revision.model, revision.version)


def _verified_again(mop: Installation, model: str, version: str) -> None:
    result = mop.run("-m", "mop.cli", "evaluation", "verify", model, version, "--json", seconds=300)
    assert result.returncode == 0, result.stdout + result.stderr
    for one in json.loads(result.stdout):
        assert one["holds"]
        assert {"rows", "confusion matrix", "macro f1", "area below the ROC curve of 1", "200 rows inferred again"} <= {
            check["name"] for check in one["checks"]
        }


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter="\t"))


def _bayes(content: bytes) -> tuple[dict[str, float], float]:
    """Log odds of words, by every second row of the moderation data."""
    counts = {"0": Counter[str](), "1": Counter[str]()}
    totals = Counter[str]()
    for row in _rows(content)[::2]:
        counts[row["Hate"]].update(_words(row["text"]))
        totals[row["Hate"]] += 1
    words = {word for word, count in (counts["0"] + counts["1"]).items() if count >= 3}
    weights = {
        word: math.log((counts["1"][word] + 1) / (totals["1"] + 2))
        - math.log((counts["0"][word] + 1) / (totals["0"] + 2))
        for word in sorted(words)
    }
    return weights, math.log(totals["1"] / totals["0"])


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z']+", text.lower()))


def _expected(content: bytes, label: str, weights: dict[str, float], bias: float) -> list[list[int]]:
    matrix = [[0, 0, 0], [0, 0, 0]]
    for row in _rows(content):
        value = bias + sum(weights.get(word, 0.0) for word in _words(row["text"]))
        score = 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))
        matrix[int(row[label])][int(score >= 0.5)] += 1
    return matrix


def _folder(folder: Path, weights: dict[str, float], bias: float) -> Path:
    files = {
        "model/weights.json": json.dumps({"weights": weights, "bias": bias}),
        "src/inference.py": WRAPPER,
        "src/requirements.txt": "mop-utils>=2.0\n",
        "src/settings.yml": f'env:\n  python: "{PYTHON}"\n  pip: "24.0"\n',
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder
