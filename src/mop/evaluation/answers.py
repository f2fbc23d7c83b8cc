"""From outputs to predictions: each output is held to the contract, and its label and scores become numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mop.deferred import np
from mop.evaluation.label_map import LabelMap
from mop.evaluation.predictions import Predictions
from mop.onboarding.contract import TaskInput
from mop.serving.row_runner import Outcome, Unanswered
from mop_utils.output_rules import TaskContract, check_output, predicted_label


class RowFacts(NamedTuple):
    """What is known of a row without its content.

    Attributes:
        true: place of its label.
        slices: place of its value in each slice column.
    """

    number: int
    true: int
    slices: tuple[int, ...]


class Answer(NamedTuple):
    """What a model said of one row for one task.

    Attributes:
        label: that it predicts; empty without an answer.
        scores: of each label; empty without an answer.
        error: the catalogue's name of why there is no answer; empty where there is one.
    """

    label: str
    scores: Mapping[str, float]
    error: str


def answer_of(outcome: Outcome, contract: TaskContract) -> Answer:
    """The answer of an outcome; an output that breaks the contract is none."""
    label, error = label_of(outcome, contract)
    if error or isinstance(outcome, Unanswered):
        return Answer("", {}, error)
    scores = outcome.output["confidence_scores"][contract.customized_name]
    return Answer(label, {one: float(scores[one]) for one in contract.labels}, "")


def label_of(outcome: Outcome, contract: TaskContract) -> tuple[str, str]:
    """The label and the error of the answer of an outcome."""
    if isinstance(outcome, Unanswered):
        return "", outcome.error
    if violations := check_output(outcome.output, (contract,)):
        return "", violations[0].error
    return predicted_label(outcome.output["predicted_labels"][contract.customized_name], contract), ""


class Answers:
    """Collects the outcomes of rows that follow each other."""

    def __init__(self, task: TaskInput, mapped: LabelMap, slice_columns: int) -> None:
        self._contract = task.contract()
        self._map = mapped
        self._columns = slice_columns
        self._nothing = [np.nan] * len(mapped.task_labels)
        self._rows: list[RowFacts] = []
        self._predicted: list[int] = []
        self._errors: list[str] = []
        self._scores: list[Sequence[float]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: RowFacts, outcome: Outcome) -> None:
        """Take the outcome of the next row; an output that breaks the contract is no answer."""
        self._rows.append(row)
        found = answer_of(outcome, self._contract)
        self._errors.append(found.error)
        if found.error:
            self._predicted.append(self._map.no_answer)
            self._scores.append(self._nothing)
        else:
            self._predicted.append(self._map.places[self._map.task_labels.index(found.label)])
            self._scores.append([found.scores[label] for label in self._map.task_labels])

    def predictions(self) -> Predictions:
        """What was collected."""
        return Predictions(
            first_row=self._rows[0].number,
            true=np.array([row.true for row in self._rows], dtype=np.uint8),
            predicted=np.array(self._predicted, dtype=np.uint8),
            errors=list(self._errors),
            slices=np.array([row.slices for row in self._rows], dtype=np.uint8).reshape(len(self), self._columns),
            scores=np.array(self._scores, dtype=np.float64),
        )

    def error_counts(self) -> Counter[str]:
        """How many rows have no answer, by the error's name."""
        return Counter(name for name in self._errors if name)

    def failed_rows(self, most: int) -> dict[str, list[int]]:
        """The first row numbers of each error."""
        found: dict[str, list[int]] = {}
        for row, name in zip(self._rows, self._errors, strict=True):
            if name and len(found.setdefault(name, [])) < most:
                found[name].append(row.number)
        return found

    def clear(self) -> None:
        """Begin anew."""
        for kept in (self._rows, self._predicted, self._errors, self._scores):
            kept.clear()
