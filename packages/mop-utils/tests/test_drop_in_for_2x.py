"""What mop-utils 2.0 to 2.6 accept, raise and name, recorded from those releases as literals."""

import copy
import inspect
import math
import pickle
from types import MappingProxyType

import numpy as np
import pytest

import mop_utils
from mop_utils import base_model_wrapper, constant, util
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput

GOOD = {"predicted_labels": {"a": {"x": 1}}, "confidence_scores": {"a": {"x": 0.5}}}


def outcome_of(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return type(error)
    return None


def output_of(labels, scores):
    return {"predicted_labels": labels, "confidence_scores": scores}


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (mop_utils, {"BaseModelWrapper", "MopInferenceInput", "MopInferenceOutput", "__version__"}),
        (
            base_model_wrapper,
            {"BaseModelWrapper", "MopInferenceInput", "MopInferenceOutput", "MopInferenceOutputValidator"}
            | {"AcsImageResponse", "AcsTextResponse", "ImageAnalysisInput", "TextAnalysisInput"},
        ),
        (
            util,
            {"AcsImageResponse", "AcsTextResponse", "AnalysisResult", "ImageAnalysisInput", "TextAnalysisInput"}
            | {"MopInferenceOutputValidator"},
        ),
        (constant, {"CM_MODEL_WRAPPER_NAME"}),
    ],
)
def test_the_import_paths_of_2x_hold(module, names):
    assert names <= set(vars(module))


@pytest.mark.parametrize(
    ("callable_", "parameters"),
    [
        (MopInferenceInput, "(text=None, image=None, width=None, height=None, images=None)"),
        (MopInferenceInput.from_dict, "(self, input_dict)"),
        (MopInferenceOutput, "(raw_data_dict)"),
        (MopInferenceOutput.from_dict, "(self, raw_data_dict)"),
        (util.MopInferenceOutputValidator, "(mop_inference_output)"),
        (util.MopInferenceOutputValidator.validate, "(self)"),
        (BaseModelWrapper.__init__, "(self)"),
        (BaseModelWrapper.init, "(self, model_root, **kwargs)"),
        (BaseModelWrapper.inference, "(self, item, **kwargs)"),
        (BaseModelWrapper.inference_batch, "(self, item, **kwargs)"),
        (BaseModelWrapper.convert_mop_input_to_model_input, "(self, mop_input, **kwargs)"),
        (BaseModelWrapper.convert_model_output_to_mop_output, "(self, customized_output, **kwargs)"),
        (BaseModelWrapper.convert_acs_text_request_to_model_inference_input, "(self, req)"),
        (BaseModelWrapper.convert_model_inference_output_to_acs_text_response, "(self, out)"),
        (BaseModelWrapper.convert_acs_image_request_to_model_inference_input, "(self, req)"),
        (BaseModelWrapper.convert_model_inference_output_to_acs_image_response, "(self, out)"),
    ],
)
def test_the_parameters_of_2x_hold(callable_, parameters):
    signature = inspect.signature(callable_)
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    assert str(inspect.Signature(plain)) == parameters


def test_the_same_five_methods_are_abstract():
    assert BaseModelWrapper.__abstractmethods__ == {
        "init",
        "inference",
        "inference_batch",
        "convert_mop_input_to_model_input",
        "convert_model_output_to_mop_output",
    }


