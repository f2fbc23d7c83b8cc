import enum
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop_utils import MopInferenceOutput
from mop_utils.output_rules import (
    MAX_VIOLATIONS,
    TaskContract,
    check_output,
    check_outputs,
    predicted_label,
)

HUGE = pytest.param(10**5000, id="5001 digits")  # pytest cannot name it
MINUS_HUGE = pytest.param(-(10**5000), id="minus 5001 digits")
INVALID = "InvalidModelOutputError"
CATEGORICAL = TaskContract("Jailbreak", "jailbreak", "Categorical", ("no", "yes"))
ORDINAL = TaskContract("Hate", "hate", "Ordinal", ("0", "1", "2", "3"))


def output_of(labels, scores, taxonomy="jailbreak"):
    return {"predicted_labels": {taxonomy: labels}, "confidence_scores": {taxonomy: scores}}


def categorical(labels=(0, 1), scores=(0.25, 0.75)):
    return output_of(dict(zip(("no", "yes"), labels, strict=True)), dict(zip(("no", "yes"), scores, strict=True)))


def ordinal(labels=(1, 1, 0, 0), scores=(1.0, 0.75, 0.25, 0.0)):
    return output_of(dict(zip("0123", labels, strict=True)), dict(zip("0123", scores, strict=True)), "hate")


def errors(output, *tasks):
    return [violation.error for violation in check_output(output, tasks)]


def only_message(output, *tasks):
    (violation,) = check_output(output, tasks)
    return violation.message


class Level(enum.IntEnum):
    off = 0
    on = 1


# The form --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", [None, [], "text", 1, math.nan, (), object(), b"x", [categorical()]])
def test_an_output_that_is_no_dict_is_invalid_and_nothing_else_is_said(output):
    assert errors(output, CATEGORICAL, ORDINAL) == [INVALID]


@pytest.mark.parametrize("part", ["predicted_labels", "confidence_scores"])
@pytest.mark.parametrize("value", [None, [], "text", 1, {}, {"jailbreak": None}, {"jailbreak": {}}, {"jailbreak": [1]}])
def test_a_part_of_the_wrong_shape_is_invalid_and_named(part, value):
    found = check_output({**categorical(), part: value}, ())
    assert found
    assert {violation.error for violation in found} == {INVALID}
    assert part in found[0].message


def test_a_missing_part_is_invalid():
    assert errors({"predicted_labels": {"a": {"x": 1}}}) == [INVALID]


@pytest.mark.parametrize("name", ["", 1, None, (1, 2), math.nan])
def test_taxonomies_and_labels_must_be_non_empty_texts(name):
    assert set(errors(output_of({"x": 1}, {"x": 1.0}, name))) == {INVALID}
    assert set(errors(output_of({name: 1}, {name: 1.0}))) == {INVALID}


@pytest.mark.parametrize("value", [0, 1, Level.on])
def test_a_predicted_label_may_be_the_integer_0_or_1(value):
    assert errors(output_of({"x": value}, {"x": 0.5})) == []


@pytest.mark.parametrize(
    "value", [True, False, 1.0, 0.0, 2, -1, "1", None, [1], {"1": 1}, math.nan, math.inf, HUGE, Decimal(1), 1j]
)
def test_any_other_predicted_label_is_invalid(value):
    assert "predicted_labels" in only_message(output_of({"x": value}, {"x": 0.5}))


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, 0.5, 5e-324, -0.0])
def test_a_score_may_be_any_number_from_0_to_1(value):
    assert errors(output_of({"x": 1}, {"x": value})) == []


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        math.nan,
        math.inf,
        -math.inf,
        -1e-9,
        1.0000001,
        2,
        -1,
        HUGE,
        MINUS_HUGE,
        "0.5",
        None,
        [0.5],
        1j,
        Decimal("0.5"),
    ],
)
def test_any_other_score_is_invalid(value):
    assert "confidence_scores" in only_message(output_of({"x": 1}, {"x": value}))


def test_the_message_names_place_labels_and_values():
    message = only_message(output_of({"fine": 1, "bad": True, "worse": 2}, {"fine": 1, "bad": 0, "worse": 0}))
    assert (
        message
        == "predicted_labels['jailbreak']: values must be the integers 0 or 1, but there are 'bad': True, 'worse': 2"
    )


def test_both_parts_must_have_the_same_taxonomies():
    output = {"predicted_labels": {"a": {"x": 1}}, "confidence_scores": {"b": {"x": 1.0}}}
    assert "['a'] and ['b']" in only_message(output)


def test_both_parts_must_have_the_same_labels():
    assert "['x'] and ['x', 'y']" in only_message(output_of({"x": 1}, {"x": 0.5, "y": 0.5}))


