"""Uses every public part once, on each Python that the SDK promises: `python -I -S smoke.py <folder of mop_utils>`."""

import sys
from types import ModuleType

sys.path.insert(0, sys.argv[1])

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput
from mop_utils.constant import CM_MODEL_WRAPPER_NAME
from mop_utils.output_rules import TaskContract, check_output, check_outputs, predicted_label
from mop_utils.util import AcsTextResponse

TASK = TaskContract("Hate", "hate", "Ordinal", ("0", "1", "2"))


class Wrapper(BaseModelWrapper):
    def init(self, model_root):
        self.word = model_root

    def inference(self, item):
        return {"level": 2 if self.word in item["text"] else 0}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        labels = {label: int(int(label) <= output["level"]) for label in TASK.labels}
        return MopInferenceOutput({"predicted_labels": {"hate": labels}, "confidence_scores": {"hate": labels}})

    def convert_model_inference_output_to_acs_text_response(self, out):
        response = AcsTextResponse()
        response.hate.severity_level = out["level"]
        return response


wrapper = Wrapper()
wrapper.init("bad")
item = wrapper.convert_mop_input_to_model_input(MopInferenceInput().from_dict({"text": "a bad text"}))
answer = wrapper.inference_batch([item])[0]
output = wrapper.convert_model_output_to_mop_output(answer)
assert check_output(output, [TASK]) == check_outputs([output.output], 1, [TASK]) == []
assert predicted_label(output.predicted_labels["hate"], TASK) == "2"
assert wrapper.convert_model_inference_output_to_acs_text_response(answer).hate.severity_level == 2
huge = {"predicted_labels": {"hate": {"0": 10**5000}}, "confidence_scores": {"hate": {1: float("nan")}}}
assert [violation.error for violation in check_output(huge, [])][:2] == ["InvalidModelOutputError"] * 2
assert CM_MODEL_WRAPPER_NAME == "inference"
inference = sys.modules["inference"] = ModuleType("inference")
inference.Wrapper = Wrapper
Wrapper.__module__ = "inference"

from mop_utils.inference_wrapper import build_response, mop_init, mop_run  # noqa: E402

for batching in (None, {"max_batch_size": 4, "idle_batch_size": 2, "max_batch_interval": 0.01}):
    mop_init("bad", batching)
    found = build_response(mop_run([{"text": "good"}, {"text": "bad"}] * 5, True))
    assert [one["predicted_labels"]["hate"]["2"] for one in found] == [0, 1] * 5
foreign = {name.split(".")[0] for name in sys.modules} & {"numpy", "yaml", "pyraisdk"}
assert not foreign, foreign
sys.stdout.write("{}.{}\n".format(*sys.version_info[:2]))
