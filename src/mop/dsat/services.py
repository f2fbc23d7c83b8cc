"""Writes to cases. Callers authorise; these keep the states and record what happened, never what a case holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.dsat.actions import Action
from mop.dsat.advance import CASE
from mop.dsat.inputs import CaseInput, Problems, check_labels, check_tags, check_texts, clean_tags, new_case
from mop.dsat.models import COMMENT_MAX, Case, CaseContent, Comment, item_of
from mop.dsat.notices import notify_assigned
from mop.dsat.selectors import content_of, reported_case
from mop.dsat.states import CASE_LIFECYCLE, CaseState
from mop.dsat.store import index_again, insert_contents, prepare
from mop.errors import ConflictError, ValidationFailedError
from mop.registry.models import Revision


def add_case(
    *,
    task: Task,
    content: Mapping[str, Any],
    actor: Actor,
    submitter: User | None = None,
    reported_by_service: str = "",
    expected_label: str = "",
    kind: str = "",
    predicted_label: str = "",
    trace_id: str = "",
    description: str = "",
    tags: Sequence[str] = (),
    is_restricted: bool = False,
) -> Case:
    """Add one case, in `open`.

    A service sends again what it got no answer to: of a trace id that it reported for this task before, the first case
    is given. Cases that people added in its name, under whatever trace id, are none of those.

    Args:
        task: whose labels and modality the case has.
        content: one model item: `text`; or `image` (base64); or `text` and `images`.
        actor: who is recorded.
        submitter: the person who adds it; None where a service reports it with its own token.
        reported_by_service: the service that it comes from; needed without a submitter.
        expected_label: a label of the task; may be left out where `kind` is given.
        kind: falsePositive or falseNegative; may be left out where the expected label is given.
        predicted_label: what the service answered.
        trace_id: of the answer.
        description: why the answer was wrong.
        tags: words to filter by.
        is_restricted: submitter and assignee alone read the content.

    Raises:
        ValidationFailedError: a field breaks its rule.
    """
    given = CaseInput(
        content=content,
        expected_label=expected_label,
        kind=kind,
        predicted_label=predicted_label,
        trace_id=trace_id,
        description=description,
        tags=tags,
        service=reported_by_service,
        is_restricted=is_restricted,
    )
    problems = Problems()
    new = new_case(task, given, problems.add)
    if submitter is None and not reported_by_service:
        problems.add("service", "Name the service that reports the case.")
    if submitter is None and is_restricted:
        problems.add("is_restricted", "A case that a service reports cannot be restricted.")
    problems.raise_any()
    if new is None:
        raise AssertionError("a case without problems is a case")
    prepared = prepare([new])
    case = Case(task=task, submitter=submitter, **new.fields)
    with transaction.atomic():
        if submitter is None and case.trace_id:
            # the row of the task is the lock: two that come at once do not both make a case
            Task.objects.select_for_update(of=("self",), no_key=True).get(pk=task.pk)
            if known := reported_case(service=case.service, task=task, trace_id=case.trace_id):
                return known
        CASE.begin(case, actor=actor)
        insert_contents(prepared, [case.pk])
    return case


@dataclass(frozen=True, kw_only=True)
class CaseChange:
    """What of a case can change; None leaves a field as it is."""

    expected_label: str | None = None
    kind: str | None = None
    predicted_label: str | None = None
    trace_id: str | None = None
    description: str | None = None
    tags: Sequence[str] | None = None
    service: str | None = None

    def given(self) -> dict[str, Any]:
        """The fields that change, tags cleaned."""
        found = {name: value for name, value in vars(self).items() if value is not None}
        return found | ({"tags": clean_tags(found["tags"])} if "tags" in found else {})


DECIDING = frozenset({"expected_label", "kind"})
INDEXED = frozenset({"description", "tags", "trace_id"})


@transaction.atomic
def change_case(*, actor: Actor, case: Case, change: CaseChange) -> Case:
    """Change what is known of a case. A new expected label or kind lets regression tests run again on it.

    Raises:
        ValidationFailedError: a field breaks its rule.
    """
    row = CASE.lock(case.pk)
    changed = {name: value for name, value in change.given().items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    problems = Problems()
    check_labels(
        row.task,
        expected_label=row.expected_label,
        kind=row.kind,
        predicted_label=row.predicted_label,
        add=problems.add,
    )
    check_texts(problems.add, description=row.description, trace_id=row.trace_id, service=row.service)
    check_tags(row.tags, problems.add)
    if row.submitter_id is None and not row.service:
        problems.add("service", "A case without a submitter keeps the service that reported it.")
    problems.raise_any()
    if not changed:
        return row
    if DECIDING & changed.keys():
        row.edition += 1
    row.changed_at = timezone.now()
    row.save()
    if INDEXED & changed.keys():
        index_again(row)
    _record(actor, Action.CASE_CHANGED, row, {"fields": sorted(changed)})
    return row


@transaction.atomic
def assign(*, actor: Actor, case: Case, to: User | None) -> Case:
    """Give a case to a person, who reads its content from now on; None: to nobody.

    Raises:
        ConflictError: the case needs nobody any more.
    """
    row = CASE.lock(case.pk)
    state = row.get_state()
    if state.is_final:
        raise ConflictError(f"{row} is {state.value}, so it needs no assignee.", hint="Reopen the case first.")
    if to is None and state is CaseState.CONFIRMED:
        raise ConflictError(f"{row} is confirmed, so somebody works on it.", hint="Assign it to another person.")
    if row.assignee_id == (to.pk if to else None):
        return row
    row.assignee, row.changed_at = to, timezone.now()
    row.save(update_fields=["assignee", "changed_at"])
    event = _record(actor, Action.CASE_ASSIGNED, row, {"to": to.username if to else None})
    wanted = CaseState.ASSIGNED if to else CaseState.OPEN
    if state is not CaseState.CONFIRMED and state is not wanted:
        CASE.move(row, wanted, actor=actor)
    notify_assigned(row, actor=actor, event=event.pk)
    return row


def confirm(*, actor: Actor, case: Case) -> Case:
    """Agree that the service answered wrongly.

    Raises:
        ConflictError: the case does not stand in a state before.
    """
    return _move(actor, case, CaseState.CONFIRMED)


def mark_fixed(*, actor: Actor, case: Case, revision: Revision | None) -> Case:
    """Note that a version answers the case as expected.

    Raises:
        ConflictError: the case is fixed, closed or rejected already.
    """
    return _move(actor, case, CaseState.FIXED, {"fixed_by": revision})


def close(*, actor: Actor, case: Case) -> Case:
    """Accept the fix.

    Raises:
        ConflictError: the case is not fixed.
    """
    return _move(actor, case, CaseState.CLOSED)


def reject(*, actor: Actor, case: Case) -> Case:
    """Say that the case is no fault of a model; regression tests leave it out.

    Raises:
        ConflictError: the case is closed or rejected already.
    """
    return _move(actor, case, CaseState.REJECTED)


@transaction.atomic
def reopen(*, actor: Actor, case: Case) -> Case:
    """Open a case again that was fixed, closed or rejected. Its assignee keeps it.

    Raises:
        ConflictError: the case is open.
    """
    row = CASE.lock(case.pk)
    if row.get_state() not in CASE_LIFECYCLE.restarts:
        raise ConflictError(f"{row} is {row.state}, so it cannot be reopened.")
    row.fixed_by = None
    CASE.restart(row, actor=actor)
    if row.assignee_id:
        CASE.move(row, CaseState.ASSIGNED, actor=actor)
    return row


@transaction.atomic
def restrict(*, actor: Actor, case: Case, is_restricted: bool) -> Case:
    """Let the submitter and the assignee alone read the content, or everybody whom the task lets read it."""
    row = CASE.lock(case.pk)
    if row.is_restricted != is_restricted:
        row.is_restricted, row.changed_at = is_restricted, timezone.now()
        row.save(update_fields=["is_restricted", "changed_at"])
        _record(actor, Action.CASE_RESTRICTED, row, {"restricted": is_restricted})
    return row


@transaction.atomic
def add_comment(*, actor: Actor, case: Case, author: User, text: str) -> Comment:
    """Say something about a case to those who read its content.

    Raises:
        ValidationFailedError: the text is empty or too long.
    """
    text = text.strip()
    if not text or len(text) > COMMENT_MAX or "\0" in text:
        message = f"Write 1 to {COMMENT_MAX:,} characters."
        raise ValidationFailedError(f"text: {message}", fields={"text": [message]})
    row = CASE.lock(case.pk)
    row.changed_at = timezone.now()
    row.save(update_fields=["changed_at"])
    comment = Comment.objects.create(case=row, author=author, text=text)
    _record(actor, Action.CASE_COMMENTED, row)
    return comment


@dataclass(frozen=True)
class Opened:
    """The content of a case, for the person who opened it."""

    content: CaseContent
    item: Any


@transaction.atomic
def open_content(*, actor: Actor, case: Case) -> Opened:
    """Read the content for a person; every opening is recorded. Ask `may_read_content` first.

    Raises:
        NotFoundError: the case is gone.
    """
    content = content_of(case)
    _record(actor, Action.CASE_OPENED, case)
    return Opened(content, item_of(content))


@transaction.atomic
def _move(actor: Actor, case: Case, to: CaseState, facts: Mapping[str, Any] | None = None) -> Case:
    row = CASE.lock(case.pk)
    before = row.get_state()
    if to not in CASE_LIFECYCLE.transitions[before]:
        raise ConflictError(
            f"{row} is {before.value} and cannot become {to.value}.",
            hint="Reopen the case first." if before in CASE_LIFECYCLE.restarts else "",
        )
    CASE.move(row, to, actor=actor, facts=facts)
    return row


def _record(actor: Actor, action: Action, case: Case, data: dict[str, Any] | None = None) -> AuditEvent:
    return record(
        actor=actor, action=action, object_type="dsat case", object_id=case.pk, object_label=case.number, data=data
    )