@pytest.mark.parametrize(
    "raw",
    [
        GOOD,
        {**GOOD, "more": object()},
        output_of({"a": {"x": True}}, {"a": {"x": True}}),
        output_of({"a": {"x": 1, "y": 1}}, {"a": {"y": 7, "x": -1}}),
        output_of({"a": {"x": 0}}, {"a": {"x": math.nan}}),
        output_of({"a": {"x": 0}}, {"a": {"x": math.inf}}),
        output_of({"a": {"x": 0}}, {"a": {"x": 10**400}}),
        output_of(MappingProxyType({"a": {"x": 0}}), MappingProxyType({"a": {"x": 0}})),
        MappingProxyType(GOOD),
    ],
)
def test_an_output_that_2x_accepts_is_accepted(raw):
    output = MopInferenceOutput(raw)
    assert output.output == {key: raw[key] for key in ("confidence_scores", "predicted_labels")}
    assert output.predicted_labels is raw["predicted_labels"]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        ({}, ValueError),
        (output_of(None, None), ValueError),
        (output_of({}, {"a": {"x": 1}}), ValueError),
        (output_of({"a": {"x": 1}}, {}), ValueError),
        (output_of({"a": {"x": 1}}, {"b": {"x": 1}}), ValueError),
        (output_of({"a": {"x": 1}}, {"a": {"x": 1}, "b": {"x": 1}}), ValueError),
        (output_of({"a": {"x": 1}}, {"a": {"y": 1}}), ValueError),
        (output_of({"a": {"x": 1}}, {"a": {"x": 1, "y": 1}}), ValueError),
        (output_of({"": {"x": 1}}, {"": {"x": 1}}), TypeError),
        (output_of({1: {"x": 1}}, {1: {"x": 1}}), TypeError),
        (output_of({"a": {}}, {"a": {}}), TypeError),
        (output_of({"a": [1]}, {"a": {"x": 1}}), TypeError),
        (output_of({"a": {"": 1}}, {"a": {"": 1}}), TypeError),
        (output_of({"a": {1: 1}}, {"a": {1: 1}}), TypeError),
        (output_of({"a": {"x": 1.0}}, {"a": {"x": 1}}), TypeError),
        (output_of({"a": {"x": 2}}, {"a": {"x": 1}}), TypeError),
        (output_of({"a": {"x": None}}, {"a": {"x": 1}}), TypeError),
        (output_of({"a": {"x": "1"}}, {"a": {"x": 1}}), TypeError),
        (output_of({"a": {"x": 1}}, {"a": {"x": "1"}}), TypeError),
        (output_of({"a": {"x": 1}}, {"a": {"x": None}}), TypeError),
        (output_of({"a": {"x": 1}}, {"a": []}), TypeError),
        (output_of({"a": {"x": 1}}, {"": {"x": 1}}), TypeError),
        (output_of({"a": {"x": 1}}, {"a": {1: 1}}), TypeError),
        (output_of({"a": {"x": 2}}, {"b": {"x": 1}}), TypeError),
    ],
)
def test_an_output_that_2x_refuses_is_refused_with_the_same_error(raw, error):
    assert outcome_of(MopInferenceOutput, raw) is error


@pytest.mark.parametrize("raw", [None, [], output_of([1], [1]), output_of({"a": {"x": 1}}, [1])])
def test_where_2x_stumbles_with_an_attribute_error_it_is_a_type_error(raw):
    assert outcome_of(MopInferenceOutput, raw) is TypeError


def test_numpy_numbers_are_accepted_which_2x_did_for_float64_only():
    MopInferenceOutput(output_of({"a": {"x": np.int64(1)}}, {"a": {"x": np.float32(0.5)}}))
    assert outcome_of(MopInferenceOutput, output_of({"a": {"x": np.bool_(True)}}, {"a": {"x": 0.5}})) is TypeError
    assert outcome_of(MopInferenceOutput, output_of({"a": {"x": 1}}, {"a": {"x": np.bool_(True)}})) is TypeError


def test_from_dict_of_an_output_replaces_both_parts_and_returns_the_object():
    output = MopInferenceOutput(GOOD)
    assert output.from_dict(output_of({"b": {"x": 0}}, {"b": {"x": 0}})) is output
    assert output.predicted_labels == {"b": {"x": 0}}
    assert outcome_of(output.from_dict, {}) is KeyError
    assert outcome_of(output.from_dict, output_of({}, {})) is ValueError