def test_further_keys_and_unmapped_taxonomies_do_no_harm():
    output = categorical()
    output["explanation"] = object()
    output["predicted_labels"]["other"] = {"x": 0}
    output["confidence_scores"]["other"] = {"x": 0.1}
    assert errors(output, CATEGORICAL) == []


def test_a_mop_inference_output_is_checked_like_its_dict():
    assert errors(MopInferenceOutput(categorical()), CATEGORICAL) == []
    assert errors(MopInferenceOutput(categorical(labels=(1, 1))), CATEGORICAL) == ["CategoricalTaskLabelValueError"]


# numpy -----------------------------------------------------------------------------------------------------


def test_numpy_scalars_count_as_numbers():
    for integer in (np.int64, np.uint8, np.int32):
        assert errors(categorical(labels=(integer(0), integer(1))), CATEGORICAL) == []
    for floating in (np.float64, np.float32, np.float16, np.longdouble):
        assert errors(categorical(scores=(floating(0.25), floating(0.75))), CATEGORICAL) == []
    assert errors(categorical(scores=(np.int64(0), np.int64(1))), CATEGORICAL) == []


def test_numpy_booleans_nan_infinity_arrays_and_durations_do_not():
    for value in (np.bool_(True), np.float64(1), np.array(1), np.timedelta64(1), np.str_("1"), np.int64(2)):
        assert errors(output_of({"x": value}, {"x": 1.0})) == [INVALID], repr(value)
    for value in (
        np.bool_(True),
        np.float32("nan"),
        np.float64("inf"),
        np.array([0.5]),
        np.timedelta64(1),
        np.complex64(1),
    ):
        assert errors(output_of({"x": 1}, {"x": value})) == [INVALID], repr(value)


# Tasks -----------------------------------------------------------------------------------------------------


def test_a_mapped_taxonomy_must_be_there_under_its_customized_name():
    message = only_message(output_of({"0": 1}, {"0": 1.0}, "Hate"), ORDINAL)
    assert message == "Taxonomy 'Hate' is mapped to 'hate', but the output has the taxonomies ['Hate']"
    assert errors(output_of({"0": 1}, {"0": 1.0}, "Hate"), ORDINAL) == ["TaxonomyMisMatchError"]


@pytest.mark.parametrize("labels", [("no",), ("no", "Yes"), ("no", "yes", "maybe")])
def test_the_labels_must_be_those_of_the_task(labels):
    output = output_of(dict.fromkeys(labels, 0), dict.fromkeys(labels, 0.0))
    assert errors(output, CATEGORICAL) == ["TaskLabelMismatchError"]
    assert "['no', 'yes']" in only_message(output, CATEGORICAL)


@pytest.mark.parametrize(("labels", "good"), [((0, 1), True), ((1, 0), True), ((0, 0), False), ((1, 1), False)])
def test_a_categorical_task_has_exactly_one_label_at_1(labels, good):
    assert errors(categorical(labels=labels), CATEGORICAL) == ([] if good else ["CategoricalTaskLabelValueError"])


def test_the_categorical_message_shows_the_values():
    message = only_message(categorical(labels=(1, 1)), CATEGORICAL)
    assert message == (
        "predicted_labels['jailbreak']: exactly one label of a categorical task must be 1, but 2 are: 'no': 1, 'yes': 1"
    )


@pytest.mark.parametrize(
    ("labels", "good"),
    [
        ((1, 0, 0, 0), True),
        ((1, 1, 0, 0), True),
        ((1, 1, 1, 1), True),
        ((0, 0, 0, 0), False),
        ((0, 1, 0, 0), False),
        ((1, 0, 1, 0), False),
        ((0, 0, 0, 1), False),
        ((0, 1, 1, 1), False),
    ],
)
def test_ordinal_labels_are_a_run_of_1s_then_0s(labels, good):
    assert errors(ordinal(labels=labels), ORDINAL) == ([] if good else ["OrdinalTaskLabelValueError"])


def test_the_order_of_ordinal_labels_is_the_tasks_not_the_dicts():
    backwards = output_of({"3": 0, "2": 0, "1": 1, "0": 1}, {"3": 0.0, "2": 0.1, "1": 0.8, "0": 1.0}, "hate")
    assert errors(backwards, ORDINAL) == []


@pytest.mark.parametrize(
    ("scores", "good"),
    [
        ((0.5, 0.5), True),
        ((0, 1), True),
        ((0.5, 0.499), True),
        ((0.5, 0.501), True),
        ((0.5, 0.4995), True),
        ((0.5, 0.4989), False),
        ((0.5, 0.5011), False),
        ((0, 0), False),
        ((1, 1), False),
    ],
)
def test_categorical_scores_sum_to_1_within_a_thousandth(scores, good):
    expected = [] if good else ["CategoricalTaskLabelConfidenceScoreSumError"]
    assert errors(categorical(scores=scores), CATEGORICAL) == expected


