"""Calls every public part of mop-utils in many ways and prints what came of each, as JSON.

Run by the Python of an environment with a release of mop-utils, from a folder that holds an `inference.py`.
Standard library only.
"""

import itertools
import json
import math
import sys
from collections import OrderedDict
from types import MappingProxyType

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput
from mop_utils.util import (
    AcsImageResponse,
    AcsTextResponse,
    AnalysisResult,
    ImageAnalysisInput,
    MopInferenceOutputValidator,
    TextAnalysisInput,
)

VALUES = [
    0,
    1,
    2,
    -1,
    True,
    False,
    None,
    "1",
    "",
    1.0,
    0.0,
    0.5,
    -0.5,
    math.nan,
    math.inf,
    10**400,
    [1],
    {},
    (),
    b"1",
    1j,
]
LABELS = [
    None,
    0,
    1,
    "",
    "text",
    {},
    [],
    [1],
    (),
    {"": 1},
    {1: 1},
    {None: 1},
    {"x": 1, "y": 0},
    {"y": 0, "x": 1},
    OrderedDict(x=1),
    MappingProxyType({"x": 1}),
    *({"x": value} for value in VALUES),
]
PARTS = [
    None,
    False,
    {},
    [],
    "",
    {"": {"x": 1}},
    {1: {"x": 1}},
    {None: {"x": 1}},
    {"a": {"x": 1}, "b": {"x": 1}},
    {"b": {"x": 1}, "a": {"x": 1}},
    {"b": {"x": 1}},
    OrderedDict(a={"x": 1}),
    MappingProxyType({"a": {"x": 1}}),
    *({"a": labels} for labels in LABELS),
]
# what 2.x stumbles over instead of saying what is wrong
NO_MAPPINGS = [[1], 1, "text", (1,), True, 1.5]


