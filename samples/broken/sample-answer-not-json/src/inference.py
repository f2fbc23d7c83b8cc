"""The model's own output holds what JSON has no form for: a time and a set."""

import datetime
from pathlib import Path

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput


class WordModel(BaseModelWrapper):
    def init(self, model_root):
        self.words = set(Path(model_root, "words.txt").read_text(encoding="utf-8").split())

    def inference(self, item):
        found = self.words.intersection(item["text"].lower().split())
        return {"bad": bool(found), "when": datetime.datetime.now(tz=datetime.timezone.utc), "found": found}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        bad = int(output["bad"])
        labels = {"no": 1 - bad, "yes": bad}
        scores = {"no": 1.0 - bad, "yes": float(bad)}
        return MopInferenceOutput(
            {"predicted_labels": {"bad words": labels}, "confidence_scores": {"bad words": scores}}
        )
