"""What may be told of an evaluation: the one place that pages, API, merges, comparisons and downloads read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mop.evaluation.metrics.curves import Calibration, ScoreHistograms
from mop.evaluation.metrics.intervals import Interval
from mop.evaluation.metrics.matrix import ConfusionMatrix
from mop.evaluation.metrics.slices import SliceName

if TYPE_CHECKING:
    from mop.evaluation.results import EvaluationDocument


@dataclass(frozen=True, eq=False)
class ShownSlice:
    """The counts of a slice that may be shown; scores as those of the whole."""

    matrix: ConfusionMatrix
    scores: Mapping[str, ScoreHistograms]


@dataclass(frozen=True, eq=False)
class Shown:
    """The counts of an evaluation that may be told. Nothing of a withheld slice is in it but name and reason.

    Attributes:
        levels: of an ordinal task, ascending; empty where it is categorical.
        scores: of a categorical task by label: rows that have it against the others. Of an ordinal one by level but the
            lowest: rows at or above it against those below.
        calibration: by label or level.
        confidence: calibration of the predicted label's score.
        withheld: reasons by slice.
        intervals: of the metrics of the whole, as they were computed with the counts; may lack some.
    """

    matrix: ConfusionMatrix
    levels: tuple[str, ...]
    scores: Mapping[str, ScoreHistograms]
    calibration: Mapping[str, Calibration]
    confidence: Calibration | None
    slices: Mapping[SliceName, ShownSlice]
    withheld: Mapping[SliceName, str]
    intervals: Mapping[str, Interval | None]
    least: int


def shown_of(document: EvaluationDocument, *, least: int) -> Shown:
    """What may be told of a stored result, in which slices were withheld when it was counted.

    Args:
        document: the stored result.
        least: under how many rows slices are withheld now. Where it is more than when the result was counted, nothing
            tells which slices would give others away, so none is shown until the result is counted again.
    """
    is_raised = least > document.least_rows
    # which of several withheld slices is the small one is not told: with the sum of their rows, that would bound sizes
    reason = f"under {document.least_rows} rows, or would reveal a slice that is"
    raised = f"slices need {least} rows now; they are shown once this version is evaluated again"
    names = {one.name: raised for one in document.slices} if is_raised else {}
    return Shown(
        matrix=document.matrix,
        levels=document.levels,
        scores={label: one.histograms for label, one in document.scores.items()},
        calibration={label: one.calibration for label, one in document.scores.items()},
        confidence=document.confidence,
        slices={} if is_raised else {one.name: ShownSlice(one.matrix, one.histograms) for one in document.slices},
        withheld=names | dict.fromkeys(document.withheld, raised if is_raised else reason),
        intervals=document.intervals,
        least=max(least, document.least_rows),
    )
