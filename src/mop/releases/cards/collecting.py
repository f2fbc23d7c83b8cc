"""The model card of a version from what the database holds, as one reader may see it.

People who see a version see its results and load tests, so callers have found the version by the registry's
selectors. What differs between readers: single findings, and which other versions there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version as version_of_package

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.evaluation.models import Evaluation
from mop.evaluation.reading import report_for
from mop.evaluation.reports.document import IntervalOut, LabelOut, ReportOut, SliceOut
from mop.evaluation.reports.names import WORDS
from mop.evaluation.wanted import is_outdone
from mop.findings.models import Scan
from mop.findings.selectors import SEVERITIES, VERDICTS, current_scan, findings_of, waived_findings
from mop.loadtest.models import LoadTest
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision, TaskConnection
from mop.registry.selectors import visible_revisions
from mop.registry.statuses import PublishStatus
from mop.releases.cards.document import (
    Card,
    CardDataset,
    CardFinding,
    CardFindings,
    CardLabel,
    CardLoadTest,
    CardRate,
    CardResult,
    CardSlice,
    CardStep,
    CardTask,
    CardVersion,
    Number,
)
from mop.releases.evidence import RevisionEvidence
from mop.releases.gates.conditions import Rate
from mop.releases.gates.verdicts import Measured

VERSIONS_MAX = 50
FINDINGS_MAX = 500


@dataclass(frozen=True)
class Reader:
    """For whom a card is made.

    Attributes:
        user: a person; None: a downstream service, which sees what everybody sees, and the findings of what it takes.
    """

    user: User | None

    def sees_findings(self, revision: Revision) -> bool:
        """Whether single findings are told."""
        return self.user is None or may(self.user, "findings.view_findings", revision)

    def versions(self, revision: Revision) -> Iterable[Revision]:
        """The versions of the model that are told, newest first; the card's own always is."""
        if self.user is None:
            rows = Revision.objects.filter(publish_status=PublishStatus.PUBLIC)
        else:
            rows = visible_revisions(self.user)
        found = rows.filter(model=revision.model_id).order_by("-created_at", "-pk")[:VERSIONS_MAX]
        return found if any(one.pk == revision.pk for one in found) else [revision, *found]


SERVICE = Reader(None)


def measured_evaluations(revision: Revision, connections: Iterable[TaskConnection]) -> list[Evaluation]:
    """The results that stand, on datasets of tasks that are connected now; of others they are hidden, not lost.

    Those that gates do not count are stale, marked so in the database yet or not.
    """
    names = {one.task_id: one.customized_name for one in connections}
    rows = Evaluation.objects.filter(revision=revision, task__in=names, measured_at__isnull=False)
    related = ("revision", "task", "dataset__file", "dataset__reading", "result")
    found = list(rows.select_related(*related).order_by("task__name", "dataset__name"))
    for row in found:
        row.is_stale = is_outdone(row, names[row.task_id])
    return found


def finished_load_tests(revision: Revision) -> list[LoadTest]:
    """The newest finished load test of each modality and option. Two queries."""
    rows = LoadTest.objects.filter(revision=revision, state=LoadTestState.FINISHED)
    found: dict[tuple[str, str], LoadTest] = {}
    for test in rows.order_by("-run", "modality").prefetch_related("steps"):
        found.setdefault((test.modality, test.option), test)
    return [found[key] for key in sorted(found)]


def card_of(revision: Revision, reader: Reader) -> Card:
    """The card of a version.

    Args:
        revision: which the reader may see, read with its model.
        reader: for whom.
    """
    model = revision.model
    connections = list(model.connections.select_related("task", "taxonomy").order_by("taxonomy__name"))
    evaluations = measured_evaluations(revision, connections)
    scan = current_scan(revision)
    return Card(
        model=model.name,
        version=revision.version,
        revision_id=str(revision.pk),
        description=model.description,
        note=revision.note,
        team=model.team.name,
        owners=tuple(sorted(model.owners.values_list("username", flat=True))),
        tags=tuple(sorted(model.tags.values_list("name", flat=True))),
        status=revision.status,
        publish_status=revision.publish_status,
        created_at=_iso(revision.created_at),
        created_by=revision.created_by.username,
        artifact_digest=revision.artifact_digest,
        artifact_files=revision.artifact_files,
        artifact_bytes=revision.artifact_bytes,
        environment_key=revision.environment_key,
        python_version=revision.python_version,
        packages=len(scan.packages) if scan and scan.is_complete else None,
        intended_use=model.intended_use.strip(),
        limits=model.limits.strip(),
        tasks=tuple(map(_task, connections)),
        datasets=tuple(_datasets(evaluations)),
        results=tuple(map(_result, evaluations)),
        load_tests=tuple(map(_load_test, finished_load_tests(revision))),
        findings=_findings(scan, sees_all=reader.sees_findings(revision)) if scan else None,
        rates=tuple(_rates(revision, connections)),
        versions=tuple(map(_version, reader.versions(revision))),
        made_by=version_of_package("mop"),
    )


