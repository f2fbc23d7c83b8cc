"""Words and threshold were pickled with numpy 2, and the requirements pin numpy 1."""

import pickle
from pathlib import Path

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput


class WordModel(BaseModelWrapper):
    def init(self, model_root):
        with open(Path(model_root, "words.pkl"), "rb") as file:
            saved = pickle.load(file)
        self.words, self.threshold = saved["words"], saved["threshold"]

    def inference(self, item):
        words = item["text"].lower().split()
        return {"bad": sum(word in self.words for word in words) > self.threshold}

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
