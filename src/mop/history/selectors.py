"""Reads of the audit log.

Administrators read all of it. Others read the history of what they own: a label or a detail of an event may name what
they may not see, so nobody else reads it; the history of a task is open, as tasks are, but for addresses and for who
reads the content of its cases.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.areas.registry import registered
from mop.areas.words import AuditAction
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.datasets.models import Dataset
from mop.errors import NotFoundError
from mop.registry.models import Revision
from mop.registry.selectors import visible_models

CASE_READERS = "dsat_access."  # actions about who reads the content of a task's cases
Find = Callable[[User, int], "History | None"]


@dataclass(frozen=True)
class EventFilter:
    """Which events; empty fields leave nothing out.

    Attributes:
        person: part of the name of who acted.
        action: a whole action, such as `model.created`.
        object_type: a word of the audit log, such as `model`.
        object_id: the id of one object of that type.
        object_label: part of an object's name.
        since: the first day.
        until: the last day.
    """

    person: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    object_label: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class History:
    """The events of one object, and where its page is.

    Attributes:
        tells_addresses: whether the reader is told from where people did what they did.
    """

    label: str
    url: str
    events: QuerySet[AuditEvent]
    tells_addresses: bool = True


def events(chosen: EventFilter) -> QuerySet[AuditEvent]:
    """Events that fit, in any order."""
    found = AuditEvent.objects.all()
    if chosen.person:
        found = found.filter(actor_label__icontains=chosen.person)
    if chosen.object_label:
        found = found.filter(object_label__icontains=chosen.object_label)
    for name in ("action", "object_type", "object_id"):
        if value := getattr(chosen, name):
            found = found.filter(**{name: value})
    if chosen.since:
        found = found.filter(at__gte=_start_of(chosen.since))
    if chosen.until:
        found = found.filter(at__lt=_start_of(chosen.until + dt.timedelta(days=1)))
    return found


def known_actions() -> list[AuditAction]:
    """Every action that an area declares."""
    return [action for area in registered() if area.audit_actions for action in area.audit_actions]


def history_of(user: User, kind: str, object_id: int) -> History:
    """The history of one object that the user may read.

    Raises:
        NotFoundError: there is none.
    """
    found = _FINDERS[kind](user, object_id) if kind in _FINDERS else None
    if found is None:
        raise NotFoundError("There is no such history that you may see.")
    return found


def _of_model(user: User, object_id: int) -> History | None:
    model = visible_models(user).filter(pk=object_id).first()
    if model is None or not may(user, "registry.change_owners", model):
        return None
    versions = Revision.objects.filter(model=model).values_list("pk", flat=True)
    mine = Q(object_type="model", object_id=str(model.pk))
    theirs = Q(object_type="revision", object_id__in=[str(pk) for pk in versions])
    return History(model.name, f"/models/{model.name}/", AuditEvent.objects.filter(mine | theirs))


def _of_task(user: User, object_id: int) -> History | None:
    task = Task.objects.filter(pk=object_id).first()
    if task is None:
        return None
    found, url = _plain("task", task.pk), f"/tasks/{task.pk}/"
    if may(user, "catalog.change_task", task):
        return History(task.name, url, found)
    return History(task.name, url, found.exclude(action__startswith=CASE_READERS), tells_addresses=False)


def _of_dataset(user: User, object_id: int) -> History | None:
    dataset = Dataset.objects.filter(pk=object_id).first()
    if dataset is None or not (user.is_administrator or dataset.owners.filter(pk=user.pk).exists()):
        return None
    return History(dataset.name, f"/datasets/{dataset.name}/", _plain("dataset", dataset.pk))


def _plain(kind: str, pk: int) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(object_type=kind, object_id=str(pk))


def _start_of(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


_FINDERS: dict[str, Find] = {"model": _of_model, "task": _of_task, "dataset": _of_dataset}
