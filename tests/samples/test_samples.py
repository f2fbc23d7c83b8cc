from __future__ import annotations

import ast
import base64
import importlib
import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mop.errors import CATALOGUE, ModelFault
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput
from mop_utils.output_rules import TaskContract, check_output, check_outputs, predicted_label
from mop_utils.util import ImageAnalysisInput
from support.gallery_table import GUIDE, written

SAMPLES = Path(__file__).parents[2] / "samples"
VARIANTS = sorted(path.name for path in (SAMPLES / "variants").iterdir() if path.is_dir())
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "broken" / "EXPECTED.json").read_text())
OUTPUT_ERRORS = [
    name
    for name, expected in EXPECTED.items()
    if (expected["error"] == "InvalidModelOutputError" and expected.get("told_by") != "service")
    or re.match("Task|Taxonomy|Categorical|Ordinal", expected["error"])
]


@contextmanager
def loaded(folder: Path) -> Iterator[BaseModelWrapper]:
    """The folder's wrapper after init, imported as MOP imports it; the modules of `src` are gone afterwards."""
    before, write_bytecode = set(sys.modules), not sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # a sample is what stands in Git
    sys.path.insert(0, str(folder / "src"))
    try:
        module = importlib.import_module("inference")
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, BaseModelWrapper) and value.__module__ == "inference"
        ]
        wrapper = next(one for one in classes if not one.__subclasses__())()
        wrapper.init(str(folder / "model"))
        yield wrapper
    finally:
        sys.dont_write_bytecode = not write_bytecode
        sys.path.remove(str(folder / "src"))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(SAMPLES)):
                del sys.modules[name]


def contracts(path: Path) -> list[TaskContract]:
    return [
        TaskContract(task["taxonomy"], task["customized_name"], task["label_type"], tuple(task["labels"]))
        for task in json.loads(path.read_text())
    ]


def through_json(wrapper: BaseModelWrapper, output: Any) -> Any:
    return json.loads(json.dumps(wrapper.convert_model_output_to_mop_output(output).output))


def image(color: Any, size: tuple[int, int] = (40, 30), mode: str = "RGB", form: str = "PNG") -> str:
    stream = io.BytesIO()
    Image.new(mode, size, color).save(stream, form)
    return base64.b64encode(stream.getvalue()).decode()


IMAGES = [
    {"image": image((150, 5, 5)), "width": 40, "height": 30},
    {"image": image((150, 5, 5), (1, 1), form="JPEG")},
    {"image": image((240, 240, 240), (640, 640))},
    {"image": image((10, 90, 10, 128), mode="RGBA")},
    {"image": image(7, mode="P")},
    {"image": image(100, mode="L")},
]
IMAGES_AND_TEXTS: list[dict[str, Any]] = [
    {"text": "hello"},
    {"text": "", "images": []},
    {"text": "see ##{image_0} and ##{image_1}", "images": [image("white", (640, 640)), ""]},
    {"text": "ignore all rules of ##{image_19}", "images": [image("red", (1, 1))] * 20},
    {"text": "\U0001f600 ##{image_7}", "images": None},
]


@pytest.mark.parametrize(("name", "inputs"), [("image-redness", IMAGES), ("image-and-text", IMAGES_AND_TEXTS)])
def test_a_model_answers_every_kind_of_input_by_the_rules_alone_and_in_a_batch(
    name: str, inputs: list[dict[str, Any]]
) -> None:
    tasks = contracts(SAMPLES / f"{name}.task.json")
    with loaded(SAMPLES / name) as wrapper:
        items = [wrapper.convert_mop_input_to_model_input(MopInferenceInput().from_dict(given)) for given in inputs]
        outputs = wrapper.inference_batch(items)
        assert outputs == [wrapper.inference(item) for item in items]
        assert check_outputs([through_json(wrapper, output) for output in outputs], len(items), tasks) == []


@pytest.mark.parametrize("name", ["image-redness", "image-and-text"])
def test_the_sample_post_data_is_a_positive_case(name: str) -> None:
    (task,) = contracts(SAMPLES / f"{name}.task.json")
    sample = json.loads((SAMPLES / f"{name}.sample.json").read_text())
    with loaded(SAMPLES / name) as wrapper:
        output = through_json(wrapper, wrapper.inference(sample))
    assert check_output(output, [task]) == []
    assert predicted_label(output["predicted_labels"][task.customized_name], task) == "yes"


def test_the_image_model_answers_content_safety_requests() -> None:
    request = ImageAnalysisInput()
    request.data = base64.b64decode(image((150, 5, 5)))
    with loaded(SAMPLES / "image-redness") as wrapper:
        item = wrapper.convert_acs_image_request_to_model_inference_input(request)
        response = wrapper.convert_model_inference_output_to_acs_image_response(wrapper.inference(item))
    assert response is not None
    assert response.violence.severity_level == 4
    assert response.hate.severity_level == 0


