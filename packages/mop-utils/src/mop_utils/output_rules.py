"""The rules that a model's output must obey, as pure functions; SDK, pipeline and tests share them.

Every rule reports under the name of its error in MOP's catalogue. The first violation of a list is the error, the
others are told with it. The functions never raise on what a model returned, whatever it is: sizes of messages and
lists are bounded, and nothing of the output but plain data is looked at.
"""

import math
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from ._numbers import as_integer, as_number
from ._shown import show, show_names, show_values
from .base_model_wrapper import MopInferenceOutput

__all__ = [
    "MAX_VIOLATIONS",
    "RULE_ORDER",
    "SUM_TOLERANCE",
    "TaskContract",
    "Violation",
    "check_output",
    "check_outputs",
    "predicted_label",
]

CATEGORICAL = "Categorical"
ORDINAL = "Ordinal"

SUM_TOLERANCE = 1e-3
"""How far the scores of a categorical task may sum from 1."""

MAX_VIOLATIONS = 50
"""The most violations that one call returns."""

RULE_ORDER = (
    "InvalidModelOutputError",
    "TaxonomyMisMatchError",
    "TaskLabelMismatchError",
    "CategoricalTaskLabelValueError",
    "OrdinalTaskLabelValueError",
    "CategoricalTaskLabelConfidenceScoreSumError",
    "OrdinalTaskLabelConfidenceScoreValueError",
)
"""The names of the rules' errors, in the order in which the first violation is told."""

_INVALID, _TAXONOMY, _LABELS, _CATEGORICAL_VALUE, _ORDINAL_VALUE, _CATEGORICAL_SUM, _ORDINAL_SCORE = RULE_ORDER

_LABEL_TYPES, _SCORE_TYPES = (int,), (float, int)

_ROUNDING = 1e-9  # so that 0.999, which is 1 - 0.0010000000000000009 in binary, is within the tolerance

Number = Union[int, float]


@dataclass(frozen=True)
class TaskContract:
    """What a connected task asks of the output.

    Attributes:
        taxonomy: the task's taxonomy, for messages.
        customized_name: the taxonomy's key in the model's output.
        label_type: "Categorical" or "Ordinal".
        labels: the task's labels, ascending for an ordinal task.
    """

    taxonomy: str
    customized_name: str
    label_type: str
    labels: Tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a label type that no rule knows (ValueError)."""
        if self.label_type not in (CATEGORICAL, ORDINAL):
            raise ValueError(f"label_type must be {CATEGORICAL!r} or {ORDINAL!r}, but it is {self.label_type!r}")


@dataclass(frozen=True)
class Violation:
    """One rule that an output breaks.

    Attributes:
        error: the catalogue name of the rule's error.
        message: the rule, the place, and the labels and values seen; at most a few hundred characters.
    """

    error: str
    message: str


def check_output(output: object, tasks: Sequence[TaskContract]) -> List[Violation]:
    """Hold one output against all rules.

    Args:
        output: {"predicted_labels": {taxonomy: {label: 0 or 1}}, "confidence_scores": {taxonomy: {label: 0 to 1}}}
            as a dict or a MopInferenceOutput. Numbers may be numpy scalars. Taxonomies without a task are held to the
            form only.
        tasks: the connected tasks; without any, everything but the taxonomy and label rules is checked.

    Returns:
        The violations in the order of the rules, at most MAX_VIOLATIONS; an empty list if the output obeys.
    """
    return [] if _plainly_obeys(output, tasks) else _in_order(_violations(output, tasks))


def check_outputs(outputs: object, expected: int, tasks: Sequence[TaskContract]) -> List[Violation]:
    """Hold the answer to a batch against all rules: first that there is one output per item, then each output.

    Args:
        outputs: a list (or tuple) of outputs, each as for `check_output`.
        expected: how many items were sent.
        tasks: the connected tasks.

    Returns:
        As `check_output`; messages name the output by its index.
    """
    if not isinstance(outputs, (list, tuple)):
        return [Violation(_INVALID, f"A batch must be answered with a list of outputs, but it is {show(outputs)}")]
    found: List[Violation] = []
    if len(outputs) != expected:
        found.append(
            Violation(_INVALID, f"There must be one output per item: {expected} items, but {len(outputs)} outputs")
        )
    for index, output in enumerate(outputs[:expected]):
        found.extend(
            Violation(violation.error, f"outputs[{index}]: {violation.message}")
            for violation in check_output(output, tasks)
        )
    return _in_order(found)


def predicted_label(labels: Mapping[str, int], contract: TaskContract) -> str:
    """The label that an output predicts for a task.

    Args:
        labels: {label: 0 or 1}, the task's part of `predicted_labels`, which obeys the rules.
        contract: the task.

    Returns:
        Categorical: the label at 1. Ordinal: the last label at 1 along the ascending labels.

    Raises:
        ValueError: no label of the task is at 1.
    """
    for label in reversed(contract.labels):
        if as_integer(labels.get(label)) == 1:
            return label
    raise ValueError(f"No label of task {contract.taxonomy!r} is at 1: {show_values(labels, contract.labels)}")


def _plainly_obeys(output: object, tasks: Sequence[TaskContract]) -> bool:
    """Whether an output of plain dicts, texts and numbers, as JSON gives them, obeys every rule.

    Nearly all outputs do, and to say so takes a tenth of what finding words for a violation takes. False tells nothing:
    the output is broken, or of other types, and `_violations` decides. What is plain here is told by the exact type:
    True is no 1, and a subclass may answer otherwise than it holds.
    """
    if type(output) is not dict:
        return False
    labels, scores = output.get("predicted_labels"), output.get("confidence_scores")
    if type(labels) is not dict or type(scores) is not dict or not labels or labels.keys() != scores.keys():
        return False
    if not _is_plain(labels, _LABEL_TYPES) or not _is_plain(scores, _SCORE_TYPES):
        return False
    for taxonomy, entries in labels.items():
        if entries.keys() != scores[taxonomy].keys():
            return False
    for task in tasks:  # a loop: a generator would take as long again
        name = task.customized_name
        if name not in labels or not _plainly_fits(task, labels[name], scores[name]):
            return False
    return True


def _is_plain(part: Dict[Any, Any], types: Tuple[type, ...]) -> bool:
    """Whether a part holds numbers from 0 to 1 of these types. A function for each would take longer than to ask."""
    for taxonomy, entries in part.items():
        if type(taxonomy) is not str or not taxonomy or type(entries) is not dict or not entries:
            return False
        for label, value in entries.items():
            if type(label) is not str or not label or type(value) not in types or not 0 <= value <= 1:
                return False
    return True


def _plainly_fits(task: TaskContract, labels: Mapping[str, Any], scores: Mapping[str, Any]) -> bool:
    """Whether a task's taxonomy, read as plain, has the task's labels and obeys its rules."""
    try:
        ones = [labels[label] for label in task.labels]
        values = [scores[label] for label in task.labels]
    except KeyError:
        return False
    return len(labels) == len(ones) and _labels_fit(task.label_type, ones) and _scores_fit(task.label_type, values)


def _labels_fit(label_type: str, values: List[Number]) -> bool:
    """Whether 0s and 1s, in the order of a task's labels, obey the rule of its type."""
    if label_type == CATEGORICAL:
        return sum(values) == 1
    return values[0] == 1 and values == sorted(values, reverse=True)


