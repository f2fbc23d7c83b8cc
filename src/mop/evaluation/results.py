"""The result of a finished evaluation as a type: counts, and the figures that are functions of them.

    document = document_of(evaluation)            # EvaluationDocument
    document.report()                             # mop.evaluation.metrics.Report
    document.slices[0].matrix                     # only slices that may be shown are kept at all
    document.scores["hate"].histograms            # curves(), subgroup_auc() of mop.evaluation.metrics.curves

Nothing in it needs the predictions, and no slice that is withheld is in it.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ObjectDoesNotExist

from mop.deferred import np
from mop.errors import NotFoundError
from mop.evaluation.metrics import ConfusionMatrix, Report, report
from mop.evaluation.metrics.curves import Calibration, Curves, ScoreHistograms, SubgroupAuc, curves, subgroup_auc
from mop.evaluation.metrics.intervals import Interval, label_intervals
from mop.evaluation.metrics.matrix import known, mean_absolute_error, quadratic_weighted_kappa
from mop.evaluation.metrics.partitions import Partition, partitions, representing
from mop.evaluation.metrics.slices import SliceName

if TYPE_CHECKING:
    from numpy.typing import NDArray

if TYPE_CHECKING:  # documents are read where no Django is set up, as of a bundle
    from mop.evaluation.models import Evaluation

LENGTH_COLUMN = "text length"
"""The slice column that MOP makes itself: characters of the text, in fixed ranges."""

NOT_MEASURED_SHARE = 0.01
"""Over this share of rows without an answer, gates say "not measured"."""


@dataclass(frozen=True, eq=False)
class LabelScoreCounts:
    """How the scores of one label are spread; of an ordinal task, the scores of being at or above one level.

    Attributes:
        histograms: of rows that have the label (that are at or above the level) and rows that have not.
        calibration: of the same scores.
    """

    histograms: ScoreHistograms
    calibration: Calibration

    def curves(self) -> Curves:
        """ROC and precision-recall."""
        return curves(self.histograms)


@dataclass(frozen=True, eq=False)
class SliceCounts:
    """The rows of one slice that may be shown.

    Attributes:
        histograms: as in the whole result, by label; empty where the slice has none.
    """

    name: SliceName
    matrix: ConfusionMatrix
    histograms: Mapping[str, ScoreHistograms]

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.matrix.total


@dataclass(frozen=True, eq=False)
class EvaluationDocument:
    """What was counted.

    Attributes:
        matrix: rows are the dataset's labels, columns also the task's other labels, and "no answer". Of an ordinal
            task on a Binary dataset the rows are `0` and `1` and every level stands outside.
        levels: of an ordinal task, ascending; empty for a categorical one.
        scores: by label; of an ordinal task by each level but the lowest. Rows without an answer have no score.
        confidence: calibration of the predicted label's score (of a categorical task; else None).
        slices: those that may be shown, by column and value.
        withheld: slices that may not be shown; of them only the names are known.
        intervals: 95 %, of `report().metrics` (an ordinal task: of the representing partition's, and of the ordinal
            metrics); None is undefined.
        least_rows: slices with fewer rows are withheld.
    """

    matrix: ConfusionMatrix
    levels: tuple[str, ...]
    scores: Mapping[str, LabelScoreCounts]
    confidence: Calibration | None
    slices: tuple[SliceCounts, ...]
    withheld: tuple[SliceName, ...]
    intervals: Mapping[str, Interval | None]
    least_rows: int

    @property
    def is_ordinal(self) -> bool:
        """Whether the task's labels ascend."""
        return bool(self.levels)

    @property
    def is_measured_for_gates(self) -> bool:
        """Whether few enough rows are without an answer that gates may use the numbers."""
        return self.matrix.no_answer <= NOT_MEASURED_SHARE * self.matrix.total

    def report(self) -> Report:
        """The classification report of `decision`."""
        return report(self.decision)

    @property
    def decision(self) -> ConfusionMatrix:
        """The matrix that headline numbers are of: an ordinal task's representing partition, else the matrix."""
        return self.representing.matrix if self.representing else self.matrix

    @cached_property
    def partitions(self) -> tuple[Partition, ...]:
        """Every ascending partition of an ordinal task; none of a categorical one."""
        return partitions(self.matrix, self.levels) if self.levels else ()

    @cached_property
    def representing(self) -> Partition | None:
        """The partition that stands for an ordinal task's result."""
        return representing(self.partitions) if self.partitions else None

    def ordinal_metrics(self) -> Mapping[str, float | None]:
        """Kappa and mean absolute error where dataset and task have the same ascending levels; else nothing."""
        if not self.levels or self.matrix.outside:
            return {}
        counts = self.matrix.counts
        return {
            "quadratic_weighted_kappa": known(quadratic_weighted_kappa(counts)),
            "mean_absolute_error": known(mean_absolute_error(counts)),
        }

    def label_intervals(self) -> tuple[Mapping[str, Interval | None], ...]:
        """95 % intervals of precision, recall and F1 of each label of `decision`."""
        return label_intervals(self.decision)

    @property
    def headline(self) -> float | None:
        """The one number beside a version: macro F1; of an ordinal task the representing partition's F1."""
        return self.representing.f1 if self.representing else self.report().metrics["macro_f1"]

    @property
    def headline_interval(self) -> Interval | None:
        """Its 95 % interval."""
        return self.label_intervals()[1]["f1"] if self.representing else self.intervals.get("macro_f1")

    def slice_report(self, one: SliceCounts) -> Report:
        """The classification report of a slice, of an ordinal task by the partition that represents the whole."""
        return report(self._decided(one.matrix))

    def worst_slice(self) -> SliceCounts | None:
        """The slice with the lowest macro F1 (ordinal: F1 of the representing partition); None without slices."""
        valued = [
            (value, place) for place, one in enumerate(self.slices) if (value := self.slice_value(one)) is not None
        ]
        return self.slices[min(valued)[1]] if valued else None

    def subgroup_auc(self, one: SliceCounts, label: str) -> SubgroupAuc | None:
        """Subgroup, BPSN and BNSP areas of a label's scores; None where the label has no scores."""
        if label not in self.scores or label not in one.histograms:
            return None
        return subgroup_auc(one.histograms[label], self.scores[label].histograms)

    def _decided(self, matrix: ConfusionMatrix) -> ConfusionMatrix:
        if self.representing is None:
            return matrix
        return partitions(matrix, self.levels)[len(self.representing.lower) - 1].matrix

    def slice_value(self, one: SliceCounts) -> float | None:
        """Its macro F1; of an ordinal task F1 of the representing partition."""
        found = self.slice_report(one)
        return found.labels[1].f1 if self.representing else found.metrics["macro_f1"]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "labels": list(self.matrix.labels),
            "outside": list(self.matrix.outside),
            "levels": list(self.levels),
            "matrix": self.matrix.counts.tolist(),
            "scores": {
                label: {"histograms": _histograms(one.histograms), "calibration": _calibration(one.calibration)}
                for label, one in self.scores.items()
            },
            "confidence": _calibration(self.confidence) if self.confidence else None,
            "slices": [
                {
                    "column": one.name.column,
                    "value": one.name.value,
                    "matrix": one.matrix.counts.tolist(),
                    "histograms": {label: _histograms(found) for label, found in one.histograms.items()},
                }
                for one in self.slices
            ],
            "withheld": [{"column": name.column, "value": name.value} for name in self.withheld],
            "intervals": {
                name: [interval.low, interval.high] if interval else None for name, interval in self.intervals.items()
            },
            "least_rows": self.least_rows,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        labels, outside = tuple(data["labels"]), tuple(data["outside"])

        def matrix(counts: list[list[int]]) -> ConfusionMatrix:
            return ConfusionMatrix(labels, outside, np.array(counts, dtype=np.int64))

        return cls(
            matrix=matrix(data["matrix"]),
            levels=tuple(data["levels"]),
            scores={
                label: LabelScoreCounts(_read_histograms(one["histograms"]), _read_calibration(one["calibration"]))
                for label, one in data["scores"].items()
            },
            confidence=_read_calibration(data["confidence"]) if data["confidence"] else None,
            slices=tuple(
                SliceCounts(
                    SliceName(one["column"], one["value"]),
                    matrix(one["matrix"]),
                    {label: _read_histograms(found) for label, found in one["histograms"].items()},
                )
                for one in data["slices"]
            ),
            withheld=tuple(SliceName(one["column"], one["value"]) for one in data["withheld"]),
            intervals={name: Interval(*ends) if ends else None for name, ends in data["intervals"].items()},
            least_rows=data["least_rows"],
        )


