"""What MOP knows of a version for one task, as the gates ask for it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from mop.catalog.models import LabelType, Task
from mop.datasets.selectors import usable_datasets
from mop.errors import MopError
from mop.evaluation.comparisons import comparison
from mop.evaluation.metrics.intervals import Interval
from mop.evaluation.models import Evaluation
from mop.evaluation.results import EvaluationDocument, document_of
from mop.evaluation.wanted import is_outdone
from mop.findings.selectors import current_scan, waived_findings
from mop.loadtest.models import LoadTest
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision, TaskConnection
from mop.releases.gates.conditions import Cut, EvaluationMeasure, FindingsMeasure, LoadMeasure, LoadOption, Rate
from mop.releases.gates.ratios import ratio
from mop.releases.gates.readings import is_by_level, metric_of, name_of, quantity_of
from mop.releases.gates.verdicts import Measured, Missing, Place, Reading, Step
from mop.releases.rates import rate_of
from mop.scanning.findings import Severity

logger = logging.getLogger(__name__)
NO_PREVIOUS = Missing("There is no previous release.", is_nothing=True)


class RevisionEvidence:
    """The evidence of one version for one task. It asks the database once for each kind of thing.

    Args:
        revision: the version.
        task: one of its tasks.
        previous: gives the version whose release is live before it; asked when a condition is about that.
    """

    def __init__(self, revision: Revision, task: Task, previous: Callable[[], Revision | None] = lambda: None) -> None:
        self.revision = revision
        self.task = task
        self._previous = previous

    @cached_property
    def before(self) -> RevisionEvidence | None:
        """The evidence of the release that is live before this one, for the same task; None without one."""
        previous = self._previous()
        return None if previous is None else RevisionEvidence(previous, self.task)

    # evaluations

    def datasets(self) -> Sequence[str]:
        """The names of the task's approved datasets."""
        return self._approved

    def cuts(self) -> Sequence[Cut]:
        """Every partition of the task's labels, the lowest first; empty where the labels have no order."""
        if self.task.label_type != LabelType.ORDINAL:
            return ()
        levels = tuple(self.task.labels)
        return [Cut(levels[:place], levels[place:]) for place in range(1, len(levels))]

    def metric(self, place: Place, measure: EvaluationMeasure, *, to_previous: bool) -> Reading:
        """A metric on one dataset and partition, or its ratio to the previous release's on the same rows."""
        if not to_previous:
            return self.measured(place, measure)
        if self.before is None:
            return NO_PREVIOUS
        now, then = self.evaluation_on(place.dataset), self.before.evaluation_on(place.dataset)
        if now and then and (now.dataset_digest, now.mapping_digest) != (then.dataset_digest, then.mapping_digest):
            return Missing("The previous release was measured on other rows.", Step.EVALUATION)
        # comparisons of ordinal results are of the representing partition
        is_compared = place.cut is None and not (now and now.is_measured and is_by_level(self._document(now)))
        change = functools.partial(_change, then, now, measure) if is_compared else None
        return ratio(self.measured(place, measure), self.before.measured(place, measure), change)

    def evaluation_on(self, dataset: str) -> Evaluation | None:
        """The version's evaluation on one of the task's approved datasets."""
        return self._evaluations.get(dataset)

    def measured(self, place: Place, measure: EvaluationMeasure) -> Reading:
        """A metric on one dataset and partition."""
        evaluation = self.evaluation_on(place.dataset)
        if evaluation is None:
            return Missing("The version was not evaluated on this dataset.", Step.EVALUATION)
        if not evaluation.is_measured:
            return Missing(f"The evaluation is {evaluation.get_state().label}.", Step.EVALUATION)
        # it is marked as stale when the scheduler comes by: a gate does not wait for that
        connection = self._connection
        if is_outdone(evaluation, connection.customized_name if connection else None):
            return Missing("The result is stale: environment, dataset or mapping changed since.", Step.EVALUATION)
        return metric_of(self._document(evaluation), place.cut, measure)

    @cached_property
    def _approved(self) -> list[str]:
        return list(usable_datasets(self.task).order_by("name").values_list("name", flat=True))

    @cached_property
    def _evaluations(self) -> Mapping[str, Evaluation]:
        rows = Evaluation.objects.filter(revision=self.revision, task=self.task, dataset__name__in=self._approved)
        related = ("revision", "task", "dataset__file", "dataset__reading", "result")
        return {row.dataset.name: row for row in rows.select_related(*related)}

    @cached_property
    def _connection(self) -> TaskConnection | None:
        return self.revision.model.connections.select_related("task__taxonomy").filter(task=self.task).first()

    @cached_property
    def _documents(self) -> dict[str, EvaluationDocument]:
        return {}

    def _document(self, evaluation: Evaluation) -> EvaluationDocument:
        name = evaluation.dataset.name
        if name not in self._documents:
            self._documents[name] = document_of(evaluation)
        return self._documents[name]

    # load tests

    def load(self, option: LoadOption, measure: LoadMeasure, *, to_previous: bool) -> Reading | None:
        """A quantity of the newest finished load test of that option and the task's modality."""
        tests = [test for test in self._tests if test.option == option]
        if not tests:
            return None
        if to_previous:
            if self.before is None:
                return NO_PREVIOUS
            then = self.before.load(option, measure, to_previous=False) or Missing("There is no such load test.")
            now = self.load(option, measure, to_previous=False)
            return None if now is None else ratio(now, then)
        finished = [test for test in tests if test.get_state() == LoadTestState.FINISHED]
        if not finished:
            return Missing(f"The load test is {tests[0].get_state().label}.", Step.LOAD_TEST)
        return quantity_of([step.measured for step in finished[0].steps.all()], measure)

    @cached_property
    def _tests(self) -> list[LoadTest]:
        tests = LoadTest.objects.filter(revision=self.revision, modality=self.task.modality)
        return list(tests.order_by("-run").prefetch_related("steps"))

    # cases, golden sets, findings

    def rate(self, rate: Rate, *, to_previous: bool) -> Reading:
        """The pass rate on DSAT cases or on golden sets, or its ratio to the previous release's."""
        now = rate_of(rate, self.revision, self.task, lambda: self._connection)
        if not to_previous:
            return now
        return NO_PREVIOUS if self.before is None else ratio(now, self.before.rate(rate, to_previous=False))

    def findings(self, measure: FindingsMeasure) -> Reading:
        """The number of findings of the newest scan that no waiver covers today."""
        scan = current_scan(self.revision)
        if scan is None:
            return Missing("The version was not scanned yet.", Step.SCAN)
        if not scan.is_complete or scan.incomplete:
            names = ", ".join(sorted(scan.incomplete)) or "the environment"
            return Missing(f"The newest scan is not complete: {names}.", Step.SCAN)
        order = [*Severity]
        counted = {one.value for one in order[0 if measure.least is None else order.index(measure.least) :]}
        found = sum(number for severity, number in scan.severities.items() if severity in counted)
        waived = waived_findings(scan).filter(severity__in=counted).count()
        return Measured(float(found - waived), of=f"scan of {scan.finished_at:%Y-%m-%d}")


def _change(then: Evaluation | None, now: Evaluation | None, measure: EvaluationMeasure) -> Interval | None:
    """How much a metric changed from one evaluation to another, by resampling the same rows; None where unknown."""
    if then is None or now is None:
        return None
    try:
        # without an interval: metrics of one label of an ordinal task, which comparisons do not have
        name = name_of(measure) if measure.label is None else f"{measure.metric.lower()}:{measure.label}"
        found = comparison(then, now).metrics.get(name)
    except MopError as error:  # the predictions cannot be read here: the ratio itself needs none
        logger.warning("no interval for the change from %s to %s: %s", then.revision, now.revision, error.message)
        return None
    return Interval(found.interval.low, found.interval.high) if found and found.interval else None
