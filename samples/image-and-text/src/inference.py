"""Is a text with images an attempt to jailbreak an assistant?

A logistic model over phrases of the text, images that look like written text (instructions hidden in a picture), and
whether the text sends the reader to such an image by its placeholder.
"""

import base64
import io
import json
import math
import re
from pathlib import Path

import numpy as np
from PIL import Image

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput

NAME = "jailbreak attempt"
PLACEHOLDER = re.compile(r"##\{image_(\d+)\}")
LARGEST = 320


class JailbreakModel(BaseModelWrapper):
    def init(self, model_root, **kwargs):
        self.model = json.loads(Path(model_root, "weights.json").read_text(encoding="utf-8"))
        self.phrases = [(re.compile(phrase), weight) for phrase, weight in self.model["phrases"].items()]

    def inference(self, item, **kwargs):
        text = " ".join(PLACEHOLDER.sub(" ", item["text"]).lower().split())
        referred = {int(number) for number in PLACEHOLDER.findall(item["text"])}
        written = [looks_written(image) for image in item["images"]]
        logit = self.model["bias"] + sum(weight for phrase, weight in self.phrases if phrase.search(text))
        logit += self.model["written_image"] * max(written, default=0.0)
        logit += self.model["referred_image"] * max((written[i] for i in referred if i < len(written)), default=0.0)
        return {"attempt": 1 / (1 + math.exp(-logit))}

    def inference_batch(self, items, **kwargs):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input, **kwargs):
        return {"text": mop_input.text or "", "images": mop_input.images or []}

    def convert_model_output_to_mop_output(self, output, **kwargs):
        attempt = output["attempt"]
        labels = {"no": int(attempt < 0.5), "yes": int(attempt >= 0.5)}
        scores = {"no": 1 - attempt, "yes": attempt}
        return MopInferenceOutput({"predicted_labels": {NAME: labels}, "confidence_scores": {NAME: scores}})


def looks_written(data):
    """How much an image in base64 looks like writing, 0 to 1: two tones, many edges. An empty image does not."""
    if not data:
        return 0.0
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        image.thumbnail((LARGEST, LARGEST))
        grey = np.asarray(image.convert("L"), dtype=np.float64) / 255
    if min(grey.shape) < 2:
        return 0.0
    edges = (np.abs(np.diff(grey, axis=1)) > 0.3).mean()
    two_tones = ((grey < 0.25) | (grey > 0.75)).mean()
    return float(min(1.0, edges / 0.1) * two_tones)