@pytest.mark.parametrize(
    ("scores", "good"),
    [
        ((1, 1, 1, 1), True),
        ((0, 0, 0, 0), True),
        ((0.9, 0.5, 0.5, 0.1), True),
        ((1, 0.5, 0.25, 0), True),
        ((0.1, 0.2, 0.3, 0.4), False),
        ((1, 0.5, 0.5000001, 0), False),
        ((0.9, 0.95, 0.1, 0), False),
    ],
)
def test_ordinal_scores_never_increase(scores, good):
    assert errors(ordinal(scores=scores), ORDINAL) == ([] if good else ["OrdinalTaskLabelConfidenceScoreValueError"])


def test_violations_come_in_the_order_of_the_rules_whatever_the_order_of_tasks():
    missing = TaskContract("Sexual", "sexual", "Ordinal", ("a", "b", "c"))
    other_labels = TaskContract("Violence", "violence", "Categorical", ("x", "y"))
    output = categorical(labels=(0, 0), scores=(0, 0))
    for part, value in (("predicted_labels", 0), ("confidence_scores", 0.0)):
        output[part]["violence"] = {"x": value}
        output[part]["broken"] = {"x": True}
    labels, scores = (0, 1, 0, 0), (0, 1, 0, 0)
    output["predicted_labels"]["hate"] = dict(zip("0123", labels, strict=True))
    output["confidence_scores"]["hate"] = dict(zip("0123", scores, strict=True))
    assert errors(output, ORDINAL, CATEGORICAL, other_labels, missing) == [
        INVALID,
        INVALID,
        "TaxonomyMisMatchError",
        "TaskLabelMismatchError",
        "CategoricalTaskLabelValueError",
        "OrdinalTaskLabelValueError",
        "CategoricalTaskLabelConfidenceScoreSumError",
        "OrdinalTaskLabelConfidenceScoreValueError",
    ]


def test_a_contract_of_an_unknown_label_type_is_refused():
    with pytest.raises(ValueError, match="label_type"):
        TaskContract("Hate", "hate", "ordinal", ("a", "b", "c"))


# Batches ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outputs", "expected"), [([], 1), ([categorical()], 2), ([categorical()] * 3, 2)])
def test_a_batch_needs_one_output_per_item(outputs, expected):
    (violation,) = check_outputs(outputs, expected, [CATEGORICAL])
    assert violation.error == INVALID
    assert "{} items, but {} outputs".format(expected, len(outputs)) in violation.message


@pytest.mark.parametrize("outputs", [None, {}, "ab", 2, categorical()])
def test_a_batch_must_be_a_list(outputs):
    assert [violation.error for violation in check_outputs(outputs, 2, ())] == [INVALID]


def test_a_batch_that_obeys_has_no_violation():
    assert check_outputs([categorical(), categorical()], 2, [CATEGORICAL]) == []
    assert check_outputs([], 0, [CATEGORICAL]) == []


def test_violations_of_a_batch_name_the_output_and_come_in_the_order_of_the_rules():
    found = check_outputs([categorical(labels=(0, 0)), None], 2, [CATEGORICAL])
    assert [(violation.error, violation.message[:10]) for violation in found] == [
        (INVALID, "outputs[1]"),
        ("CategoricalTaskLabelValueError", "outputs[0]"),
    ]


# The predicted label ---------------------------------------------------------------------------------------


def test_the_predicted_label_is_the_1_of_a_categorical_and_the_last_1_of_an_ordinal_task():
    assert predicted_label({"no": 0, "yes": 1}, CATEGORICAL) == "yes"
    assert predicted_label({"3": 0, "2": 1, "1": 1, "0": 1}, ORDINAL) == "2"


def test_without_a_1_there_is_no_predicted_label():
    with pytest.raises(ValueError, match="'no': 0, 'yes': 0"):
        predicted_label({"no": 0, "yes": 0}, CATEGORICAL)


# Whatever a model returns ----------------------------------------------------------------------------------


def test_messages_and_lists_stay_short_however_large_the_output():
    name = "\udc80\U000e0001" * 10_000
    labels = {"label {} ".format(index) + name: True for index in range(1_000)}
    output = {
        "predicted_labels": {"{} ".format(index) + name: labels for index in range(200)},
        "confidence_scores": dict.fromkeys(range(200), 10**9_000),
    }
    found = check_output(output, [ORDINAL, CATEGORICAL])
    assert len(found) == MAX_VIOLATIONS
    assert max(len(violation.message) for violation in found) < 3_000
    assert len(check_outputs([output] * 3, 3, [ORDINAL])) == MAX_VIOLATIONS