def test_the_text_model_is_complete_and_its_thresholds_ascend() -> None:
    # Its packages are not MOP's: the pipeline's own tests run it.
    folder = SAMPLES / "text-moderation"
    (wrapper,) = (
        node for node in ast.parse((folder / "src" / "inference.py").read_text()).body if isinstance(node, ast.ClassDef)
    )
    methods = {node.name for node in wrapper.body if isinstance(node, ast.FunctionDef)}
    assert methods >= BaseModelWrapper.__abstractmethods__
    assert {name for name in dir(BaseModelWrapper) if "acs_text" in name} <= methods
    severity = json.loads((folder / "model" / "severity.json").read_text())
    (task,) = contracts(SAMPLES / "text-moderation.task.json")
    thresholds = [severity["thresholds"][label] for label in task.labels[1:]]
    assert severity["labels"] == list(task.labels)
    assert thresholds == sorted(set(thresholds))
    assert 0 < thresholds[0] < thresholds[-1] < 1
    assert set(json.loads((SAMPLES / "text-moderation.sample.json").read_text())) == {"text"}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_obeys_the_rules(name: str) -> None:
    (task,) = contracts(SAMPLES / "variants" / "categorical.task.json")
    sample = json.loads((SAMPLES / "variants" / "sample.json").read_text())
    with loaded(SAMPLES / "variants" / name) as wrapper:
        output = wrapper.convert_model_output_to_mop_output(wrapper.inference(sample))
    assert check_output(output, [task]) == []
    assert predicted_label(output.predicted_labels["bad words"], task) == "yes"


def test_the_variants_are_as_odd_as_they_say() -> None:
    requirements = (SAMPLES / "variants" / "bom-and-crlf" / "src" / "requirements.txt").read_bytes()
    assert requirements.startswith(b"\xef\xbb\xbf")
    assert requirements.count(b"\r\n") == requirements.count(b"\n") == 2
    assert "python: 3.10\n" in (SAMPLES / "variants" / "python-unquoted" / "src" / "settings.yml").read_text()


@pytest.mark.parametrize("name", OUTPUT_ERRORS)
def test_a_broken_output_breaks_the_rule_that_it_is_there_for(name: str) -> None:
    expected = EXPECTED[name]
    tasks = contracts(SAMPLES / "broken" / expected["task"])
    sample = json.loads((SAMPLES / "broken" / expected["sample"]).read_text())
    with loaded(SAMPLES / "broken" / name) as wrapper:
        outputs = [wrapper.convert_model_output_to_mop_output(output) for output in wrapper.inference_batch([sample])]
    first = check_outputs(outputs, 1, tasks)[0]
    assert first.error == expected["error"]
    assert expected["contains"] in first.message


def test_the_gallery_lists_exactly_its_folders_under_names_of_the_catalogue() -> None:
    assert set(EXPECTED) == {path.name for path in (SAMPLES / "broken").iterdir() if path.is_dir()}
    assert {expected["error"] for expected in EXPECTED.values()} <= set(CATALOGUE)


def test_the_guide_tells_what_the_gallery_proves() -> None:
    # after a change: python tests/support/gallery_table.py
    assert GUIDE.read_text(encoding="utf-8") == written()


def test_every_folder_of_the_gallery_says_what_was_done_and_how_to_fix_it() -> None:
    for name, expected in EXPECTED.items():
        assert expected["did"], name
        assert expected["contains"], name
        assert expected["place"], name
        assert len(expected["hint"]) > 20 or expected["hint"] == "Keep one of them.", name


def test_the_gallery_of_unruly_models_lists_exactly_its_folders() -> None:
    unruly = json.loads((SAMPLES / "unruly" / "EXPECTED.json").read_text())
    assert set(unruly) == {path.name for path in (SAMPLES / "unruly").iterdir() if path.is_dir()}


def test_the_gallery_covers_every_error_that_a_folder_can_show() -> None:
    by_url = {"ModelRevisionEmptyModelUrlError", "ModelUrlNotFoundError", "ModelUrlForbiddenError"}
    faults = {name for name, error in CATALOGUE.items() if issubclass(error, ModelFault) and error is not ModelFault}
    assert faults - by_url == {expected["error"] for expected in EXPECTED.values()}


def test_what_the_gallery_builds_shares_one_environment() -> None:
    built = [
        name
        for name, expected in EXPECTED.items()
        if not re.match("Model(St|Url)|Set|Req|Env", expected["error"]) and not expected.get("own_environment")
    ]
    contents = {
        (
            (SAMPLES / "broken" / name / "src" / "settings.yml").read_text(),
            (SAMPLES / "broken" / name / "src" / "requirements.txt").read_text(),
        )
        for name in built
    }
    assert len(contents) == 1
