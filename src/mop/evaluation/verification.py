"""An evaluation computed again by other code: scikit-learn, from the dataset and the kept predictions.

Every number that people are shown is held against scikit-learn's, and random rows are inferred again in a fresh cage.
The process reads hidden rows as a worker does: nothing of them is told, only which number holds.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from mop.datasets.caged_rows import HiddenRows, hidden_rows
from mop.deferred import np
from mop.errors import ConflictError
from mop.evaluation.answers import Answers, RowFacts
from mop.evaluation.checks import Check
from mop.evaluation.jobs import EvaluationJob, job_for
from mop.evaluation.kept import each_part
from mop.evaluation.label_map import LabelMap
from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.curves import places, threshold_grid
from mop.evaluation.metrics.matrix import BY_LABEL
from mop.evaluation.models import Evaluation
from mop.evaluation.predictions import Predictions, length_range
from mop.evaluation.results import EvaluationDocument, document_of
from mop.hosting.service import fresh_service
from mop.hosting.this_host import host_tools
from mop.hosting.tools import HostTools
from mop.serving.row_runner import run_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

AGAIN_ROWS = 200
TOLERANCE = 1e-12
SCORE_TOLERANCE = 1e-4  # sums of floating-point numbers may differ with the batch that a row stood in


async def verify_evaluation(evaluation: Evaluation, *, again: int = AGAIN_ROWS) -> list[Check]:
    """Check one evaluation's numbers, and infer `again` random rows anew.

    Raises:
        ConflictError: scikit-learn is not installed, or there are no kept predictions.
        MopError: the dataset or the predictions cannot be read, or the service does not start.
    """
    _require_sklearn()
    if not evaluation.predictions_digest:
        raise ConflictError(f"The {evaluation} has no kept predictions.", hint="Verify a finished evaluation.")
    from asgiref.sync import sync_to_async  # noqa: PLC0415 - beside Django alone

    job, document = await sync_to_async(lambda: (job_for(evaluation), document_of(evaluation)))()
    tools = await host_tools()
    found = await _read_all(job, tools)
    chosen = frozenset(random.sample(range(2, job.rows + 2), min(again, job.rows)))
    facts, bodies = await _read_dataset(job, tools, chosen)
    checks = [
        _same("rows", evaluation.rows, job.rows),
        _same("rows of the predictions", len(found), job.rows),
        _same("labels as in the dataset", _agreeing(found.true, [one.true for one in facts]), job.rows),
        _same("slices as in the dataset", _agreeing_slices(found, facts), job.rows),
        *numbers(document, found, job.mapped, job.slices.values),
    ]
    if bodies:
        checks.append(await _inferred_again(job, found, facts, bodies))
    return checks


def numbers(
    document: EvaluationDocument, found: Predictions, mapped: LabelMap, slices: Mapping[str, tuple[str, ...]]
) -> Iterator[Check]:
    """Every number of a result against scikit-learn's, from the rows."""
    yield from _matrix_checks("", document.matrix, found.true, found.predicted, mapped)
    if document.levels:
        yield from _ordinal_checks(document, found, mapped)
    else:
        yield from _report_checks("", document.matrix, found.true, found.predicted, mapped)
    yield from _score_checks(document, found, mapped)
    columns = list(slices)
    for one in document.slices:
        column = columns.index(one.name.column)
        rows = found.slices[:, column] == slices[one.name.column].index(one.name.value)
        where = f"{one.name.column}={one.name.value}: "
        yield from _matrix_checks(where, one.matrix, found.true[rows], found.predicted[rows], mapped)


def _matrix_checks(
    where: str, matrix: ConfusionMatrix, true: NDArray[Any], predicted: NDArray[Any], mapped: LabelMap
) -> Iterator[Check]:
    from sklearn.metrics import confusion_matrix  # noqa: PLC0415 - an extra

    # of an ordinal task on a Binary dataset the rows are other labels than the columns: every column is a label then
    whole = confusion_matrix(true, predicted, labels=list(range(mapped.no_answer + 1)))
    again = whole[: len(mapped.labels)]
    yield Check(
        f"{where}confusion matrix", float(matrix.total), float(again.sum()), bool(np.array_equal(matrix.counts, again))
    )


