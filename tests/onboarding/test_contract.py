"""The proof of the contract, held against scorers that answer what a test writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from mop.errors import (
    DeploymentTimeoutError,
    HostLostError,
    ModelFault,
    RequestDeadlineError,
    UserScriptException,
)
from mop.onboarding.contract import ALSO_MAX, TaskInput, prove_contract
from mop.onboarding.probes import probes_for

HATE = TaskInput("Hate", "hate", "Text", "Categorical", ("no", "yes"))
LEVELS = TaskInput("Violence", "violence", "Text", "Ordinal", ("low", "middle", "high"))
PICTURES = TaskInput("Sexual", "sexual", "Image", "Categorical", ("no", "yes"))
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Scorer:
    """Answers an item by `answer` and a list item by item, or by `batch`; keeps what it was asked."""

    def __init__(self, answer: Answer, batch: Callable[[list[Any]], Any] | None = None) -> None:
        self.asked: list[tuple[Any, bool]] = []
        self._answer = answer
        self._batch = batch or (lambda items: [answer(item) for item in items])

    async def score(self, payload: Any, *, mop: bool) -> Any:
        self.asked.append((payload, mop))
        return self._batch(payload) if isinstance(payload, list) else self._answer(payload)


def output(labels: dict[str, Any], scores: dict[str, Any] | None = None, *, name: str = "hate") -> dict[str, Any]:
    return {"predicted_labels": {name: labels}, "confidence_scores": {name: labels if scores is None else scores}}


def good(_item: dict[str, Any]) -> dict[str, Any]:
    return output({"no": 1, "yes": 0}, {"no": 0.9, "yes": 0.1})


async def prove(scorer: Scorer, *tasks: TaskInput, sample: Any = None) -> tuple[str, ...]:
    return await prove_contract(scorer, tasks=tasks or (HATE,), sample=sample, log=lambda _line: None)


async def test_every_input_is_sent_alone_and_all_as_one_batch():
    scorer = Scorer(good)
    assert await prove(scorer) == ()
    items = [probe.item for probe in probes_for("Text")]
    assert scorer.asked == [*((item, True) for item in items), (items, True)]


async def test_the_sample_is_sent_first_and_in_model_format():
    scorer = Scorer(good)
    await prove(scorer, sample={"mine": [1, 2]})
    assert scorer.asked[0] == ({"mine": [1, 2]}, False)
    assert all(mop for _, mop in scorer.asked[1:])


async def test_a_sample_is_not_held_to_the_rules_of_mop_outputs():
    scorer = Scorer(lambda item: {"raw": 1} if item == "sample" else good(item))
    assert await prove(scorer, sample="sample") == ()


async def test_each_modality_of_the_tasks_is_proved_with_its_own_inputs():
    scorer = Scorer(lambda item: good(item) if "text" in item else output({"no": 1, "yes": 0}, name="sexual"))
    await prove(scorer, HATE, PICTURES)
    kinds = {frozenset(payload) for payload, _ in scorer.asked if isinstance(payload, dict)}
    assert kinds == {frozenset({"text"}), frozenset({"image", "width", "height"})}


@pytest.mark.parametrize(
    ("answer", "task", "error"),
    [
        ({"predicted_labels": {}}, HATE, "InvalidModelOutputError"),
        (output({"no": True, "yes": False}), HATE, "InvalidModelOutputError"),
        (output({"no": 1, "yes": 0}, {"no": 1.2, "yes": -0.2}), HATE, "InvalidModelOutputError"),
        (output({"no": 1, "yes": 0}, name="Hate"), HATE, "TaxonomyMisMatchError"),
        (output({"0": 1, "1": 0}), HATE, "TaskLabelMismatchError"),
        (output({"no": 1, "yes": 1}, {"no": 0.5, "yes": 0.5}), HATE, "CategoricalTaskLabelValueError"),
        (output({"no": 1, "yes": 0}, {"no": 1.0, "yes": 1.0}), HATE, "CategoricalTaskLabelConfidenceScoreSumError"),
        (
            output({"low": 1, "middle": 0, "high": 1}, {"low": 1.0, "middle": 0.5, "high": 0.1}, name="violence"),
            LEVELS,
            "OrdinalTaskLabelValueError",
        ),
        (
            output({"low": 1, "middle": 1, "high": 0}, {"low": 0.5, "middle": 0.7, "high": 0.1}, name="violence"),
            LEVELS,
            "OrdinalTaskLabelConfidenceScoreValueError",
        ),
    ],
)
async def test_a_broken_rule_is_its_own_error(answer: dict[str, Any], task: TaskInput, error: str):
    with pytest.raises(ModelFault) as raised:
        await prove(Scorer(lambda _item: answer), task)
    assert raised.value.name == error
    assert "Text input: " in raised.value.message


async def test_the_first_rule_in_the_products_order_wins_wherever_it_broke():
    answers = iter([output({"no": 1, "yes": 1}, {"no": 0.5, "yes": 0.5}), {"predicted_labels": {}}])
    scorer = Scorer(lambda item: next(answers, good(item)), batch=lambda items: [good(item) for item in items])
    with pytest.raises(ModelFault) as raised:
        await prove(scorer)
    assert raised.value.name == "InvalidModelOutputError"
    names = [probe.name for probe in probes_for("Text")]
    assert raised.value.message.endswith(f"(Text input: {names[1]})")
    assert any(message.endswith(f"(Text input: {names[0]})") for message in raised.value.also)


async def test_the_other_broken_rules_are_listed_once_each_and_bounded():
    wrong = {"predicted_labels": {f"t{n}": {"a": 2} for n in range(40)}, "confidence_scores": {}}
    with pytest.raises(ModelFault) as raised:
        await prove(Scorer(lambda _item: wrong))
    messages = [raised.value.message, *raised.value.also]
    assert len(messages) == len(set(messages))
    assert len(raised.value.also) <= ALSO_MAX


@pytest.mark.parametrize("batch", [[], [good({})], "text", {"outputs": []}, None])
async def test_a_batch_must_have_one_output_per_item(batch: Any):
    with pytest.raises(ModelFault) as raised:
        await prove(Scorer(good, batch=lambda _items: batch))
    assert raised.value.name == "InvalidModelOutputError"
    assert "batch" in raised.value.message


async def test_a_rule_broken_in_the_batch_alone_is_found():
    scorer = Scorer(good, batch=lambda items: [output({"no": 1, "yes": 1}, {"no": 0.5, "yes": 0.5}) for _ in items])
    with pytest.raises(ModelFault) as raised:
        await prove(scorer)
    assert raised.value.name == "CategoricalTaskLabelValueError"
    names = [probe.name for probe in probes_for("Text")]
    assert raised.value.message.endswith(f"(Text input: {names[0]} in a batch and {len(names) - 1} more)")
    assert raised.value.place == f"the Text input '{names[0]} in a batch'"
    assert raised.value.also == ()


async def test_single_and_batch_answers_that_differ_warn_and_name_the_inputs():
    other = output({"no": 0, "yes": 1}, {"no": 0.2, "yes": 0.8})
    scorer = Scorer(good, batch=lambda items: [other, *(good(item) for item in items[1:])])
    (warning,) = await prove(scorer)
    names = [probe.name for probe in probes_for("Text")]
    assert f"for Text inputs: {names[0]}. " in warning
    assert names[1] not in warning


async def test_scores_that_differ_by_rounding_do_not_warn():
    near = output({"no": 1, "yes": 0}, {"no": 0.9004, "yes": 0.0996})
    assert await prove(Scorer(good, batch=lambda items: [near for _ in items])) == ()


def failing(error: ModelFault | RequestDeadlineError | HostLostError) -> Answer:
    def answer(_item: dict[str, Any]) -> dict[str, Any]:
        raise error

    return answer


async def test_an_error_of_the_model_says_with_which_input():
    error = UserScriptException("boom", hint="hint it", place="src/inference.py:3", also=("more",))
    with pytest.raises(UserScriptException) as raised:
        await prove(Scorer(failing(error)))
    assert re.match(r"On the Text input '.+': boom$", raised.value.message)
    assert (raised.value.hint, raised.value.place, raised.value.also) == ("hint it", "src/inference.py:3", ("more",))
    with pytest.raises(UserScriptException, match=r"^On the sample post data: boom$"):
        await prove(Scorer(failing(error)), sample={})


async def test_a_missed_request_deadline_is_the_models_fault():
    with pytest.raises(DeploymentTimeoutError, match=r"^On the Text input '.+': too slow$") as raised:
        await prove(Scorer(failing(RequestDeadlineError("too slow"))))
    assert raised.value.place == f"the Text input '{probes_for('Text')[0].name}'"
    assert "regular expression" in raised.value.hint


async def test_a_lost_host_stays_a_cause_outside_the_model():
    with pytest.raises(HostLostError, match=r"^gone$"):
        await prove(Scorer(failing(HostLostError("gone"))))


class TestWithoutTasks:
    async def test_the_first_modality_that_the_model_takes_is_held(self):
        def answer(item: dict[str, Any]) -> dict[str, Any]:
            if "image" not in item:
                raise UserScriptException("KeyError: 'image'")
            return output({"a": 1, "b": 0}, name="whatever")

        lines: list[str] = []
        assert await prove_contract(Scorer(answer), tasks=None, log=lines.append) == ()
        assert any("the model raises on Text inputs" in line for line in lines)
        assert any("Image input" in line for line in lines)

    async def test_rules_without_labels_are_held(self):
        with pytest.raises(ModelFault) as raised:
            await prove_contract(Scorer(lambda _item: output({"a": 2})), tasks=None, log=lambda _line: None)
        assert raised.value.name == "InvalidModelOutputError"

    async def test_a_model_that_takes_no_modality_fails_with_its_first_error(self):
        def answer(item: dict[str, Any]) -> dict[str, Any]:
            raise UserScriptException(f"no {' and '.join(sorted(item))}")

        with pytest.raises(UserScriptException, match=r": no text$"):
            await prove_contract(Scorer(answer), tasks=None, log=lambda _line: None)
