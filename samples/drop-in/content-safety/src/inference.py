"""Text and image requests of Azure AI Content Safety, converted there and back on every inference."""

import base64

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput
from mop_utils.util import AcsImageResponse, AcsTextResponse, AnalysisResult, ImageAnalysisInput, TextAnalysisInput

CATEGORIES = ("hate", "self_harm", "sexual", "violence")


class ContentSafetyModel(BaseModelWrapper):
    def init(self, model_root):
        self.root = model_root

    def inference(self, item):
        text = TextAnalysisInput()
        text.text = item["text"]
        image = ImageAnalysisInput()
        image.data = base64.b64encode(item["text"].encode())
        from_text = self.convert_acs_text_request_to_model_inference_input(text)
        from_image = self.convert_acs_image_request_to_model_inference_input(image)
        return {
            "items": [from_text, from_image],
            "text": shown(self.convert_model_inference_output_to_acs_text_response(from_text)),
            "image": shown(self.convert_model_inference_output_to_acs_image_response(from_image)),
            "empty": [TextAnalysisInput().text, len(ImageAnalysisInput().data), AnalysisResult().severity_level],
        }

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        worst = max(category[1] for category in output["text"].values())
        labels = {"no": int(worst < 4), "yes": int(worst >= 4)}
        return MopInferenceOutput(
            {"predicted_labels": {"bad words": labels}, "confidence_scores": {"bad words": labels}}
        )

    def convert_acs_text_request_to_model_inference_input(self, req):
        return {"length": len(req.text)}

    def convert_model_inference_output_to_acs_text_response(self, out):
        response = AcsTextResponse()
        for index, category in enumerate(CATEGORIES):
            result = AnalysisResult()
            result.severity_level = (out["length"] + index) % 8
            result.harmful_score = result.severity_level / 7
            setattr(response, category, result)
        return response

    def convert_acs_image_request_to_model_inference_input(self, req):
        return {"length": len(base64.b64decode(req.data))}

    def convert_model_inference_output_to_acs_image_response(self, out):
        response = AcsImageResponse()
        for index, category in enumerate(CATEGORIES):
            result = getattr(response, category)
            result.severity_level = (out["length"] + 2 * index) % 8
            result.harmful_score = 0.5
        return response


def shown(response):
    return {
        category: [getattr(response, category).harmful_score, getattr(response, category).severity_level]
        for category in CATEGORIES
    }
