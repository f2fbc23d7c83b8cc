from __future__ import annotations

import json
from typing import Any

import pytest

from mop.errors import ValidationFailedError
from mop.onboarding.contract import TaskInput, read_tasks

TASK: dict[str, Any] = {
    "taxonomy": "Hate",
    "customized_name": "hate",
    "modality": "Text",
    "label_type": "Categorical",
    "labels": ["0", "1"],
}


def test_tasks_are_read_in_order():
    second = TASK | {"taxonomy": "Violence", "label_type": "Ordinal", "labels": ["0", "1", "2"]}
    assert read_tasks(json.dumps([TASK, second])) == (
        TaskInput("Hate", "hate", "Text", "Categorical", ("0", "1")),
        TaskInput("Violence", "hate", "Text", "Ordinal", ("0", "1", "2")),
    )


def test_the_contract_is_the_task_without_its_modality():
    contract = read_tasks(json.dumps([TASK]))[0].contract()
    assert (contract.taxonomy, contract.customized_name, contract.label_type, contract.labels) == (
        "Hate",
        "hate",
        "Categorical",
        ("0", "1"),
    )


@pytest.mark.parametrize("text", ["", "{", "null", "{}", "[]", '"Hate"', "7"])
def test_what_is_no_list_of_tasks_is_refused(text: str):
    with pytest.raises(ValidationFailedError, match="tasks"):
        read_tasks(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"taxonomy": None}, "taxonomy must be a text"),
        ({"taxonomy": ""}, "taxonomy must be a text"),
        ({"customized_name": 3}, "customized_name must be a text"),
        ({"modality": "text"}, "modality must be one of Text, Image, ImageAndText, not 'text'"),
        ({"label_type": "categorical"}, "label_type must be Categorical or Ordinal, not 'categorical'"),
        ({"labels": "01"}, "labels must be a list of texts"),
        ({"labels": [0, 1]}, "labels must be a list of texts"),
        ({"labels": ["0", ""]}, "labels must be a list of texts"),
        ({"labels": ["0"]}, "labels of a task of type Categorical are 2 to 20 different texts"),
        ({"labels": ["0", "0"]}, "2 to 20 different texts"),
        ({"labels": [str(number) for number in range(21)]}, "2 to 20 different texts"),
        ({"label_type": "Ordinal"}, "labels of a task of type Ordinal are 3 to 20 different texts"),
    ],
)
def test_a_wrong_field_is_named_with_its_entry(change: dict[str, Any], message: str):
    with pytest.raises(ValidationFailedError) as raised:
        read_tasks(json.dumps([TASK, TASK | change]))
    assert raised.value.message.startswith("Task 1: ")
    assert message in raised.value.message
    assert raised.value.place == "[1]"


@pytest.mark.parametrize("name", sorted(TASK))
def test_a_missing_field_is_named(name: str):
    entry = {key: value for key, value in TASK.items() if key != name}
    with pytest.raises(ValidationFailedError, match=f"Task 0: {name} is missing"):
        read_tasks(json.dumps([entry]))


def test_an_entry_that_is_no_object_is_named():
    with pytest.raises(ValidationFailedError, match="Task 0: must be an object"):
        read_tasks("[3]")
