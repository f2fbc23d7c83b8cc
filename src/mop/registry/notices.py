"""What owners and operators are told of models: how a version ended, that it waits, and who owns a model now."""

from __future__ import annotations

from django.urls import reverse

from mop.accounts.models import User
from mop.audit.services import Actor
from mop.errors import MopError, PlatformFault
from mop.notifications.alerts import raise_alert
from mop.notifications.owners import tell_owners_changed
from mop.notifications.scopes import Scope
from mop.notifications.services import News, forget_events, forget_scope, notify
from mop.registry.kinds import Kind
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus

MODEL_SCOPE = "model"

# statuses that owners are told of: the kind, and how the title goes on after the version's name
TOLD: dict[RevisionStatus, tuple[Kind, str]] = {
    RevisionStatus.VERIFIED: (Kind.VERIFIED, "is verified"),
    RevisionStatus.VERIFY_FAILED: (Kind.VERIFY_FAILED, "failed verification"),
    RevisionStatus.VULNERABLE: (Kind.VULNERABLE, "is vulnerable"),
    RevisionStatus.CANCELLED: (Kind.CANCELLED, "was cancelled"),
    RevisionStatus.TO_BE_RETRIED: (Kind.TO_BE_RETRIED, "waits and is tried again"),
}


def notify_status(revision: Revision, *, actor: Actor, detail: str, error: MopError | None) -> None:
    """Tell the owners of the status that a revision just entered, and the operator of the platform's fault.

    Call it in the transaction that writes the status, after it was written.
    """
    status = revision.get_status()
    if isinstance(error, PlatformFault):
        raise_alert(actor=actor, fault=error)
    if status not in TOLD:
        return
    kind, ending = TOLD[status]
    notify(
        actor=actor,
        people=revision.model.owners.order_by("pk"),
        news=News(
            kind=kind,
            event=_event(revision, status),
            title=f"{revision} {ending}",
            reason=error.message if error else detail or status.meaning,
            hint=error.hint if error else "",
            link=reverse("registry:revision", args=(revision.model.name, revision.version)),
            scope=Scope(MODEL_SCOPE, revision.model_id),
        ),
    )


def notify_owners_changed(model: Model, *, actor: Actor, user: User, is_owner: bool, event: int) -> None:
    """Tell a person that they became, or are no longer, an owner of a model, and the other owners of it too."""
    tell_owners_changed(
        model,
        kind=Kind.OWNERSHIP,
        scope=Scope(MODEL_SCOPE, model.pk),
        link=reverse("registry:model", args=(model.name,)),
        left_link=reverse("registry:models"),
        actor=actor,
        user=user,
        is_owner=is_owner,
        event=event,
    )


def forget_revision(revision: Revision) -> None:
    """Remove what was told of a version that is deleted: its page is gone."""
    forget_events(f"revision:{revision.pk}:")


def public_event(revision: Revision, what: str) -> str:
    """The name of what people are told because a version is public; it goes when it is not any more."""
    return f"revision:{revision.pk}:public:{what}"


def forget_public(revision: Revision) -> None:
    """Remove what others were told of a version while it was public: they may not see it any more."""
    forget_events(public_event(revision, ""))


def forget_model(model: Model) -> None:
    """Remove what was told of a model that is deleted."""
    forget_scope(Scope(MODEL_SCOPE, model.pk))


def _event(revision: Revision, status: RevisionStatus) -> str:
    """The name under which nobody is told twice. MOP's own tries again share a workflow: they wait once."""
    if status == RevisionStatus.TO_BE_RETRIED:
        return f"revision:{revision.pk}:{status.value}:{revision.workflow_id}"
    return f"revision:{revision.pk}:{status.value}:{revision.attempt}"
