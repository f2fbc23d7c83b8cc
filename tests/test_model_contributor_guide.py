"""The examples of the model contributor guide and of the SDK's README are taken at their word."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mop.environments.requirements_file import check_requirements
from mop.environments.settings_file import read_settings
from mop.onboarding.contract import read_tasks
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput
from mop_utils.output_rules import TaskContract, check_output, predicted_label
from mop_utils.util import AcsTextResponse, TextAnalysisInput

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "model-contributor-guide.md").read_text(encoding="utf-8")
README = (ROOT / "packages" / "mop-utils" / "README.md").read_text(encoding="utf-8")


def examples(text: str, language: str = "") -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [block for found, block in blocks if found == language]


def run(source: str, **names: Any) -> dict[str, Any]:
    exec(source, names)  # noqa: S102 - our own docs
    return names


def test_the_wrapper_of_the_guide_obeys_the_rules(tmp_path: Path) -> None:
    source = examples(GUIDE, "python")[0]
    converters = next(example for example in examples(GUIDE, "python") if "convert_acs_text" in example)
    wrapper: BaseModelWrapper = run(f"{source}\n{converters}", AcsTextResponse=AcsTextResponse)["InsultModel"]()
    (tmp_path / "words.json").write_text(json.dumps(["fool"]))
    wrapper.init(str(tmp_path))
    (task,) = read_tasks(examples(GUIDE, "json")[0])
    texts = ["", "hello", "you fool", "fool fool fool"]
    items = [wrapper.convert_mop_input_to_model_input(MopInferenceInput(text)) for text in texts]
    outputs = [wrapper.convert_model_output_to_mop_output(output) for output in wrapper.inference_batch(items)]
    assert [check_output(output, [task.contract()]) for output in outputs] == [[]] * 4
    found = [predicted_label(output.predicted_labels["insult"], task.contract()) for output in outputs]
    assert found == ["no", "no", "no", "yes"]
    request = TextAnalysisInput()
    request.text = texts[-1]
    item = wrapper.convert_acs_text_request_to_model_inference_input(request)
    response = wrapper.convert_model_inference_output_to_acs_text_response(wrapper.inference(item))
    assert response is not None
    assert response.hate.severity_level == 4


def test_the_outputs_of_the_guide_obey_the_rules() -> None:
    categorical, ordinal = (eval(text) for text in examples(GUIDE, "python") if text.startswith("{"))  # noqa: S307 - our docs
    assert check_output(categorical, [TaskContract("Hate", "insult", "Categorical", ("no", "yes"))]) == []
    task = TaskContract("Violence", "violence", "Ordinal", ("0", "1", "2", "3"))
    assert check_output(ordinal, [task]) == []
    assert predicted_label(ordinal["predicted_labels"]["violence"], task) == "2"


@pytest.mark.parametrize("p", [[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0], [0.25] * 4, [0.7, 0.1, 0.1, 0.1]])
def test_the_conversion_to_ordinal_scores_of_the_guide_obeys_the_rules(p: list[float]) -> None:
    names = run(next(text for text in examples(GUIDE, "python") if "cumulative" in text), p=p)
    task = TaskContract("Violence", "v", "Ordinal", tuple(names["labels"]))
    output = {"predicted_labels": {"v": names["predicted"]}, "confidence_scores": {"v": names["cumulative"]}}
    assert check_output(output, [task]) == []
    assert predicted_label(names["predicted"], task) == str(p.index(max(p)))


def test_settings_and_requirements_of_the_guide_are_readable() -> None:
    assert read_settings(examples(GUIDE, "yaml")[0].encode()).python == "3.11"
    requirements = next(text for text in examples(GUIDE) if text.startswith("scikit-learn"))
    assert len(check_requirements(requirements.encode())) == 2


def test_the_links_of_the_guide_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for page, anchor in re.findall(r"\]\(([^)#]+)#?([^)]*)\)", GUIDE):
        assert (ROOT / "docs" / page).is_file()
        assert not anchor or anchor in {heading.lower() for heading in headings}


def test_the_readme_of_the_sdk_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "words.txt").write_text("ignore rules")
    monkeypatch.chdir(tmp_path)
    run("\n".join(examples(README, "python")))
    assert capsys.readouterr().out == ""