def _report_checks(
    where: str, matrix: ConfusionMatrix, true: NDArray[Any], predicted: NDArray[Any], mapped: LabelMap
) -> Iterator[Check]:
    from sklearn.metrics import (  # noqa: PLC0415 - an extra
        accuracy_score,
        cohen_kappa_score,
        matthews_corrcoef,
        precision_recall_fscore_support,
    )

    from mop.evaluation.metrics import report  # noqa: PLC0415 - as above

    ours = report(matrix)
    labels = list(range(len(mapped.labels)))
    by_label = precision_recall_fscore_support(true, predicted, labels=labels, zero_division=np.nan)
    for place, scores in enumerate(ours.labels):
        for number, name in enumerate(BY_LABEL):
            yield _close(f"{where}{name} of {scores.label}", getattr(scores, name), by_label[number][place])
    for average, values in ours.averages.items():
        theirs = precision_recall_fscore_support(true, predicted, labels=labels, average=average, zero_division=np.nan)
        for number, name in enumerate(BY_LABEL):
            yield _close(f"{where}{average} {name}", values[name].value, theirs[number])
    yield _close(f"{where}accuracy", ours.metrics["accuracy"], accuracy_score(true, predicted))
    if ours.metrics["cohen_kappa"] is not None:
        yield _close(f"{where}Cohen's kappa", ours.metrics["cohen_kappa"], cohen_kappa_score(true, predicted))
    if ours.metrics["matthews_correlation"] is not None:
        yield _close(
            f"{where}Matthews correlation", ours.metrics["matthews_correlation"], matthews_corrcoef(true, predicted)
        )


def _ordinal_checks(document: EvaluationDocument, found: Predictions, mapped: LabelMap) -> Iterator[Check]:
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415 - an extra

    is_binary = mapped.labels != mapped.levels
    first = 2 if is_binary else 0
    answered = found.predicted != mapped.no_answer
    binary = LabelMap(("0", "1"), ("0", "1"), (), (0, 1), ())
    for cut, partition in enumerate(document.partitions, 1):
        true = found.true == 1 if is_binary else found.true >= cut
        predicted = np.where(answered, found.predicted.astype(int) - first >= cut, 2)
        where = f"{' | '.join(partition.upper)}: "
        yield from _matrix_checks(where, partition.matrix, true.astype(int), predicted.astype(int), binary)
        yield from _report_checks(where, partition.matrix, true.astype(int), predicted.astype(int), binary)
    if is_binary:
        return
    levels = len(mapped.levels)
    farthest = np.where(found.true > levels - 1 - found.true.astype(int), 0, levels - 1)
    predicted = np.where(answered, found.predicted, farthest).astype(int)
    ours = document.ordinal_metrics()
    if ours["quadratic_weighted_kappa"] is not None:
        again = cohen_kappa_score(found.true.astype(int), predicted, labels=range(levels), weights="quadratic")
        yield _close("quadratic-weighted kappa", ours["quadratic_weighted_kappa"], again)
    yield _close(
        "mean absolute error", ours["mean_absolute_error"], float(np.abs(found.true.astype(int) - predicted).mean())
    )


def _score_checks(document: EvaluationDocument, found: Predictions, mapped: LabelMap) -> Iterator[Check]:
    from sklearn.metrics import average_precision_score, roc_auc_score  # noqa: PLC0415 - an extra

    answered = found.predicted != mapped.no_answer
    for label, one in document.scores.items():
        if mapped.levels:
            column = mapped.levels.index(label)
            has = found.true == 1 if mapped.labels != mapped.levels else found.true >= column
        else:
            column = mapped.task_labels.index(label)
            has = found.true == mapped.labels.index(label)
        rounded = threshold_grid()[places(found.scores[answered, column])]
        real = has[answered]
        ours = one.curves()
        if ours.roc_auc is not None:
            yield _close(f"area below the ROC curve of {label}", ours.roc_auc, roc_auc_score(real, rounded))
        if ours.average_precision is not None:
            again = average_precision_score(real, rounded)
            yield _close(f"average precision of {label}", ours.average_precision, again)


