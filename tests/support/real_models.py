"""Small text models on real moderation data, which answer Azure AI Content Safety too: weights of words."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from support.model_folders import PYTHON

KEYWORDS = ("hate", "despise", "disgust", "scum", "vermin", "kill")
WRAPPER = """
import json, math, os, re
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput
from mop_utils.util import AcsTextResponse


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

    def convert_acs_text_request_to_model_inference_input(self, request):
        text = request.text
        LINKS
        return {"text": text}

    def convert_model_inference_output_to_acs_text_response(self, output):
        response = AcsTextResponse()
        response.hate.severity_level = LEVEL if output["score"] >= 0.5 else 0
        response.hate.harmful_score = output["score"]
        return response
"""
# a link without a path has no second part
BREAKS_ON_LINKS = 'text += text.partition("://")[2].split("/")[1] if "://" in text else ""'


@dataclass(frozen=True)
class WordWeights:
    """A text is bad when the weights of its words and the bias are 0 or more."""

    weights: dict[str, float]
    bias: float

    def label(self, text: str) -> str:
        """The label that the model predicts."""
        value = self.bias + sum(self.weights.get(word, 0.0) for word in _words(text))
        return str(int(1 / (1 + math.exp(-max(-30.0, min(30.0, value)))) >= 0.5))


def keywords() -> WordWeights:
    """Any of six words is bad."""
    return WordWeights(dict.fromkeys(KEYWORDS, 4.0), -2.0)


def bayes(content: bytes) -> WordWeights:
    """Log odds of words, by every second row of the moderation data."""
    counts = {"0": Counter[str](), "1": Counter[str]()}
    totals = Counter[str]()
    for row in rows_of(content)[::2]:
        counts[row["Hate"]].update(_words(row["text"]))
        totals[row["Hate"]] += 1
    words = {word for word, count in (counts["0"] + counts["1"]).items() if count >= 3}
    weights = {
        word: math.log((counts["1"][word] + 1) / (totals["1"] + 2))
        - math.log((counts["0"][word] + 1) / (totals["0"] + 2))
        for word in sorted(words)
    }
    return WordWeights(weights, math.log(totals["1"] / totals["0"]))


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of a file of `support.real_data`."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter="\t"))


def write_text_model(folder: Path, model: WordWeights, *, level: int = 4, breaks_on_links: bool = False) -> Path:
    """The folder of a model.

    Args:
        folder: where.
        model: what it predicts.
        level: the severity that it tells Content Safety of a bad text.
        breaks_on_links: its converter raises on a link without a path, which no input of MOP's is.
    """
    links = BREAKS_ON_LINKS if breaks_on_links else "pass"
    files = {
        "model/weights.json": json.dumps({"weights": model.weights, "bias": model.bias}),
        "src/inference.py": WRAPPER.replace("LINKS", links).replace("LEVEL", str(level)),
        "src/requirements.txt": "mop-utils>=2.0\n",
        "src/settings.yml": f'env:\n  python: "{PYTHON}"\n  pip: "24.0"\n',
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z']+", text.lower()))