def test_parts_of_an_output_can_be_set_without_a_check():
    output = MopInferenceOutput(GOOD)
    output.predicted_labels = None
    assert output.output == {"confidence_scores": {"a": {"x": 0.5}}, "predicted_labels": None}


def test_an_input_takes_anything_in_its_constructor():
    item = MopInferenceInput("text", None, 3, 4, ["i"])
    assert (item.text, item.image, item.width, item.height, item.images) == ("text", None, 3, 4, ["i"])
    assert MopInferenceInput().text is None


@pytest.mark.parametrize("given", [{"text": ""}, {"image": "x"}, {"images": []}, {"text": "t", "unknown": 1}])
def test_from_dict_of_an_input_needs_text_image_or_images(given):
    item = MopInferenceInput("old", "old", 1, 1, ["old"])
    assert item.from_dict(given) is item
    assert (item.text, item.image, item.images) == (given.get("text"), given.get("image"), given.get("images"))
    assert item.width is item.height is None


@pytest.mark.parametrize("given", [{}, {"width": 3}, {"text": None}])
def test_from_dict_of_an_input_without_content_is_a_value_error(given):
    assert outcome_of(MopInferenceInput().from_dict, given) is ValueError


@pytest.mark.parametrize(
    ("cls", "attribute", "default"),
    [
        (util.ImageAnalysisInput, "data", b""),
        (util.TextAnalysisInput, "text", ""),
        (util.AnalysisResult, "harmful_score", 0.0),
        (util.AnalysisResult, "severity_level", 0),
    ],
)
def test_the_defaults_of_2x_hold(cls, attribute, default):
    assert getattr(cls(), attribute) == getattr(cls, attribute) == default
    assert outcome_of(cls, 1) is TypeError


@pytest.mark.parametrize("cls", [util.AcsTextResponse, util.AcsImageResponse])
def test_every_response_has_results_of_its_own(cls):
    first, second = cls(), cls()
    first.hate.severity_level = 4
    first.violence = util.AnalysisResult()
    assert first.hate.severity_level == 4
    assert second.hate.severity_level == cls().hate.severity_level == cls.hate.severity_level == 0
    assert first.self_harm is not first.sexual
    for twin in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):  # noqa: S301 - our own bytes
        assert twin.hate.severity_level == 4
        assert twin.sexual.severity_level == 0


def test_a_response_whose_subclass_skips_the_constructor_has_results():
    class Response(util.AcsTextResponse):
        def __init__(self, level):
            self.hate.severity_level = level

    assert (Response(2).hate.severity_level, Response(0).hate.severity_level) == (2, 0)


class Complete(BaseModelWrapper):
    def init(self, model_root):
        return super().init(model_root)

    def inference(self, item):
        return super().inference(item)

    def inference_batch(self, items):
        return super().inference_batch(items)

    def convert_mop_input_to_model_input(self, mop_input):
        return super().convert_mop_input_to_model_input(mop_input)

    def convert_model_output_to_mop_output(self, output):
        return super().convert_model_output_to_mop_output(output)


def test_a_wrapper_needs_all_five_methods():
    with pytest.raises(TypeError, match="abstract"):
        BaseModelWrapper()


@pytest.mark.parametrize("method", sorted(BaseModelWrapper.__abstractmethods__))
def test_the_base_of_an_abstract_method_is_not_implemented(method):
    with pytest.raises(NotImplementedError):
        getattr(Complete(), method)(None)


def test_the_optional_converters_answer_none():
    wrapper = Complete()
    assert wrapper.convert_acs_text_request_to_model_inference_input(util.TextAnalysisInput()) is None
    assert wrapper.convert_model_inference_output_to_acs_text_response({}) is None
    assert wrapper.convert_acs_image_request_to_model_inference_input(util.ImageAnalysisInput()) is None
    assert wrapper.convert_model_inference_output_to_acs_image_response({}) is None