async def _read_all(job: EvaluationJob, tools: HostTools) -> Predictions:
    parts = [part async for part in each_part(tools.artifacts, job.predictions_digest)]
    return Predictions(
        first_row=parts[0].first_row,
        true=np.concatenate([part.true for part in parts]),
        predicted=np.concatenate([part.predicted for part in parts]),
        errors=[name for part in parts for name in part.errors],
        slices=np.concatenate([part.slices for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
    )


async def _read_dataset(
    job: EvaluationJob, tools: HostTools, chosen: frozenset[int]
) -> tuple[list[RowFacts], list[tuple[int, bytes]]]:
    """What is known of every row, and the content of the chosen ones."""
    file = tools.artifacts.path_of(job.sha256)
    if file is None:
        raise ConflictError("The artifact store of this host is not local.")
    wanted = HiddenRows(file, job.spec, frozenset(job.labels), job.slice_values, job.rows)
    labels = {label: place for place, label in enumerate(job.mapped.labels)}
    values = [{value: place for place, value in enumerate(found)} for found in job.slices.values.values()]
    facts: list[RowFacts] = []
    bodies: list[tuple[int, bytes]] = []
    async with aclosing(hidden_rows(wanted, sandbox=tools.sandbox)) as rows:
        async for row in rows:
            found = [places_of[value] for places_of, value in zip(values, row.slices, strict=False)]
            length = [length_range(row.characters)] if job.has_length else []
            facts.append(RowFacts(row.number, labels[row.label], (*found, *length)))
            if row.number in chosen:
                bodies.append((row.number, row.body))
    return facts, bodies


async def _inferred_again(
    job: EvaluationJob, found: Predictions, facts: list[RowFacts], bodies: list[tuple[int, bytes]]
) -> Check:
    """Random rows by a fresh service: the same predictions, the same scores."""
    again = Answers(job.task, job.mapped, len(job.slices.names))

    async def each() -> AsyncIterator[bytes]:
        for _, body in bodies:
            yield body

    async with (
        fresh_service(job.revision_job, log=_dropped) as hosted,
        aclosing(run_rows(each(), service=hosted.service, pace=job.pace)) as outcomes,
    ):
        numbers_left = iter(bodies)
        async for outcome in outcomes:
            number, _ = next(numbers_left)
            again.add(facts[number - 2], outcome)
    anew = again.predictions()
    at = np.array([number - 2 for number, _ in bodies])
    same = (anew.predicted == found.predicted[at]) & np.isclose(
        anew.scores, found.scores[at], rtol=0, atol=SCORE_TOLERANCE, equal_nan=True
    ).all(axis=1)
    return Check(f"{len(bodies)} rows inferred again", float(len(bodies)), float(same.sum()), bool(same.all()))


def _agreeing(found: NDArray[Any], again: list[int]) -> int:
    return int((found == np.array(again)).sum()) if len(found) == len(again) else 0


def _agreeing_slices(found: Predictions, facts: list[RowFacts]) -> int:
    again = np.array([one.slices for one in facts], dtype=np.int64).reshape(len(facts), -1)
    return int((found.slices == again).all(axis=1).sum()) if found.slices.shape == again.shape else 0


def _same(name: str, kept: float | None, computed: float) -> Check:
    return Check(name, None if kept is None else float(kept), float(computed), kept == computed)


def _close(name: str, kept: float | None, computed: float) -> Check:
    value = None if np.isnan(computed) else float(computed)
    if kept is None or value is None:
        return Check(name, kept, value, kept is value)
    return Check(name, kept, value, abs(kept - value) <= TOLERANCE)


def _require_sklearn() -> None:
    try:
        import sklearn  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise ConflictError(
            "scikit-learn is not installed, and the numbers are computed with it.",
            hint="Install MOP with the extra `verify`: pip install 'mop[verify]'.",
        ) from None


def _dropped(_line: str) -> None:
    """Keep nothing."""
