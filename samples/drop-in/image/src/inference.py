"""An image model that judges the bytes of the file; its output is set part by part after the constructor."""

import base64
import json
import zlib
from pathlib import Path

import mop_utils
from mop_utils import BaseModelWrapper, MopInferenceOutput


class ImageModel(BaseModelWrapper):
    def init(self, model_root):
        self.threshold = json.loads(Path(model_root, "weights.json").read_text(encoding="utf-8"))["threshold"]
        assert mop_utils.__version__

    def inference(self, item):
        data = base64.b64decode(item["image"])
        return {"score": zlib.crc32(data) / 2**32, "bytes": len(data), "size": [item["width"], item["height"]]}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {"image": mop_input.image, "width": mop_input.width, "height": mop_input.height}

    def convert_model_output_to_mop_output(self, output):
        score = output["score"]
        mop_output = MopInferenceOutput(
            {
                "predicted_labels": {"bad words": {"no": 1, "yes": 0}},
                "confidence_scores": {"bad words": {"no": 1, "yes": 0}},
            }
        )
        yes = bool(score >= self.threshold)  # 2.x takes True for 1; a MOP output wants the integer
        mop_output.predicted_labels = {"bad words": {"no": int(not yes), "yes": int(yes)}}
        mop_output.confidence_scores = {"bad words": {"no": 1.0 - score, "yes": score}}
        return mop_output
