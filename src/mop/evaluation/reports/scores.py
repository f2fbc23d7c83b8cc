"""Figures made of scores: curves, thresholds and calibration on the grid. All of them have 4 decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mop.deferred import np
from mop.evaluation.metrics.curves import (
    Calibration,
    ScoreHistograms,
    curves,
    subgroup_auc,
    threshold_grid,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECIMALS = 4
BINS = 10


@dataclass(frozen=True)
class Threshold:
    """What a label's scores do at one threshold: rows that reach it are positive; None is undefined."""

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    false_positive_rate: float | None


@dataclass(frozen=True)
class ScoreFigures:
    """What the scores of one label, or of one level and above, tell."""

    label: str
    roc_auc: float | None
    average_precision: float | None
    thresholds: tuple[Threshold, ...]

    @property
    def best(self) -> Threshold | None:
        """The threshold with the highest F1; the highest such threshold. None where F1 is defined nowhere."""
        defined = [one for one in self.thresholds if one.f1 is not None]
        return max(defined, key=lambda one: (one.f1, one.threshold)) if defined else None


@dataclass(frozen=True)
class Bin:
    """Rows whose score lies in one tenth: what the scores say, how many were right."""

    low: float
    share_of_rows: float
    mean_score: float
    share_right: float


@dataclass(frozen=True)
class CalibrationFigures:
    """Whether scores mean what they say."""

    expected_error: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class SubgroupFigures:
    """How well a label is told apart where a slice is concerned; see `metrics.curves.SubgroupAuc`."""

    label: str
    subgroup: float | None
    bpsn: float | None
    bnsp: float | None


def score_figures(scores: Mapping[str, ScoreHistograms]) -> tuple[ScoreFigures, ...]:
    """Curves of each label, in the order of `scores`."""
    return tuple(_figures(label, histograms) for label, histograms in scores.items())


def _figures(label: str, histograms: ScoreHistograms) -> ScoreFigures:
    found = curves(histograms)
    precision, recall = found.precision, found.true_positive_rate
    reaching = _reaching(histograms)
    positive = int(histograms.positive.sum())
    thresholds = tuple(
        Threshold(
            threshold=float(threshold_grid()[place]),
            precision=rounded(precision[place]),
            recall=None if recall is None else rounded(recall[place]),
            f1=_f1(int(reaching[0][place]), int(reaching[0][place] + reaching[1][place]), positive),
            false_positive_rate=(
                None if found.false_positive_rate is None else rounded(found.false_positive_rate[place])
            ),
        )
        for place in range(len(threshold_grid()))
    )
    return ScoreFigures(label, rounded(found.roc_auc), rounded(found.average_precision), thresholds)


def _reaching(histograms: ScoreHistograms) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows with and without the label whose score reaches each threshold."""
    hits, alarms = (np.cumsum(counts[::-1])[::-1] for counts in (histograms.positive, histograms.negative))
    return hits, alarms


def _f1(hits: int, said: int, real: int) -> float | None:
    return rounded(2 * hits / (said + real)) if said + real else None


def calibration_figures(calibration: Calibration) -> CalibrationFigures:
    """The expected error, and the diagram in ten bins; the last holds the score 1 too."""
    total = int(calibration.rows.sum())
    bins = []
    for number, places in enumerate(_tenths(len(calibration.rows))):
        rows = int(calibration.rows[places].sum())
        if not rows:
            continue
        bins.append(
            Bin(
                low=number / BINS,
                share_of_rows=round(rows / total, DECIMALS),
                mean_score=round(float(calibration.scores[places].sum()) / rows, DECIMALS),
                share_right=round(int(calibration.right[places].sum()) / rows, DECIMALS),
            )
        )
    return CalibrationFigures(rounded(calibration.expected_error), tuple(bins))


def _tenths(grid: int) -> Sequence[slice]:
    width = (grid - 1) // BINS
    return [slice(number * width, grid if number == BINS - 1 else (number + 1) * width) for number in range(BINS)]


def subgroup_figures(
    group: Mapping[str, ScoreHistograms], everything: Mapping[str, ScoreHistograms]
) -> tuple[SubgroupFigures, ...]:
    """Of a slice against the rest, for each label."""
    found = []
    for label, histograms in group.items():
        areas = subgroup_auc(histograms, everything[label])
        found.append(SubgroupFigures(label, rounded(areas.subgroup), rounded(areas.bpsn), rounded(areas.bnsp)))
    return tuple(found)


def rounded(value: float | np.floating | None) -> float | None:
    """A figure made of scores; None where it is undefined."""
    return None if value is None or np.isnan(value) else round(float(value), DECIMALS)
