"""Text with images: a base class with the work, one leaf with the conversions, both in this file."""

import re

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput


class Counting(BaseModelWrapper):
    def inference(self, item):
        used = [int(number) for number in re.findall(r"##\{image_(\d+)\}", item["text"])]
        sizes = [len(item["images"][number]) for number in used if number < len(item["images"])]
        return {"used": used, "sizes": sizes, "score": min(1.0, sum(sizes) / 100_000)}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]


class ImageAndTextModel(Counting):
    def init(self, model_root):
        self.root = model_root

    def convert_mop_input_to_model_input(self, mop_input):
        again = MopInferenceInput().from_dict(
            {"text": mop_input.text, "image": mop_input.image, "images": mop_input.images}
        )
        return {"text": again.text, "images": again.images or []}

    def convert_model_output_to_mop_output(self, output):
        score = output["score"]
        level = int(score >= 0.25) + int(score >= 0.5)
        labels = {label: int(index <= level) for index, label in enumerate(("low", "medium", "high"))}
        scores = {"low": 1.0, "medium": score, "high": score / 2}
        return MopInferenceOutput({"predicted_labels": {"level": labels}, "confidence_scores": {"level": scores}})
