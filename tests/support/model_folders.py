"""Tiny model folders: one file, no requirements but what a test adds, an environment in a second."""

from __future__ import annotations

import sys
from pathlib import Path

PYTHON = "{}.{}".format(*sys.version_info[:2])
WRAPPER = """
import os
import time

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput


class WordModel(BaseModelWrapper):
    def init(self, model_root):
        {init}
        with open(os.path.join(model_root, "words.txt"), encoding="utf-8") as file:
            self.words = set(file.read().split())

    def inference(self, item):
        {inference}
        return {{"bad": any(word in self.words for word in item["text"].split())}}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {{"text": mop_input.text}}

    def convert_model_output_to_mop_output(self, output):
        bad = int(output["bad"])
        labels = {{"no": 1 - bad, "yes": bad}}
        scores = {{"no": 1.0 - bad, "yes": float(bad)}}
        return MopInferenceOutput(
            {{"predicted_labels": {{"bad words": labels}}, "confidence_scores": {{"bad words": scores}}}}
        )
"""


def write_model(folder: Path, *, init: str = "pass", inference: str = "pass", requirements: str = "") -> Path:
    """A model that obeys its task; `init` and `inference` are statements of one line that run first."""
    files = {
        "model/words.txt": f"darn {folder.name}\n",
        "src/inference.py": WRAPPER.format(init=init, inference=inference),
        "src/requirements.txt": f"mop-utils>=2.0\n{requirements}",
        "src/settings.yml": f'env:\n  python: "{PYTHON}"\n  pip: "24.0"\n',
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def write_broken(folder: Path) -> Path:
    """A folder without its script: whoever takes it ends it at once, and nothing is built or started."""
    write_model(folder)
    (folder / "src" / "inference.py").unlink()
    return folder
