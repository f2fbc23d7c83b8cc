"""The proof of the contract, held against scorers that answer what a test writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from mop.errors import (
    DeploymentTimeoutError,
    HostLostError,
    InvalidModelOutputError,
    ModelFault,
    RequestDeadlineError,
    RequestTooLargeError,
    UserScriptException,
)
from mop.onboarding.contract import ALSO_MAX, TaskInput, prove_contract
from mop.onboarding.probes import probes_for
from mop.serving.model_causes import FIX_THE_LINE
from mop.serving.service import Converted

HATE = TaskInput("Hate", "hate", "Text", "Categorical", ("no", "yes"))
LEVELS = TaskInput("Violence", "violence", "Text", "Ordinal", ("low", "middle", "high"))
PICTURES = TaskInput("Sexual", "sexual", "Image", "Categorical", ("no", "yes"))
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Scorer:
    """Answers an item by `answer` and a list item by item, or by `batch`; keeps what it was asked.

    Its converter leaves a MOP input as it is, which its own format then shares.
    """

    def __init__(self, answer: Answer, batch: Callable[[list[Any]], Any] | None = None) -> None:
        self.asked: list[tuple[Any, bool]] = []
        self._answer = answer
        self._batch = batch or (lambda items: [answer(item) for item in items])

    async def score(self, payload: Any, *, mop: bool) -> Any:
        self.asked.append((payload, mop))
        return self._batch(payload) if isinstance(payload, list) else self._answer(payload)

    async def model_input(self, mop_input: Any) -> Converted:
        return Converted(json.dumps(mop_input).encode())


class OwnFormat(Scorer):
    """Answers MOP's format well; in its own format by `own`, after a converter that gives `converted`."""

    def __init__(self, own: Answer, converted: Callable[[Any], Converted] | None = None) -> None:
        super().__init__(good)
        self._own = own
        self._converted = converted

    async def score(self, payload: Any, *, mop: bool) -> Any:
        if mop:
            return await super().score(payload, mop=mop)
        self.asked.append((payload, mop))
        return [self._own(item) for item in payload] if isinstance(payload, list) else self._own(payload)

    async def model_input(self, mop_input: Any) -> Converted:
        return self._converted(mop_input) if self._converted else await super().model_input(mop_input)


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
    mop_format = [*((item, True) for item in items), (items, True)]
    assert scorer.asked == [*mop_format, *((payload, False) for payload, _ in mop_format)]


async def test_the_sample_is_sent_first_and_in_model_format():
    scorer = Scorer(good)
    await prove(scorer, sample={"mine": [1, 2]})
    assert scorer.asked[0] == ({"mine": [1, 2]}, False)
    assert scorer.asked[1][1]


class TestOfTheModelsOwnFormat:
    async def test_an_input_goes_through_the_models_converter(self):
        scorer = OwnFormat(good, lambda item: Converted(json.dumps({"mine": item["text"]}).encode()))
        assert await prove(scorer) == ()
        items = [{"mine": probe.item["text"]} for probe in probes_for("Text")]
        own = [payload for payload, mop in scorer.asked if not mop]
        assert own == [*items, items]

    async def test_an_output_that_is_not_json_warns_with_place_and_inputs(self):
        def own(_item: Any) -> Any:
            raise InvalidModelOutputError("The output is not JSON at $.when: the value is of type datetime.", place="$")

        scorer = OwnFormat(own)
        (warning,) = await prove(scorer)
        names = [probe.name for probe in probes_for("Text")]
        assert warning.startswith("/score answers with X-MOP-Format: mop only for Text inputs")
        assert f"({names[0]} and {len(names) - 1} more)" in warning
        assert "The output is not JSON at $.when: the value is of type datetime." in warning
        assert not any(isinstance(payload, list) for payload, mop in scorer.asked if not mop)

    async def test_an_output_that_is_not_json_for_one_input_names_it(self):
        def own(item: Any) -> Any:
            if "\0" in item["text"]:
                raise InvalidModelOutputError("The output is not JSON at $: no.")
            return {}

        (warning,) = await prove(OwnFormat(own))
        assert "(text with NUL)" in warning

    @pytest.mark.parametrize("sample", [None, {"mine": 1}])
    async def test_an_input_that_is_not_json_warns_unless_a_sample_shows_the_format(self, sample: Any):
        scorer = OwnFormat(good, lambda _item: Converted(None, "Object of type Image is not JSON serializable"))
        warnings = await prove(scorer, sample=sample)
        assert [payload for payload, mop in scorer.asked if not mop] == ([] if sample is None else [sample])
        if sample is not None:
            assert warnings == ()
        else:
            (warning,) = warnings
            assert "convert_mop_input_to_model_input" in warning
            assert "(Object of type Image is not JSON serializable)" in warning

    async def test_a_model_that_raises_in_its_own_format_alone_fails(self):
        def own(_item: Any) -> Any:
            raise UserScriptException("boom")

        with pytest.raises(UserScriptException, match=r"^On the Text input 'short text' in model format: boom$"):
            await prove(OwnFormat(own))

    async def test_an_input_that_is_too_large_in_model_format_warns(self):
        def own(item: Any) -> Any:
            if isinstance(item, dict) and len(item["text"]) > 2000:
                raise RequestTooLargeError("The body has 5000 bytes; the limit is 2000.")
            return {}

        (warning,) = await prove(OwnFormat(own))
        assert "the limit is 2000" in warning

    async def test_a_batch_in_model_format_has_one_output_per_item(self):
        class Short(OwnFormat):
            async def score(self, payload: Any, *, mop: bool) -> Any:
                answer = await super().score(payload, mop=mop)
                return answer[1:] if isinstance(payload, list) and not mop else answer

        with pytest.raises(InvalidModelOutputError, match="one output per item"):
            await prove(Short(good))


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


async def test_a_sample_that_the_code_does_not_take_may_itself_be_wrong():
    line = FIX_THE_LINE % (3, "inference.py")
    both = f"{line} Or correct the sample post data, if it is no item that inference() takes."
    for hint, told in ((line, both), ("x", "x")):
        with pytest.raises(UserScriptException) as raised:
            await prove(Scorer(failing(UserScriptException("boom", hint=hint))), sample={})
        assert raised.value.hint == told
    with pytest.raises(UserScriptException) as raised:  # MOP's own inputs are right
        await prove(Scorer(failing(UserScriptException("boom", hint=line))))
    assert raised.value.hint == line


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