def _scores_fit(label_type: str, values: List[Number]) -> bool:
    """Whether scores, in the order of a task's labels, obey the rule of its type."""
    if label_type == CATEGORICAL:
        return abs(math.fsum(values) - 1) <= SUM_TOLERANCE + _ROUNDING
    return values == sorted(values, reverse=True)


def _violations(output: object, tasks: Sequence[TaskContract]) -> Iterator[Violation]:
    if isinstance(output, MopInferenceOutput):
        output = {part: getattr(output, part, None) for part in ("predicted_labels", "confidence_scores")}
    if not isinstance(output, dict):
        yield Violation(
            _INVALID,
            f"An output must be a dict with predicted_labels and confidence_scores, but it is {show(output)}",
        )
        return
    labels = _Part("predicted_labels", output.get("predicted_labels"), "the integers 0 or 1", _label_value)
    scores = _Part("confidence_scores", output.get("confidence_scores"), "finite numbers from 0 to 1", _score_value)
    yield from labels.violations
    yield from scores.violations
    if labels.seen is None or scores.seen is None:
        return
    yield from _differences(labels.seen, scores.seen)
    for task in tasks:
        yield from _task_violations(task, labels, scores)


class _Part:
    """One of the two parts of an output, read once.

    Attributes:
        seen: the part's taxonomies with whatever they hold; None if the part is no dict.
        good: {taxonomy: {label: number}} of the taxonomies without a fault.
        violations: the faults of form.
    """

    def __init__(self, name: str, value: object, rule: str, read: Any) -> None:
        self.seen: Optional[Dict[Any, Any]] = value if isinstance(value, dict) else None
        self.good: Dict[str, Dict[str, Number]] = {}
        self.violations: List[Violation] = []
        if self.seen is None:
            self._add(f"{name} must be a dict of taxonomies, but it is {show(value)}")
        elif not self.seen:
            self._add(f"{name} must hold at least one taxonomy, but it is empty")
        else:
            for taxonomy, entries in self.seen.items():
                self._read_taxonomy(f"{name}[{show(taxonomy)}]", taxonomy, entries, rule, read)

    def _read_taxonomy(self, place: str, taxonomy: object, entries: object, rule: str, read: Any) -> None:
        if not isinstance(taxonomy, str) or not taxonomy:
            self._add(f"{place}: a taxonomy must be a non-empty text")
        elif not isinstance(entries, dict) or not entries:
            self._add(f"{place} must be a dict with at least one label, but it is {show(entries)}")
        else:
            values = {label: read(value) for label, value in entries.items()}
            odd = [label for label in values if not isinstance(label, str) or not label]
            wrong = [label for label, value in values.items() if value is None]
            if odd:
                self._add(f"{place}: labels must be non-empty texts, but there are {show_names(odd)}")
            if wrong:
                self._add(f"{place}: values must be {rule}, but there are {show_values(entries, wrong)}")
            if not odd and not wrong:
                self.good[taxonomy] = values

    def _add(self, message: str) -> None:
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(Violation(_INVALID, message))


