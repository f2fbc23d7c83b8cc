"""What people are told of datasets: how a verification ended, who asks for a task, what its owner decided.

No text holds anything that stands in a file, nor the rows of faults: e-mails leave the installation.
"""

from __future__ import annotations

from collections.abc import Callable

from django.urls import reverse

from mop.accounts.models import User
from mop.areas.references import Ref
from mop.audit.services import Actor
from mop.datasets.kinds import Kind
from mop.datasets.models import Binding, Dataset
from mop.datasets.states import BindingState, DatasetStatus
from mop.notifications.owners import tell_owners_changed
from mop.notifications.scopes import Scope
from mop.notifications.services import News, forget_scope, notify

DATASET_SCOPE = "dataset"
REQUEST_SCOPE = "dataset binding"
FORGET_HOOKS: list[Ref[Callable[[Dataset], None]]] = []
"""What areas above do when a dataset is deleted, for what no foreign key reaches, such as texts that tell its results.
Each is given it, in the transaction of the deletion, before its rows go."""


def notify_status(dataset: Dataset, *, actor: Actor) -> None:
    """Tell the owners how the verification ended. Call it in the transaction that writes the status."""
    status = dataset.get_status()
    if status == DatasetStatus.VERIFIED:
        kind, title = Kind.VERIFIED, f"{dataset.name} is verified"
        reason = f"{dataset.rows:,} samples were read; task owners can approve it."
    elif status == DatasetStatus.VERIFY_FAILED:
        kind, title = Kind.VERIFY_FAILED, f"{dataset.name} failed verification"
        reason = (dataset.error or {}).get("message", "")
    else:
        return
    notify(
        actor=actor,
        people=dataset.owners.order_by("pk"),
        news=News(
            kind=kind,
            event=f"dataset:{dataset.pk}:{status.value}:{dataset.attempt}",
            title=title,
            reason=reason,
            hint=(dataset.error or {}).get("hint", ""),
            link=reverse("datasets:dataset", args=[dataset.name]),
            scope=Scope(DATASET_SCOPE, dataset.pk),
        ),
    )


def notify_requested(binding: Binding, *, actor: Actor) -> None:
    """Tell the task's owners that a verified dataset waits for them. Call it once the dataset is verified."""
    notify(
        actor=actor,
        people=binding.task.owners.order_by("pk"),
        news=News(
            kind=Kind.REQUESTED,
            event=f"binding:{binding.pk}:requested:{binding.requested_at.isoformat()}",
            title=f"{binding.dataset.name} asks to be used for {binding.task.name}",
            reason=f"{binding.requested_by_label} asked. Approve it, and models of the task are measured on it.",
            link=reverse("catalog:task", args=[binding.task_id]) + "#connection-requests",
            scope=Scope(REQUEST_SCOPE, binding.pk),
        ),
    )


def notify_decided(binding: Binding, *, actor: Actor, event: int) -> None:
    """Tell the dataset's owners what an owner of the task decided.

    Args:
        binding: as it stands now.
        actor: who decided.
        event: id of the audit event, which makes this decision one of its own.
    """
    word = "approved" if binding.state == BindingState.APPROVED else "rejected"
    notify(
        actor=actor,
        people=binding.dataset.owners.order_by("pk"),
        news=News(
            kind=Kind.DECIDED,
            event=f"binding:{binding.pk}:decided:{event}",
            title=f"{binding.dataset.name} is {word} for {binding.task.name}",
            reason=binding.comment or f"{actor.label} {word} it.",
            link=reverse("datasets:dataset", args=[binding.dataset.name]),
            scope=Scope(DATASET_SCOPE, binding.dataset_id),
        ),
    )


def notify_owners_changed(dataset: Dataset, *, actor: Actor, user: User, is_owner: bool, event: int) -> None:
    """Tell a person that they became, or are no longer, an owner of a dataset, and the other owners of it too."""
    link = reverse("datasets:dataset", args=[dataset.name])
    tell_owners_changed(
        dataset,
        kind=Kind.OWNERSHIP,
        scope=Scope(DATASET_SCOPE, dataset.pk),
        link=link,
        left_link=link,  # everybody sees a dataset's metadata
        actor=actor,
        user=user,
        is_owner=is_owner,
        event=event,
    )


def forget_dataset(dataset: Dataset) -> None:
    """Remove what was told of a dataset that is deleted."""
    for hook in FORGET_HOOKS:
        hook.load()(dataset)
    forget_scope(Scope(DATASET_SCOPE, dataset.pk))
    for binding in dataset.bindings.all():
        forget_binding(binding)


def forget_binding(binding: Binding) -> None:
    """Remove what was told of a binding that is removed."""
    forget_scope(Scope(REQUEST_SCOPE, binding.pk))
