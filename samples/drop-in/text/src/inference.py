"""A text model as mop-utils 2.x shows it: keyword arguments, annotations, a constructor of its own."""

from pathlib import Path
from typing import Dict, List

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput


class TextModel(BaseModelWrapper):
    def __init__(self) -> None:
        super().__init__()
        self.words = []

    def init(self, model_root: str, **kwargs):
        self.words = (Path(model_root) / "words.txt").read_text(encoding="utf-8").split()

    def inference(self, item: Dict, **kwargs) -> Dict:
        found = sum(item["text"].lower().count(word) for word in self.words)
        return {"score": 1 - 1 / (1 + found / 3), "found": found}

    def inference_batch(self, items: List[Dict], **kwargs) -> List[Dict]:
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input: MopInferenceInput, **kwargs) -> Dict:
        copy = MopInferenceInput(text=mop_input.text, images=mop_input.images)
        copy.width = mop_input.width
        return {"text": copy.text, "width": copy.width, "images": copy.images}

    def convert_model_output_to_mop_output(self, customized_output: Dict, **kwargs) -> MopInferenceOutput:
        score = customized_output["score"]
        labels = {"no": int(score < 0.5), "yes": int(score >= 0.5)}
        output = MopInferenceOutput(
            {
                "predicted_labels": {"bad words": labels},
                "confidence_scores": {"bad words": {"no": 1 - score, "yes": score}},
            }
        )
        return output.from_dict({**output.output, "more": "ignored"})