def test_a_self_containing_output_ends():
    output = {}
    output["predicted_labels"] = output["confidence_scores"] = {"jailbreak": output}
    assert INVALID in errors(output, CATEGORICAL)


class Unprintable:
    def __repr__(self):
        raise RuntimeError

    __str__ = __bool__ = __repr__


def test_objects_that_can_not_be_printed_are_named_by_their_type():
    assert "a value of type Unprintable" in only_message(output_of({"x": Unprintable()}, {"x": 0.5}))
    assert "a value of type Unprintable" in only_message(Unprintable())


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.sampled_from([4000, 5000]).map(lambda digits: 10**digits),
    st.builds(Unprintable),
)
keys = st.one_of(st.sampled_from(["hate", "jailbreak", "0", "1", "no", "yes"]), st.text(), st.integers(), st.none())
parts = st.sampled_from(["predicted_labels", "confidence_scores"])
garbage = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4), st.dictionaries(parts, inner, max_size=2)
    ),
    max_leaves=20,
)
nearly = st.fixed_dictionaries(
    {
        part: st.dictionaries(keys, st.dictionaries(keys, leaves, max_size=4), max_size=3)
        for part in ("predicted_labels", "confidence_scores")
    }
)


class Dict(dict):
    """A dict that is not of the exact type: no short way is taken."""


@st.composite
def almost_right(draw):
    """An output that obeys both tasks, changed in at most two places."""
    output = {
        "predicted_labels": {"jailbreak": {"no": 0, "yes": 1}, "hate": {"0": 1, "1": 1, "2": 0, "3": 0}},
        "confidence_scores": {"jailbreak": {"no": 0.25, "yes": 0.75}, "hate": {"0": 1, "1": 0.5, "2": 0.5, "3": 0.0}},
    }
    values = st.sampled_from([0, 1, True, 1.0, 0.0, 0.3, 0.2505, -0.1, 1.1, math.nan, "1", None, {}])
    for _ in range(draw(st.integers(0, 2))):
        place = output[draw(parts)]
        if draw(st.booleans()) and place:
            place = place[draw(st.sampled_from(sorted(place, key=str)))]
        name = draw(st.one_of(st.sampled_from([*sorted(place, key=str), "", 1]), keys))
        if draw(st.booleans()):
            place.pop(name, None)
        else:
            place[name] = draw(st.one_of(values, st.sampled_from([{"no": 0, "yes": 1}, {"a": 0.5}])))
        if any(not isinstance(held, dict) for part in output.values() for held in part.values()):
            break
    return output


@settings(max_examples=500)
@given(
    st.one_of(almost_right(), almost_right(), nearly, garbage),
    st.lists(st.sampled_from([CATEGORICAL, ORDINAL]), unique=True),
)
def test_the_short_way_to_say_that_an_output_obeys_says_what_the_long_way_says(output, tasks):
    long_way = Dict(output) if isinstance(output, dict) else output
    assert check_output(output, tasks) == check_output(long_way, tasks)


@given(st.one_of(garbage, nearly))
def test_nothing_that_a_model_returns_makes_a_check_crash(output):
    for violation in check_output(output, [CATEGORICAL, ORDINAL]) + check_outputs(output, 2, [ORDINAL]):
        assert violation.error.endswith("Error")
        assert len(violation.message) < 3_000


@given(
    st.integers(2, 20).flatmap(
        lambda n: st.tuples(st.integers(0, n - 1), st.lists(st.floats(0.01, 1), min_size=n, max_size=n))
    )
)
def test_normalised_scores_with_one_label_obey_a_categorical_task(case):
    chosen, weights = case
    names = tuple("label {}".format(index) for index in range(len(weights)))
    task = TaskContract("Jailbreak", "j", "Categorical", names)
    labels = {name: int(index == chosen) for index, name in enumerate(names)}
    output = output_of(labels, {name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)}, "j")
    assert check_output(output, [task]) == []
    assert predicted_label(labels, task) == names[chosen]


@given(
    st.integers(3, 20).flatmap(
        lambda n: st.tuples(st.integers(0, n - 1), st.lists(st.floats(0, 1), min_size=n, max_size=n))
    )
)
def test_sorted_scores_with_a_run_of_1s_obey_an_ordinal_task(case):
    level, scores = case
    names = tuple("level {}".format(index) for index in range(len(scores)))
    task = TaskContract("Hate", "h", "Ordinal", names)
    labels = {name: int(index <= level) for index, name in enumerate(names)}
    output = output_of(labels, dict(zip(names, sorted(scores, reverse=True), strict=True)), "h")
    assert check_output(output, [task]) == []
    assert predicted_label(labels, task) == names[level]