def outcome(call, *arguments: object, **named: object):
    """What came of a call: the error's name, or a description of the result."""
    try:
        found = call(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return type(error).__name__
    return described(found)


def described(value):
    if isinstance(value, MopInferenceOutput):
        return f"output {value.predicted_labels!r} {value.confidence_scores!r}"
    if isinstance(value, MopInferenceInput):
        return f"input {[value.text, value.image, value.width, value.height, value.images]!r}"
    if isinstance(value, AnalysisResult):
        return f"result {value.harmful_score!r} {value.severity_level!r}"
    return "{} {}".format(
        type(value).__name__, value if isinstance(value, (str, int, float, bytes, list, dict)) else ""
    )


def outputs():
    for number, (labels, scores) in enumerate(itertools.product(PARTS, PARTS)):
        raw = {"predicted_labels": labels, "confidence_scores": scores}
        name = f"output {number} {labels!r} {scores!r}"
        yield name[:300], outcome(MopInferenceOutput, raw)
        if number % 7 == 0:
            good = MopInferenceOutput({"predicted_labels": {"a": {"x": 1}}, "confidence_scores": {"a": {"x": 1}}})
            yield "from_dict " + name[:300], outcome(good.from_dict, raw)
            good.predicted_labels, good.confidence_scores = labels, scores
            yield "set " + name[:300], outcome(lambda one=good: one.output)
            yield "validator " + name[:300], outcome(MopInferenceOutputValidator, good)
            yield "validate " + name[:300], outcome(lambda one=good: MopInferenceOutputValidator(one).validate())
    for raw in [{}, {"predicted_labels": {"a": {"x": 1}}}, {"confidence_scores": {"a": {"x": 1}}}, *NO_MAPPINGS, None]:
        yield f"output of {raw!r}", outcome(MopInferenceOutput, raw)
    for labels in NO_MAPPINGS:
        raw = {"predicted_labels": labels, "confidence_scores": {"a": {"x": 1}}}
        yield f"output with labels {labels!r}", outcome(MopInferenceOutput, raw)
    yield "output of nothing", outcome(MopInferenceOutput)
    yield "output of two", outcome(MopInferenceOutput, {}, {})
    yield "output by name", outcome(MopInferenceOutput, raw_data_dict={})


def inputs():
    values = [None, "", "text", 0, 1.5, [], ["i"], {"a": 1}, b"x"]
    for text, image, images in itertools.product(values, values, values):
        given = {"text": text, "image": image, "images": images, "width": 3, "more": 1}
        yield f"input {given!r}", outcome(MopInferenceInput().from_dict, given)
        yield f"input by place {given!r}", outcome(MopInferenceInput, text, image, 1, 2, images)
    for given in [{}, {"width": 1}, None, [], "text", 3]:
        yield f"input of {given!r}", outcome(MopInferenceInput().from_dict, given)
    yield "input of six", outcome(MopInferenceInput, 1, 2, 3, 4, 5, 6)
    yield "input by wrong name", outcome(MopInferenceInput, texts="t")
    item = MopInferenceInput("t")
    item.text, item.image, item.width, item.height, item.images = 1, 2, 3, 4, 5
    yield "input set", described(item)


def content_safety():
    for kind in (AcsImageResponse, AcsTextResponse, AnalysisResult, ImageAnalysisInput, TextAnalysisInput):
        yield kind.__name__ + " with an argument", outcome(kind, 1)
        yield kind.__name__ + " with a name", outcome(kind, text=1)
    for kind in (AcsImageResponse, AcsTextResponse):
        for part in ("hate", "self_harm", "sexual", "violence"):
            yield kind.__name__ + part, described(getattr(kind(), part))
            yield kind.__name__ + part + " of the class", described(getattr(kind, part))
    yield "image data", outcome(lambda: ImageAnalysisInput().data)
    yield "text", outcome(lambda: TextAnalysisInput().text)


class Whole(BaseModelWrapper):
    def init(self, model_root, **kwargs: object):
        return super().init(model_root, **kwargs)

    def inference(self, item, **kwargs: object):
        return super().inference(item, **kwargs)

    def inference_batch(self, item, **kwargs: object):
        return super().inference_batch(item, **kwargs)

    def convert_mop_input_to_model_input(self, mop_input, **kwargs: object):
        return super().convert_mop_input_to_model_input(mop_input, **kwargs)

    def convert_model_output_to_mop_output(self, customized_output, **kwargs: object):
        return super().convert_model_output_to_mop_output(customized_output, **kwargs)


def wrappers():
    yield "abstract wrapper", outcome(BaseModelWrapper)
    yield "wrapper with an argument", outcome(Whole, 1)
    for name in sorted(name for name in dir(BaseModelWrapper) if not name.startswith("_")):
        for arguments in [(), (1,), (1, 2)]:
            yield f"{name}{arguments!r}", outcome(getattr(Whole(), name), *arguments)
        yield name + " with a keyword", outcome(getattr(Whole(), name), 1, more=2)


def by_hand():
    """mop_init and mop_run on this folder's inference.py."""
    from mop_utils.inference_wrapper import (  # noqa: PLC0415 - the import runs inference.py
        build_response,
        get_model_wrapper,
        mop_init,
        mop_run,
    )

    texts = ["bad", "", "awful and bad", "Füße 你好", "x" * 5000]
    batching = {"enable": True, "max_batch_size": 12, "idle_batch_size": 3, "max_batch_interval": 0.002}
    for arguments in (None, batching):
        mop_init(sys.argv[1], arguments)
        for mop in (False, True):
            for raw in [{"text": "bad"}, [], *([{"text": text} for text in texts[:count]] for count in (1, 3, 5))]:
                name = f"by hand {arguments is None!r} {mop!r} {raw!r}"
                yield name[:300], json.dumps(build_response(mop_run(raw, mop)))
    yield "wrapper by hand", type(get_model_wrapper()).__name__


def main():
    found = {}
    for part in (outputs, inputs, content_safety, wrappers, by_hand):
        found.update(part())
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
