"""Writes to golden sets and their runs: what MOP starts by itself, and what people ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from django.db import transaction

from mop.accounts.models import User
from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.datasets.keyed import keyed_digest
from mop.errors import ConflictError, ValidationFailedError
from mop.evaluation.case_runs import services as case_runs
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE, CaseRunState
from mop.golden_sets.actions import Action
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.area import RUN
from mop.golden_sets.models import NAME_MAX, NAME_PATTERN, NAME_RULE, GoldenRow, GoldenRun, GoldenSet, GoldenVersion
from mop.golden_sets.reading import GivenRow
from mop.golden_sets.selectors import current_runs, missing
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus

SCHEDULER = Actor.system("golden sets")
PIPELINE = Actor.system("pipeline")
GOLDEN_JOB = case_runs.job_of_kind(GOLDEN, RUN.name)
_ROWS_AT_ONCE = 200


@transaction.atomic
def supply(*, actor: Actor, user: User, task: Task, name: str, rows: Sequence[GivenRow]) -> GoldenVersion:
    """Make a golden set of a task, or the next version of one.

    Raises:
        ValidationFailedError: the name is none that a golden set may have.
        ConflictError: the newest version has these rows.
    """
    if len(name) > NAME_MAX or not re.match(NAME_PATTERN, name):
        raise ValidationFailedError(NAME_RULE, fields={"name": [NAME_RULE]})
    digest = keyed_digest("golden set", json.dumps([[row.content, row.expected] for row in rows]))
    Task.objects.select_for_update(no_key=True).get(pk=task.pk)  # two uploads do not make one number
    golden_set, _ = GoldenSet.objects.get_or_create(task=task, name=name, defaults={"created_by": user})
    newest = golden_set.versions.filter(is_newest=True).first()
    if newest is not None and newest.digest == digest:
        raise ConflictError(f"{newest} has these rows already.")
    golden_set.versions.update(is_newest=False)
    version = GoldenVersion.objects.create(
        golden_set=golden_set,
        number=newest.number + 1 if newest else 1,
        supplied_by=user,
        size=len(rows),
        digest=digest,
    )
    GoldenRow.objects.bulk_create(
        (
            GoldenRow(version=version, number=number, content=row.content, expected=row.expected)
            for number, row in enumerate(rows, 1)
        ),
        batch_size=_ROWS_AT_ONCE,
    )
    _record(actor, Action.SUPPLIED, golden_set, version=version.number, rows=version.size)
    return version


@transaction.atomic
def delete_golden_set(*, actor: Actor, golden_set: GoldenSet) -> None:
    """Delete a golden set with every version, its rows and all results on it."""
    for run in GoldenRun.objects.filter(version__golden_set=golden_set, state__in=CASE_RUN_LIFECYCLE.live):
        case_runs.cancel(GOLDEN, GOLDEN_JOB, run, actor=actor)
    _record(actor, Action.DELETED, golden_set)
    golden_set.delete()


@transaction.atomic
def open_rows(*, actor: Actor, version: GoldenVersion) -> list[GoldenRow]:
    """The rows with their content; who may read them is asked by the caller, and that they were read is recorded."""
    _record(actor, Action.ROWS_READ, version.golden_set, version=version.number)
    return list(version.rows.order_by("number"))


def keep_up() -> None:
    """Start every run that is missing, end those that cannot be made any more. Called again and again."""
    for run in GoldenRun.objects.filter(state__in=CASE_RUN_LIFECYCLE.live).select_related(*GOLDEN.entity.related):
        case_runs.end_unwanted(GOLDEN, GOLDEN_JOB, run, actor=SCHEDULER)
    case_runs.begin_again(GOLDEN, GOLDEN_JOB, current_runs(), actor=SCHEDULER)
    start_missing(actor=SCHEDULER)


def try_again() -> None:
    """Run again what a cause outside the model ended."""
    failed = current_runs().filter(state=CaseRunState.FAILED)
    case_runs.try_again(GOLDEN, GOLDEN_JOB, failed, actor=SCHEDULER)


def renew_stale() -> None:
    """Run again what changed since its result was measured."""
    finished = current_runs().filter(state=CaseRunState.FINISHED)
    case_runs.renew_changed(GOLDEN, GOLDEN_JOB, finished, actor=SCHEDULER)


def start_missing(*, actor: Actor, revision: Revision | None = None, waits: bool = True) -> int:
    """Start the runs of a revision, or of all, that do not exist; done twice it starts nothing more.

    Args:
        actor: who is recorded.
        revision: of which; None: of all.
        waits: leave out revisions that an earlier stage is still busy with.

    Returns:
        How many were started.
    """
    count = 0
    for revision_id, version_id in missing(revision, waits=waits):
        with transaction.atomic():
            row = REVISION.lock(revision_id)
            made = GoldenRun.objects.filter(revision=row, version=version_id).exists()
            if row.get_status() != RevisionStatus.VERIFIED or made:
                continue
            version = GoldenVersion.objects.select_related("golden_set__task").filter(pk=version_id).first()
            if version is not None:
                case_runs.start(GOLDEN, GOLDEN_JOB, GoldenRun(revision=row, version=version), actor=actor)
                count += 1
    return count


def is_wanted(revision: Revision) -> bool:
    """Whether a verified revision has runs to be made."""
    return revision.get_status() == RevisionStatus.VERIFIED and bool(missing(revision))


def begin(revision: Revision) -> None:
    """As a stage of the pipeline, which does not wait for the runs.

    Raises:
        WorkerLostError: this process is a worker whose work was given to another.
    """
    start_missing(actor=PIPELINE, revision=revision)


def run_again(*, actor: Actor, revision: Revision) -> int:
    """Run a revision on the newest versions of its golden sets, every row anew.

    Returns:
        How many runs began.

    Raises:
        ConflictError: there is no golden set, or every run waits or goes on already.
    """
    count = start_missing(actor=actor, revision=revision, waits=False)
    for run in current_runs().filter(revision=revision, state__in=CASE_RUN_LIFECYCLE.final):
        case_runs.run_again(GOLDEN, GOLDEN_JOB, run, actor=actor, asks_all=True, detail=f"run again by {actor.label}")
        count += 1
    if not count:
        raise ConflictError(
            f"There is no golden set on which {revision} can be run now.",
            hint="A run that waits or goes on ends by itself; `mop golden-set list` shows the sets of a task.",
        )
    return count


def _record(actor: Actor, action: Action, golden_set: GoldenSet, **data: int) -> None:
    record(
        actor=actor,
        action=action,
        object_type="golden_set",
        object_id=golden_set.pk,
        object_label=golden_set.name,
        data={"task": golden_set.task_id, **data},
    )