def document_of(evaluation: Evaluation) -> EvaluationDocument:
    """The result that stands. One query, none where `result` was read with the evaluation.

    Raises:
        NotFoundError: the evaluation has no result yet.
    """
    try:
        return EvaluationDocument.from_dict(evaluation.result.document)
    except ObjectDoesNotExist:
        raise NotFoundError(f"The {evaluation} has no result yet.", hint="Wait until it is finished.") from None


def _histograms(found: ScoreHistograms) -> str:
    return _packed(np.stack([found.negative, found.positive]).astype("<i8"))


def _read_histograms(text: str) -> ScoreHistograms:
    negative, positive = np.frombuffer(_unpacked(text), dtype="<i8").reshape(2, -1)
    return ScoreHistograms(positive=positive, negative=negative)


def _calibration(found: Calibration) -> dict[str, str]:
    return {
        "rows": _packed(found.rows.astype("<i8")),
        "scores": _packed(found.scores.astype("<f8")),
        "right": _packed(found.right.astype("<i8")),
    }


def _read_calibration(data: Mapping[str, str]) -> Calibration:
    return Calibration(
        rows=np.frombuffer(_unpacked(data["rows"]), dtype="<i8"),
        scores=np.frombuffer(_unpacked(data["scores"]), dtype="<f8"),
        right=np.frombuffer(_unpacked(data["right"]), dtype="<i8"),
    )


def _packed(numbers: NDArray[Any]) -> str:
    """101 counts a label and slice are mostly zeros."""
    return base64.b64encode(zlib.compress(numbers.tobytes())).decode("ascii")


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