def _task(connection: TaskConnection) -> CardTask:
    task = connection.task
    return CardTask(
        taxonomy=connection.taxonomy.name,
        task=task.name,
        modality=task.modality,
        label_type=task.label_type,
        labels=tuple(task.labels),
        customized_name=connection.customized_name,
    )


def _datasets(evaluations: Iterable[Evaluation]) -> Iterator[CardDataset]:
    datasets = {one.dataset.name: one.dataset for one in evaluations}
    for name, dataset in sorted(datasets.items()):
        ratio = dataset.label_ratio()
        yield CardDataset(
            name=name,
            description=dataset.description,
            label_type=dataset.label_type,
            language=dataset.file.language,
            rows=dataset.rows,
            labels=tuple((one["label"], one["count"]) for one in ratio) if all(one["label"] for one in ratio) else (),
        )


def _result(evaluation: Evaluation) -> CardResult:
    report = report_for(evaluation)
    return CardResult(
        task=evaluation.task.name,
        dataset=evaluation.dataset.name,
        measured_at=_iso(evaluation.measured_at),
        is_stale=evaluation.is_stale,
        rows=report.rows,
        no_answer=report.no_answer,
        headline=_metric(report, report.headline),
        partition=report.representing.name if report.representing else "",
        metrics=tuple(_metric(report, name) for name in report.metrics),
        labels=tuple(map(_label, report.by_label)),
        slices=tuple(_slice(one, report.slice_metric) for one in report.slices),
    )


def _metric(report: ReportOut, name: str) -> Number:
    return _number(WORDS.get(name, name), report.metrics.get(name), report.intervals.get(name))


def _number(name: str, value: float | None, interval: IntervalOut | None) -> Number:
    return Number(name, value, *((interval.low, interval.high) if interval else (None, None)))


def _label(line: LabelOut) -> CardLabel:
    precision, recall, f1 = (
        _number(name, getattr(line, name), line.intervals.get(name)) for name in ("precision", "recall", "f1")
    )
    return CardLabel(line.label, line.support, precision, recall, f1)


def _slice(one: SliceOut, metric: str) -> CardSlice:
    if one.metrics is None:
        return CardSlice(one.column, one.value, None, None, one.withheld)
    number = _number(WORDS.get(metric, metric), one.metrics.get(metric), (one.intervals or {}).get(metric))
    return CardSlice(one.column, one.value, one.rows, number, "")


def _load_test(test: LoadTest) -> CardLoadTest:
    conditions = test.get_conditions()
    return CardLoadTest(
        modality=test.modality,
        option=test.option,
        ended_at=_iso(test.ended_at),
        ended=test.ended,
        instance_type=conditions.configuration.get("instance_type", "") if conditions else "",
        cpus=conditions.cpus if conditions else None,
        memory_bytes=conditions.memory_bytes if conditions else None,
        steps=tuple(
            CardStep(
                target=step.target,
                rps=step.rps,
                requests=step.requests.total,
                failed=step.requests.total - step.requests.successful,
                p50=step.latency_ms.p50,
                p95=step.latency_ms.p95,
                p99=step.latency_ms.p99,
                cpu=step.utilization.cpu if step.utilization else None,
                memory=step.utilization.memory if step.utilization else None,
                is_trusted=step.trusted,
            )
            for step in (row.measured for row in test.steps.all())
        ),
    )


def _findings(scan: Scan, *, sees_all: bool) -> CardFindings:
    rows = findings_of(scan)
    waived = set(waived_findings(scan).values_list("pk", flat=True))
    return CardFindings(
        scanned_at=_iso(scan.finished_at),
        decision=scan.get_decision().label,
        is_complete=scan.is_complete,
        severities=tuple((name, scan.severities.get(name, 0)) for name in SEVERITIES),
        waived=len(waived),
        verdicts=tuple((name, scan.verdicts[name]) for name in VERDICTS if scan.verdicts.get(name)),
        items=tuple(
            CardFinding(row.severity, row.scanner, row.rule, row.path, row.message, row.pk in waived)
            for row in rows[:FINDINGS_MAX]
        )
        if sees_all
        else None,
    )


def _rates(revision: Revision, connections: Iterable[TaskConnection]) -> Iterator[CardRate]:
    """Pass rates that were measured; where there is no case and no golden set there is nothing to tell."""
    for connection in connections:
        evidence = RevisionEvidence(revision, connection.task)
        for rate in Rate:
            found = evidence.rate(rate, to_previous=False)
            if isinstance(found, Measured):
                number = Number(rate.value, found.value, found.low, found.high)
                yield CardRate(connection.task.name, rate.value, number, found.of)


def _version(revision: Revision) -> CardVersion:
    return CardVersion(
        version=revision.version,
        created_at=_iso(revision.created_at),
        status=revision.status,
        publish_status=revision.publish_status,
        note=revision.note,
    )


def _iso(moment: dt.datetime | None) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds") if moment else ""
