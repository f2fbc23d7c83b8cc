"""Does an image show much blood-like red? A logistic regression over four colour features, all items at once."""

import base64
import json
from pathlib import Path

import numpy as np
from features import features_of, pixels_of

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput
from mop_utils.util import AcsImageResponse

NAME = "graphic"


class RednessModel(BaseModelWrapper):
    def init(self, model_root, **kwargs):
        model = json.loads(Path(model_root, "weights.json").read_text(encoding="utf-8"))
        self.weights = np.array(model["weights"])
        self.bias = model["bias"]

    def inference(self, item, **kwargs):
        return self.inference_batch([item])[0]

    def inference_batch(self, items, **kwargs):
        features = np.array([features_of(pixels_of(item["image"])) for item in items])
        # Not a matrix product: its rounding depends on the number of rows, and a batch must answer as single items do.
        logits = (features * self.weights).sum(axis=1) + self.bias
        return [{"graphic": float(probability)} for probability in 1 / (1 + np.exp(-logits))]

    def convert_mop_input_to_model_input(self, mop_input, **kwargs):
        return {"image": mop_input.image}

    def convert_model_output_to_mop_output(self, output, **kwargs):
        graphic = output["graphic"]
        labels = {"no": int(graphic < 0.5), "yes": int(graphic >= 0.5)}
        scores = {"no": 1 - graphic, "yes": graphic}
        return MopInferenceOutput({"predicted_labels": {NAME: labels}, "confidence_scores": {NAME: scores}})

    def convert_acs_image_request_to_model_inference_input(self, req):
        return {"image": base64.b64encode(req.data).decode("ascii")}

    def convert_model_inference_output_to_acs_image_response(self, out):
        response = AcsImageResponse()
        response.violence.harmful_score = out["graphic"]
        response.violence.severity_level = 4 if out["graphic"] >= 0.5 else 0
        return response
