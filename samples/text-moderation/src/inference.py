"""Profanity in English text: the linear model of the package alt-profanity-check, graded into four severities."""

import json
from pathlib import Path

from profanity_check import predict_prob

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput
from mop_utils.util import AcsTextResponse

NAME = "profanity"


class ProfanityModel(BaseModelWrapper):
    def init(self, model_root, **kwargs):
        severity = json.loads(Path(model_root, "severity.json").read_text(encoding="utf-8"))
        self.labels = severity["labels"]
        self.thresholds = [severity["thresholds"][label] for label in self.labels[1:]]

    def inference(self, item, **kwargs):
        return self.inference_batch([item])[0]

    def inference_batch(self, items, **kwargs):
        probabilities = predict_prob([item["text"] for item in items])
        return [self._graded(float(probability)) for probability in probabilities]

    def convert_mop_input_to_model_input(self, mop_input, **kwargs):
        return {"text": mop_input.text or ""}

    def convert_model_output_to_mop_output(self, output, **kwargs):
        levels = {label: int(index <= output["severity"]) for index, label in enumerate(self.labels)}
        scores = dict(zip(self.labels, output["scores"]))
        return MopInferenceOutput({"predicted_labels": {NAME: levels}, "confidence_scores": {NAME: scores}})

    def convert_acs_text_request_to_model_inference_input(self, req):
        return {"text": req.text}

    def convert_model_inference_output_to_acs_text_response(self, out):
        response = AcsTextResponse()
        response.hate.harmful_score = out["probability"]
        response.hate.severity_level = 2 * out["severity"]  # AACS grades 0, 2, 4, 6
        return response

    def _graded(self, probability):
        # The cumulative score of a severity is 0.5 where the probability meets its threshold, 0 at 0 and 1 at 1, so
        # scores fall along the ascending thresholds and exceed 0.5 exactly up to the predicted severity.
        scores = [1.0]
        for threshold in self.thresholds:
            if probability < threshold:
                scores.append(0.5 * probability / threshold)
            else:
                scores.append(0.5 + 0.5 * (probability - threshold) / (1 - threshold))
        severity = sum(probability >= threshold for threshold in self.thresholds)
        return {"probability": probability, "severity": severity, "scores": scores}
