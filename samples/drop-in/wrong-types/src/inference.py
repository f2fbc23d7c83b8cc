"""Calls the constructors with wrong types on every inference, and lives by what they raise."""

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput

WRONG = {
    "no parts": {},
    "parts are None": {"predicted_labels": None, "confidence_scores": None},
    "a float as label": {"predicted_labels": {"a": {"x": 1.0}}, "confidence_scores": {"a": {"x": 1.0}}},
    "a text as score": {"predicted_labels": {"a": {"x": 1}}, "confidence_scores": {"a": {"x": "1.0"}}},
    "a list as labels": {"predicted_labels": {"a": [1]}, "confidence_scores": {"a": {"x": 1.0}}},
    "other labels": {"predicted_labels": {"a": {"x": 1}}, "confidence_scores": {"a": {"y": 1.0}}},
    "other taxonomies": {"predicted_labels": {"a": {"x": 1}}, "confidence_scores": {"b": {"x": 1.0}}},
    "a number as label name": {"predicted_labels": {"a": {1: 1}}, "confidence_scores": {"a": {1: 1.0}}},
    "a bool as label": {"predicted_labels": {"a": {"x": True}}, "confidence_scores": {"a": {"x": True}}},
    "a score over 1": {"predicted_labels": {"a": {"x": 1}}, "confidence_scores": {"a": {"x": 7}}},
}


class WrongTypes(BaseModelWrapper):
    def init(self, model_root):
        self.root = model_root

    def inference(self, item):
        found = {name: raised(MopInferenceOutput, wrong) for name, wrong in WRONG.items()}
        found["an input of nothing"] = raised(MopInferenceInput().from_dict, {"width": 3})
        found["an input of numbers"] = raised(MopInferenceInput, 1, 2, "3", 4.0, {"5": 6})
        found["too many arguments"] = raised(MopInferenceInput, 1, 2, 3, 4, 5, 6)
        found["no argument"] = raised(MopInferenceOutput)
        found["the base class"] = raised(BaseModelWrapper)
        return {"text": item["text"], "raised": found}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        labels = {"no": 1, "yes": 0}
        return MopInferenceOutput(
            {"predicted_labels": {"bad words": labels}, "confidence_scores": {"bad words": labels}}
        )


def raised(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return type(error).__name__
    return None