def _label_value(value: object) -> Optional[int]:
    integer = as_integer(value)
    return integer if integer in (0, 1) else None


def _score_value(value: object) -> Optional[Number]:
    number = as_number(value)
    return number if number is not None and 0 <= number <= 1 else None  # NaN compares false


def _differences(labels: Dict[Any, Any], scores: Dict[Any, Any]) -> Iterator[Violation]:
    """Both parts must have the same taxonomies and labels."""
    if labels.keys() != scores.keys():
        yield Violation(
            _INVALID,
            "predicted_labels and confidence_scores must have the same taxonomies, "
            f"but they have {show_names(labels)} and {show_names(scores)}",
        )
    for taxonomy, entries in labels.items():
        other = scores.get(taxonomy)
        if isinstance(entries, dict) and isinstance(other, dict) and entries.keys() != other.keys():
            yield Violation(
                _INVALID,
                f"predicted_labels and confidence_scores must have the same labels for taxonomy {show(taxonomy)}, "
                f"but they have {show_names(entries)} and {show_names(other)}",
            )


def _task_violations(task: TaskContract, labels: _Part, scores: _Part) -> Iterator[Violation]:
    name = task.customized_name
    seen = [part.seen[name] for part in (labels, scores) if part.seen and name in part.seen]
    if not seen:
        yield Violation(
            _TAXONOMY,
            f"Taxonomy {show(task.taxonomy)} is mapped to {show(name)}, "
            f"but the output has the taxonomies {show_names(labels.seen or {})}",
        )
        return
    for entries in seen:
        if isinstance(entries, dict) and entries and entries.keys() != set(task.labels):
            yield Violation(
                _LABELS,
                f"Taxonomy {show(name)} must have the labels {show_names(task.labels)} of its task, "
                f"but it has {show_names(entries)}",
            )
            return
    if name in labels.good:
        yield from _label_value_violations(task, labels.good[name])
    if name in scores.good:
        yield from _score_violations(task, scores.good[name])


def _label_value_violations(task: TaskContract, labels: Dict[str, Number]) -> Iterator[Violation]:
    place = f"predicted_labels[{show(task.customized_name)}]"
    values = [labels[label] for label in task.labels]
    if _labels_fit(task.label_type, values):
        return
    if task.label_type == CATEGORICAL:
        yield Violation(
            _CATEGORICAL_VALUE,
            f"{place}: exactly one label of a categorical task must be 1, but {sum(values)} are: "
            f"{show_values(labels, task.labels)}",
        )
    else:
        yield Violation(
            _ORDINAL_VALUE,
            f"{place}: along the ascending labels of an ordinal task there must be a run of 1s, at least one, "
            f"then 0s, but there are {show_values(labels, task.labels)}",
        )


def _score_violations(task: TaskContract, scores: Dict[str, Number]) -> Iterator[Violation]:
    place = f"confidence_scores[{show(task.customized_name)}]"
    values = [scores[label] for label in task.labels]
    if _scores_fit(task.label_type, values):
        return
    if task.label_type == CATEGORICAL:
        yield Violation(
            _CATEGORICAL_SUM,
            f"{place}: the scores of a categorical task must sum to 1 (within {SUM_TOLERANCE}), "
            f"but they sum to {math.fsum(values):.6g}: {show_values(scores, task.labels)}",
        )
    else:
        yield Violation(
            _ORDINAL_SCORE,
            f"{place}: the scores of an ordinal task are cumulative, so they must never increase along the "
            f"ascending labels, but they are {show_values(scores, task.labels)}",
        )


def _in_order(violations: Iterable[Violation]) -> List[Violation]:
    return sorted(violations, key=lambda violation: RULE_ORDER.index(violation.error))[:MAX_VIOLATIONS]
