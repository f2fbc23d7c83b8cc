"""Writes to services and gates."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction

from mop.accounts.models import User
from mop.accounts.validation import save_checked
from mop.areas.words import AuditAction
from mop.audit.services import Actor, record
from mop.catalog.models import Task, Taxonomy
from mop.errors import ConflictError, ValidationFailedError
from mop.releases.actions import Action
from mop.releases.gates.conditions import Condition
from mop.releases.gates.parser import GateSyntaxError, parse
from mop.releases.models import CONDITIONS_MAX, GateVersion, Policy, Service, ServiceKind
from mop.releases.selectors import current_gate


@transaction.atomic
def create_service(
    *,
    actor: Actor,
    user: User,
    name: str,
    kind: ServiceKind,
    admins: Sequence[User],
    description: str = "",
    contact: str = "",
    policy: Policy = Policy.BLOCK,
) -> Service:
    """Define a downstream service.

    Raises:
        ValidationFailedError: the name is taken or no name, or there is no admin.
    """
    if not admins:
        raise ValidationFailedError(
            "A service needs at least one admin.", fields={"admins": ["Name at least one admin."]}
        )
    service = Service(name=name, kind=kind, description=description, contact=contact, policy=policy, created_by=user)
    save_checked(service)
    service.admins.set(admins)
    record_of_service(
        actor, Action.SERVICE_CREATED, service, {"kind": kind, "policy": policy, "admins": _names(admins)}
    )
    return service


@transaction.atomic
def change_service(
    *,
    actor: Actor,
    service: Service,
    description: str | None = None,
    contact: str | None = None,
    policy: Policy | None = None,
    admins: Sequence[User] | None = None,
) -> None:
    """Change what may change of a service: everything but its name and kind. None leaves a field as it is by then.

    Raises:
        ValidationFailedError: no admin would be left, or a value is too long.
    """
    if admins is not None and not admins:
        raise ValidationFailedError(
            "A service needs at least one admin.", fields={"admins": ["Name at least one admin."]}
        )
    # a decision about a release holds this lock while its person is found to be an admin
    row = Service.objects.select_for_update().get(pk=service.pk)
    before = {"policy": row.policy, "admins": _names(row.admins.all())}
    given = {"description": description, "contact": contact, "policy": policy}
    for name, value in given.items():
        if value is not None:
            setattr(row, name, value)
    save_checked(row)
    if admins is not None:
        row.admins.set(admins)
    after = {"policy": row.policy, "admins": _names(row.admins.all())}
    record_of_service(actor, Action.SERVICE_CHANGED, row, {"before": before, "after": after})


@transaction.atomic
def replace_admin(*, actor: Actor, service: Service, user: User, to: User) -> None:
    """Make another person an admin of a service in the place of one."""
    row = Service.objects.select_for_update().get(pk=service.pk)
    people = {person.pk: person for person in row.admins.all() if person.pk != user.pk}
    change_service(actor=actor, service=row, admins=list((people | {to.pk: to}).values()))


@transaction.atomic
def change_gate(*, actor: Actor, owner: Task | Service, conditions: str, number: int | None = None) -> GateVersion:
    """Give a task or a service new conditions; the former ones stay readable. The same text makes no new version.

    Args:
        actor: who is recorded.
        owner: whose gate.
        conditions: one on each line, as docs/gates.md describes; empty for none.
        number: the version that the editor saw, 0 for none; None: not checked.

    Raises:
        ValidationFailedError: a line is no condition, or names a taxonomy that the task does not have, or nobody.
        ConflictError: somebody changed the gate since.
    """
    conditions = conditions.replace("\r\n", "\n").strip()
    check_conditions(owner, conditions)
    # the row of the owner is the lock: two editors cannot both make the next version
    type(owner).objects.select_for_update().get(pk=owner.pk)
    last = current_gate(owner)
    if number is not None and number != (last.number if last else 0):
        raise ConflictError(
            f"Somebody changed the conditions of {owner} meanwhile.",
            hint="Read the new conditions, then make your change again.",
        )
    if last is not None and last.conditions == conditions:
        return last
    wanted = {"task": owner} if isinstance(owner, Task) else {"service": owner}
    gate = GateVersion.objects.create(
        **wanted,
        number=(last.number if last else 0) + 1,
        conditions=conditions,
        created_by_label=actor.label,
    )
    action = Action.TASK_GATE_CHANGED if isinstance(owner, Task) else Action.SERVICE_GATE_CHANGED
    record(
        actor=actor,
        action=action,
        object_type="task" if isinstance(owner, Task) else "service",
        object_id=owner.pk,
        object_label=owner.name,
        data={"number": gate.number, "conditions": conditions},
    )
    return gate


def check_conditions(owner: Task | Service | None, text: str) -> tuple[Condition, ...]:
    """The conditions of a text, checked against the task or service that is to have them; None: against no task.

    Raises:
        ValidationFailedError: a line is no condition, or names a taxonomy that does not exist or is not the task's.
    """
    if len(text) > CONDITIONS_MAX:
        message = f"The conditions have {len(text):,} characters; {CONDITIONS_MAX:,} are allowed."
        raise ValidationFailedError(message, fields={"conditions": [message]})
    try:
        conditions = parse(text)
    except GateSyntaxError as error:
        faults = [str(fault) for fault in error.faults]
        message = f"{len(faults)} lines are no conditions." if len(faults) > 1 else "A line is no condition."
        raise ValidationFailedError(message, fields={"conditions": faults}) from error
    named = {one.taxonomy for one in conditions if one.taxonomy is not None}
    if isinstance(owner, Task):
        if others := sorted(named - {owner.taxonomy.name}):
            message = f"{owner.name} is a task of the taxonomy {owner.taxonomy.name}, not of {', '.join(others)}."
            raise ValidationFailedError(message, fields={"conditions": [message]})
    elif named:
        _check_taxonomies(named)
    return conditions


def _check_taxonomies(named: Collection[str]) -> None:
    """A condition of a taxonomy that no task can have would never be asked, and so would stop nothing."""
    known = list(Taxonomy.objects.order_by("name").values_list("name", flat=True))
    faults = []
    for name in sorted(set(named) - set(known)):
        near = difflib.get_close_matches(name.casefold(), [one.casefold() for one in known], 1, 0.6)
        meant = next((one for one in known if near and one.casefold() == near[0]), "")
        hint = f"Did you mean “{meant}”?" if meant else f"Known are {', '.join(known)}."
        faults.append(f"There is no taxonomy “{name}”, so the condition would never be asked. {hint}")
    if faults:
        raise ValidationFailedError(" ".join(faults), fields={"conditions": faults})


def conditions_of(gate: GateVersion | None) -> tuple[Condition, ...]:
    """The conditions of a stored gate, which were checked when it was stored."""
    return parse(gate.conditions) if gate else ()


def _names(people: Iterable[User]) -> list[str]:
    return sorted(person.username for person in people)


def record_of_service(actor: Actor, action: AuditAction, service: Service, data: dict[str, object]) -> None:
    """Record a change of a service, or of what belongs to it."""
    record(
        actor=actor,
        action=action,
        object_type="service",
        object_id=service.pk,
        object_label=service.name,
        data=data,
    )
