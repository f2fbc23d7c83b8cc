"""Telling people what a later scan found that the one before had not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.urls import reverse

from mop.accounts.models import User
from mop.audit.services import Actor
from mop.findings.kinds import Kind
from mop.findings.recording import Recorded
from mop.notifications.scopes import Scope
from mop.notifications.services import News, notify
from mop.registry.models import Revision
from mop.registry.notices import MODEL_SCOPE

# who else is told of new findings: areas above put in who answers for what runs the revision
OTHERS_TOLD: list[Callable[[Revision], Iterable[User]]] = []


def notify_new_findings(revision: Revision, recorded: Recorded, *, actor: Actor, owners: bool = True) -> None:
    """Tell who answers for what runs the revision, and its owners if so, of findings that are new, if there are any."""
    if not recorded.new:
        return
    worst = max(recorded.new, key=lambda finding: finding.severity.rank)
    count = len(recorded.new)
    people = {user.pk: user for user in revision.model.owners.order_by("pk")} if owners else {}
    for others in OTHERS_TOLD:
        people |= {user.pk: user for user in others(revision)}
    notify(
        actor=actor,
        people=people.values(),
        news=News(
            kind=Kind.FINDINGS,
            event=f"revision:{revision.pk}:findings:{recorded.scan.pk}",
            title=f"{revision} has {count} new finding{'s' * (count > 1)}",
            reason=f"{worst.severity.value}: {worst.message}",
            hint=worst.hint,
            link=reverse("findings:findings", args=(revision.model.name, revision.version)),
            scope=Scope(MODEL_SCOPE, revision.model_id),
        ),
    )
