"""Reads of models and revisions, limited to what a user may see."""

from __future__ import annotations

import datetime as dt
import statistics
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.owners import get_owner_of
from mop.errors import NotFoundError
from mop.registry.models import Model, Revision, RevisionEvent
from mop.registry.statuses import CHAIN, PublishStatus, RevisionStatus

USUAL_OF, USUAL_MIN = 40, 5


def visible_models(user: User) -> QuerySet[Model]:
    """Models that the user may see: owned, with a public revision, or all for administrators."""
    if user.is_administrator:
        return Model.objects.all()
    return Model.objects.filter(Q(is_public=True) | _is_owned(user, "pk"))


def visible_revisions(user: User) -> QuerySet[Revision]:
    """Revisions that the user may see: of owned models, public ones, or all for administrators."""
    revisions = Revision.objects.select_related("model", "model__team", "instance_type", "created_by")
    if user.is_administrator:
        return revisions
    return revisions.filter(Q(publish_status=PublishStatus.PUBLIC) | _is_owned(user, "model_id"))


def _is_owned(user: User, model: str) -> Exists:
    """Asked of each row along an index: a list of ids would be made of everything that the person owns."""
    return Exists(Model.owners.through.objects.filter(model_id=OuterRef(model), user_id=user.pk))


def answered_for_models(user: User) -> QuerySet[Model, Any]:
    """Ids of the models that the user answers for, so is told of: owned, or all for administrators."""
    models = Model.objects.all() if user.is_administrator else Model.objects.filter(owners=user)
    return models.values("pk")


def team_of_model(model_id: int) -> int | None:
    """The id of the team that a model belongs to."""
    return Model.objects.filter(pk=model_id).values_list("team_id", flat=True).first()


def get_model(user: User, name: str) -> Model:
    """A visible model by name.

    Raises:
        NotFoundError: there is none that the user may see.
    """
    model = visible_models(user).select_related("team", "created_by").filter(name=name).first()
    if model is None:
        raise NotFoundError(f"There is no model {name!r} that you may see.")
    return model


def get_owner(model: Model, username: str) -> User:
    """An owner of a model by user name.

    Raises:
        NotFoundError: the user does not own it.
    """
    return get_owner_of(model, username)


def get_revision(user: User, name: str, version: str, *, among: QuerySet[Revision] | None = None) -> Revision:
    """A visible revision by model name and version.

    Args:
        user: who looks.
        name: of the model.
        version: of the revision.
        among: the visible revisions with more than the usual columns.

    Raises:
        NotFoundError: there is none that the user may see.
    """
    seen = visible_revisions(user) if among is None else among
    revision = seen.filter(model__name=name, version=version).first()
    if revision is None:
        raise NotFoundError(f"There is no version {version!r} of a model {name!r} that you may see.")
    return revision


def with_ownership(revisions: QuerySet[Revision], user: User) -> QuerySet[Revision]:
    """The revisions, each with whether a person owns its model; `keep_ownership` puts it where rules look."""
    return revisions.annotate(is_owned=_is_owned(user, "model_id"))


def keep_ownership(revision: Revision, user: User) -> None:
    """Let the rules know whether the person owns the model, as `with_ownership` read it."""
    revision.model.__dict__["known_ownership"] = {user.pk: getattr(revision, "is_owned")}  # noqa: B009 - annotated


def get_revision_by_id(user: User, revision_id: uuid.UUID) -> Revision:
    """A visible revision by id.

    Raises:
        NotFoundError: there is none that the user may see.
    """
    revision = visible_revisions(user).filter(pk=revision_id).first()
    if revision is None:
        raise NotFoundError(f"There is no revision {revision_id} that you may see.")
    return revision


@dataclass(frozen=True)
class QueuePlace:
    """Where a waiting revision stands: its place from 1, of how many, for which instance type."""

    place: int
    waiting: int
    instance_type: str


def queue_place(revision: Revision) -> QueuePlace | None:
    """The place of a revision that waits for a host; None when it does not wait."""
    if revision.host or revision.get_status() not in CHAIN[:-1]:
        return None
    own = Revision.objects.filter(pk=revision.pk).annotate(arrival=_arrival())
    priority, arrival = Subquery(own.values("priority")), Subquery(own.values("arrival"))
    is_ahead = Q(priority__lt=priority) | Q(priority=priority, arrival__lt=arrival)
    found = (
        waiting_revisions(revision.queue)
        .order_by()
        .annotate(arrival=_arrival())
        .aggregate(waiting=Count("pk"), ahead=Count("pk", filter=is_ahead), own=Count("pk", filter=Q(pk=revision.pk)))
    )
    if not found["own"]:
        return None
    return QueuePlace(found["ahead"] + 1, found["waiting"], revision.instance_type.name)


def waiting_revisions(queue: str) -> QuerySet[Revision]:
    """Revisions that wait for a host on a queue of the engine, first in turn first.

    They wait at the beginning, and wherever they stood when their host was lost.
    """
    waiting = Revision.objects.filter(queue=queue, status__in=CHAIN[:-1], host="")
    return waiting.order_by("priority", _arrival())


def _arrival() -> Subquery:
    """Orders revisions by when their attempt began, as the engine's priorities do."""
    begun = RevisionEvent.objects.filter(
        revision=OuterRef("pk"), attempt=OuterRef("attempt"), status=RevisionStatus.CREATED
    )
    return Subquery(begun.values("id")[:1])


@dataclass(frozen=True)
class TimelineEntry:
    """One status that a revision entered: when, for how long (still counting for the last), by whom, why."""

    id: int
    attempt: int
    status: RevisionStatus
    at: dt.datetime
    seconds: float | None
    actor_label: str
    detail: str
    is_current: bool


def timeline(revision: Revision) -> list[TimelineEntry]:
    """Every status of a revision, oldest first; the last of a finished revision has no duration."""
    return durations(RevisionEvent.objects.filter(revision=revision).order_by("id"), now=timezone.now())


def usual_seconds(begin: RevisionStatus, end: RevisionStatus) -> tuple[float, float] | None:
    """Between which seconds half of the newest ways from one status to another lay; None while too few went it."""
    began = RevisionEvent.objects.filter(revision=OuterRef("revision"), attempt=OuterRef("attempt"), status=begin)
    ended = RevisionEvent.objects.filter(status=end).annotate(began=Subquery(began.values("at")[:1])).order_by("-id")
    rows = ended.values_list("began", "at")[:USUAL_OF]
    seconds = [(at - since).total_seconds() for since, at in rows if since is not None]
    if len(seconds) < USUAL_MIN:
        return None
    lower, _, upper = statistics.quantiles(seconds, n=4, method="inclusive")
    return lower, upper


def durations(events: Iterable[RevisionEvent], *, now: dt.datetime) -> list[TimelineEntry]:
    """Timeline entries of events in their order."""
    rows = list(events)
    entries = []
    for place, event in enumerate(rows):
        status = RevisionStatus(event.status)
        is_last = place == len(rows) - 1
        end = None if is_last and status.is_final else now if is_last else rows[place + 1].at
        entries.append(
            TimelineEntry(
                id=event.pk,
                attempt=event.attempt,
                status=status,
                at=event.at,
                seconds=None if end is None else max((end - event.at).total_seconds(), 0.0),
                actor_label=event.actor_label,
                detail=event.detail,
                is_current=is_last,
            )
        )
    return entries
