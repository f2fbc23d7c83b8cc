"""Changing the state of a regression test, and what a run of this kind is."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence

from mop.audit.transitions import Change, Entity
from mop.catalog.models import Task
from mop.dsat.models import Case
from mop.dsat.selectors import ReplayedCase, replayed
from mop.engine.bulk import each_of
from mop.errors import RunNotPossibleError
from mop.evaluation.case_runs.kinds import (
    CaseKind,
    CaseTask,
    Key,
    Question,
    Wanted,
    case_task_of,
    set_fields,
)
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE, CaseRunState
from mop.onboarding.models import TaskProof
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.regression.actions import Action
from mop.regression.comparison import digest_of_case
from mop.regression.models import RegressionOutcome, RegressionRun
from mop.regression.notices import notify_end


def _tell(change: Change[RegressionRun, CaseRunState]) -> None:
    notify_end(change.row, actor=change.actor, error=change.error)


REGRESSION_RUN: Entity[RegressionRun, CaseRunState] = Entity(
    model=RegressionRun,
    lifecycle=CASE_RUN_LIFECYCLE,
    name="regression test",
    object_type="regression_test",
    action=Action.RUN_STATE,
    field="state",
    related=("revision__model", "revision__instance_type"),
    since="queued_at",
    set_fields=set_fields,
    tell=_tell,
    audit_data=lambda run: {"revision": str(run.revision_id)},
)


def _tasks(run: RegressionRun) -> Sequence[CaseTask]:
    if run.revision.get_status() != RevisionStatus.VERIFIED:
        raise RunNotPossibleError(
            f"The {run} cannot be done as things stand.", hint="Only a verified version can be tested."
        )
    return tested_tasks(run.revision)


def tested_tasks(revision: Revision) -> Sequence[CaseTask]:
    """The connected tasks that a revision was proved with."""
    proved = set(TaskProof.objects.filter(revision=revision).values_list("task_id", "customized_name"))
    connections = revision.model.connections.select_related("task__taxonomy").order_by("task_id")
    return [case_task_of(one) for one in connections if (one.task_id, one.customized_name) in proved]


def _wanted(_source: None, task: CaseTask) -> Wanted:
    cases = replayed(Task(pk=task.task_id)).filter(content__isnull=False).values_list("pk", "edition")
    if not (found := list(cases)):
        return {}
    keys, editions = zip(*found, strict=True)  # thousands at once: the digests of the few editions by `map`
    return dict(zip(keys, map(functools.cache(functools.partial(digest_of_case, task)), editions), strict=True))


def _load(_source: None, task: CaseTask, keys: Sequence[Key]) -> Sequence[Question]:
    rows = replayed(Task(pk=task.task_id)).filter(pk__in=each_of(keys), content__isnull=False)
    columns = rows.values_list("pk", "content__body", "edition", "expected_label", "kind")
    asked = functools.cache(functools.partial(_asked, task))  # thousands of cases share the few ways to be right
    questions = []
    for pk, body, *facts in columns:
        digest, expected, passes = asked(*facts)
        questions.append(Question(pk, digest, bytes(body), expected, passes))
    return questions


def expected_of(case: Case) -> str:
    """The label that is right for a case as it stands, as outcomes keep it."""
    return _right(case.task.labels, case.expected_label, case.kind)[0]


def _asked(task: CaseTask, edition: int, expected_label: str, kind: str) -> tuple[str, str, frozenset[str]]:
    """Of a question its digest, the label that is right, and the labels that are taken for right."""
    return digest_of_case(task, edition), *_right(task.task.labels, expected_label, kind)


def _right(labels: Sequence[str], expected_label: str, kind: str) -> tuple[str, frozenset[str]]:
    case = ReplayedCase(0, 0, b"", expected_label, kind, labels[0])
    passes = frozenset(label for label in labels if case.passes(label))
    return expected_text(case, passes), passes


def expected_text(case: ReplayedCase, passes: Collection[str]) -> str:
    """The label that is right; of a false negative without one, which label is wrong."""
    if case.expected_label:
        return case.expected_label
    return next(iter(passes)) if len(passes) == 1 else f"not {case.first_label}"


def _standing(keys: Collection[Key]) -> Collection[Key]:
    cases = Case.objects.select_for_update(no_key=True).filter(pk__in=each_of(keys)).order_by("pk")
    return list(cases.values_list("pk", flat=True))


REGRESSION: CaseKind[RegressionRun] = CaseKind(
    entity=REGRESSION_RUN,
    outcomes=RegressionOutcome,
    key="case_id",
    tasks=_tasks,
    source=lambda _run: None,
    wanted=_wanted,
    load=_load,
    standing=_standing,
)
