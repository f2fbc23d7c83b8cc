"""Giving and ending waivers."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.validation import save_checked
from mop.audit.services import Actor, record
from mop.errors import ConflictError, ValidationFailedError
from mop.findings.actions import Action
from mop.findings.models import Waiver
from mop.registry.models import Model
from mop.scanning.policy import is_kind_of_finding

DAYS_MAX = 366


@transaction.atomic
def create_waiver(
    *,
    actor: Actor,
    user: User,
    model: Model,
    scanner: str,
    rule: str,
    path: str,
    owner: User,
    reason: str,
    until: dt.date,
    identifier: str = "",
) -> Waiver:
    """Waive a finding of a model's versions until a day; it holds from the next scan.

    Args:
        actor: who acts.
        user: the administrator who gives it.
        model: whose versions.
        scanner: name of the scanner.
        rule: name of its rule.
        path: the finding's path; `*` stands for any characters.
        owner: who answers for it.
        reason: why the finding may be.
        until: the last day on which it holds, at most a year from today.
        identifier: the advisory's, for one of several on the same path.

    Raises:
        ValidationFailedError: a field breaks its rule.
    """
    today = timezone.localdate()
    fields: dict[str, list[str]] = {}
    if not today <= until <= today + dt.timedelta(days=DAYS_MAX):
        fields["until"] = [f"Choose a day from today to {(today + dt.timedelta(days=DAYS_MAX)).isoformat()}."]
    if not is_kind_of_finding(scanner, rule):
        fields["rule"] = ["Name scanner and rule as the finding does; neither may hold a *."]
    if not path.strip("*! "):
        fields["path"] = ["Name the finding's path; a * alone would waive the rule for every file."]
    if not reason.strip():
        fields["reason"] = ["Say why the finding may be."]
    if fields:
        raise ValidationFailedError(
            "; ".join(f"{name}: {' '.join(told)}" for name, told in fields.items()), fields=fields
        )
    waiver = Waiver(
        model=model,
        scanner=scanner,
        rule=rule,
        path=path,
        identifier=identifier,
        owner=owner,
        reason=reason.strip(),
        until=until,
        created_by=user,
    )
    save_checked(waiver)
    _record(actor, waiver, Action.WAIVER_CREATED)
    return waiver


@transaction.atomic
def end_waiver(*, actor: Actor, waiver: Waiver) -> None:
    """End a waiver now; versions that it kept from blocking are decided about again within minutes.

    Raises:
        ConflictError: it is ended already.
    """
    if not Waiver.objects.filter(pk=waiver.pk, ended_at=None).update(ended_at=timezone.now()):
        raise ConflictError("The waiver is ended already.")
    _record(actor, waiver, Action.WAIVER_ENDED)


def _record(actor: Actor, waiver: Waiver, action: Action) -> None:
    record(
        actor=actor,
        action=action,
        object_type="waiver",
        object_id=waiver.pk,
        object_label=f"{waiver.model.name}: {waiver}",
        data={
            "model": waiver.model.name,
            "scanner": waiver.scanner,
            "rule": waiver.rule,
            "path": waiver.path,
            "identifier": waiver.identifier,
            "owner": waiver.owner.username,
            "reason": waiver.reason,
            "until": waiver.until.isoformat(),
        },
    )
