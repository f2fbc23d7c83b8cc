"""How a version comes out of its gates: computed from the evidence as it stands, and kept once for each state of it."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from mop import failpoints
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.contract_runs.actions import Action as ConnectionAction
from mop.datasets.actions import Action as DatasetAction
from mop.datasets.models import Binding, Dataset
from mop.dsat.models import Case
from mop.evaluation.models import Evaluation
from mop.findings.models import Scan
from mop.golden_sets.actions import Action as GoldenSetAction
from mop.golden_sets.models import GoldenRun, GoldenVersion
from mop.loadtest.models import LoadTest
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.regression.models import RegressionRun
from mop.releases.evidence import RevisionEvidence
from mop.releases.gates.conditions import FindingsMeasure, Unit, unit_of
from mop.releases.gates.report import GateDocument, GateRow, gate_part
from mop.releases.gates.verdicts import Verdict, judge, verdict_of_all
from mop.releases.models import GateReport, GateVersion, Service
from mop.releases.release_models import SlotPeriod
from mop.releases.requests.selectors import previous_revision
from mop.releases.selectors import current_gate, current_task_gates
from mop.releases.services import conditions_of

AT_ONCE = 200
# evidence has the time at which it ended, and is there once its transaction is over
COMMIT_TAKES = dt.timedelta(minutes=2)

# what leaves nothing behind that tells when it went, but for the audit log
_CONNECTIONS = (ConnectionAction.TASK_CONNECTED, ConnectionAction.TASK_DISCONNECTED)
_REMOVALS = (DatasetAction.DATASET_DELETED, DatasetAction.DATASET_TASKS_CHANGED, GoldenSetAction.DELETED)


def gate_document(
    revision: Revision, service: Service | None = None, *, tasks: Sequence[Task] | None = None
) -> GateDocument:
    """Judge a version by the gates of its connected tasks and, if one is named, of a service.

    A condition about findings is about the version as a whole: it is asked once.

    Args:
        revision: the version.
        service: whose conditions are asked too; the previous release is what is live for it.
        tasks: those of a release; None: all that are connected.
    """
    if tasks is None:
        connections = revision.model.connections.select_related("task", "task__taxonomy").order_by("task__name")
        tasks = [connection.task for connection in connections]
    gates = current_task_gates(task.pk for task in tasks)
    of_service = current_gate(service) if service else None
    rows: list[GateRow] = []
    verdicts: list[Verdict] = []
    asked: set[tuple[str, str]] = set()
    for task in tasks:
        evidence = RevisionEvidence(revision, task, _previous_of(revision, service, task))
        for source, gate in (("task", gates.get(task.pk)), ("service", of_service)):
            for condition in conditions_of(gate):
                if gate is None or condition.taxonomy not in (None, task.taxonomy.name):
                    continue
                is_whole = isinstance(condition.measure, FindingsMeasure)
                if is_whole and (source, str(condition)) in asked:
                    continue
                asked.add((source, str(condition)))
                verdict = judge(condition, evidence)
                verdicts.append(verdict)
                rows.append(_row(source, gate, "" if is_whole else task.name, verdict))
    return GateDocument(verdict_of_all(verdicts), tuple(rows))


def _previous_of(revision: Revision, service: Service | None, task: Task) -> Callable[[], Revision | None]:
    if service is None:
        return lambda: None
    return functools.partial(previous_revision, service, task.taxonomy_id, task.modality, revision)


def _row(source: str, gate: GateVersion, task: str, verdict: Verdict) -> GateRow:
    condition = verdict.condition
    unit = Unit.RATIO if condition.to_previous else unit_of(condition.measure)
    measure = str(condition.measure) + (", ratio to the previous release" if condition.to_previous else "")
    return GateRow(
        source=source,
        gate=str(gate.task or gate.service),
        number=gate.number,
        task=task,
        condition=str(condition),
        measure=measure,
        threshold=condition.comparison.text(unit),
        unit=unit.name.lower(),
        ends=condition.comparison.ends,
        result=verdict.result.value,
        why=verdict.why,
        parts=tuple(map(gate_part, verdict.parts)),
    )


@transaction.atomic
def keep_report(revision: Revision, service: Service | None) -> GateReport:
    """Judge a version and keep what came out, once for each state of the evidence."""
    Revision.objects.select_for_update(of=("self",)).get(pk=revision.pk)
    now = timezone.now()
    document = gate_document(revision, service)
    reports = GateReport.objects.filter(revision=revision, service=service)
    reports.filter(is_current=True).exclude(state_digest=document.digest).update(is_current=False)
    report, is_new = reports.get_or_create(
        state_digest=document.digest,
        defaults={
            "revision": revision,
            "service": service,
            "result": document.result,
            "document": document.to_dict(),
            "judged_at": now,
            "covers_until": now - COMMIT_TAKES,
        },
    )
    if not is_new:
        report.judged_at, report.covers_until, report.is_current = now, now - COMMIT_TAKES, True
        report.save(update_fields=["judged_at", "covers_until", "is_current"])
    failpoints.hit("before gate report")
    transaction.on_commit(functools.partial(failpoints.hit, "after gate report"))
    return report


def forget_reports(dataset: Dataset) -> None:
    """Remove the reports that tell results on a dataset that is deleted; the versions are judged again.

    What releases were decided on is theirs, and stays.
    """
    measured = Evaluation.objects.filter(dataset=dataset).order_by().values("revision")
    reports = GateReport.objects.filter(revision__in=measured).annotate(text=Cast("document", TextField()))
    told = list(reports.filter(text__contains=dataset.name).values_list("pk", flat=True))
    GateReport.objects.filter(pk__in=told).delete()


def revisions_to_judge() -> QuerySet[Revision]:
    """Verified versions whose evidence or conditions changed since they were last judged, or that never were."""
    report = GateReport.objects.filter(revision=OuterRef("pk"), service=None, is_current=True)
    judged = Revision.objects.filter(status=RevisionStatus.VERIFIED).annotate(
        last=report.values("covers_until")[:1], model_text=Cast("model_id", CharField())
    )
    last = OuterRef("last")
    bindings = Binding.objects.filter(task__connections__model=OuterRef("model"))
    connections = AuditEvent.objects.filter(
        object_type="model", object_id=OuterRef("model_text"), action__in=_CONNECTIONS, at__gte=last
    )
    changed = (
        Q(last=None)
        | Exists(connections)
        | Exists(bindings.filter(Q(decided_at__gte=last) | Q(dataset__status_changed_at__gte=last)))
        | Exists(Evaluation.objects.filter(_ended_or_stale(last), revision=OuterRef("pk")))
        | Exists(LoadTest.objects.filter(revision=OuterRef("pk"), ended_at__gte=last))
        | Exists(Scan.objects.filter(revision=OuterRef("pk"), finished_at__gte=last))
        | Exists(GoldenRun.objects.filter(_ended_or_stale(last), revision=OuterRef("pk")))
        | Exists(RegressionRun.objects.filter(_ended_or_stale(last), revision=OuterRef("pk")))
        | Exists(
            GoldenVersion.objects.filter(golden_set__task__connections__model=OuterRef("model"), supplied_at__gte=last)
        )
        | Exists(Case.objects.filter(task__connections__model=OuterRef("model"), changed_at__gte=last))
        | Exists(GateVersion.objects.filter(task__connections__model=OuterRef("model"), created_at__gte=last))
        | Exists(GateVersion.objects.filter(service__isnull=False, created_at__gte=last))
        # conditions may be about what is live
        | Exists(SlotPeriod.objects.filter(Q(began_at__gte=last) | Q(ended_at__gte=last)))
    )
    # the row that named the task is gone, so every version may be concerned
    removal = AuditEvent.objects.filter(action__in=_REMOVALS).order_by("-id").values_list("at", flat=True).first()
    if removal is not None:
        changed |= Q(last__lte=removal)
    return judged.filter(changed).select_related("model").order_by("created_at")


def _ended_or_stale(last: OuterRef) -> Q:
    """A result came, or the one that stands holds no longer and is made anew."""
    return Q(ended_at__gte=last) | Q(is_stale=True, queued_at__gte=last)


def judge_changed() -> int:
    """Judge what `revisions_to_judge` finds, by its tasks' gates and by every service's that has one.

    Returns:
        How many versions.
    """
    found = list(revisions_to_judge()[:AT_ONCE])
    for revision in found:
        judge_for_all(revision)
    return len(found)


def is_judged(revision: Revision) -> bool:
    """Whether gates concern a version."""
    return revision.get_status() == RevisionStatus.VERIFIED


def judge_for_all(revision: Revision) -> None:
    """Keep the reports of a version for every service with a gate, then the one of its tasks alone.

    In this order: only the last one says that the version was judged, so a crash in between judges it again.
    """
    for service in Service.objects.filter(gate_versions__isnull=False).distinct():
        keep_report(revision, service)
    keep_report(revision, None)
