"""Who is told of a release: people by their notifications, the service by its webhooks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.db.models import Q, QuerySet
from django.urls import reverse

from mop.accounts.models import User
from mop.audit.services import Actor
from mop.errors import NotFoundError
from mop.notifications.models import Webhook
from mop.notifications.scopes import Scope
from mop.notifications.services import News, notify
from mop.notifications.webhooks import Owner, enqueue_delivery, link_of
from mop.registry.models import Model, Revision
from mop.registry.selectors import answered_for_models
from mop.releases.bundles.models import Bundle
from mop.releases.kinds import Kind
from mop.releases.models import Service
from mop.releases.release_models import LiveSlot, Release, ReleaseEvent
from mop.releases.release_states import CANARY_ENDED, CANARY_STARTED, EVENT_LABELS, HOLDING, ReleaseState
from mop.releases.requests.selectors import visible_releases

RELEASE_SCOPE = "release"
SERVICE_OWNER = "service"
_KIND = "release."

# the kind of each event that people are told of, and how its title goes on after the version's name
_TOLD: dict[str, tuple[Kind, str]] = {
    ReleaseState.REQUESTED: (Kind.RELEASE_REQUESTED, "is offered to {service}"),
    ReleaseState.APPROVED: (Kind.RELEASE_DECIDED, "is approved for {service}"),
    ReleaseState.REJECTED: (Kind.RELEASE_DECIDED, "is rejected for {service}"),
    ReleaseState.WITHDRAWN: (Kind.RELEASE_DECIDED, "is no longer offered to {service}"),
    ReleaseState.RELEASED: (Kind.RELEASE_LIVE, "is live in {service}"),
    ReleaseState.RETIRED: (Kind.RELEASE_LIVE, "is no longer live in {service}"),
    CANARY_STARTED: (Kind.RELEASE_LIVE, "is a canary in {service}"),
    CANARY_ENDED: (Kind.RELEASE_LIVE, "is no canary in {service} any more"),
}


def tell(event: ReleaseEvent, *, actor: Actor) -> None:
    """Tell people and the service's webhooks of an event. Call it in the transaction of the change."""
    release = event.release
    _tell_service(event)
    if event.what not in _TOLD:
        return
    kind, ending = _TOLD[event.what]
    notify(
        actor=actor,
        people=_people(release, kind),
        news=News(
            kind=kind,
            event=_event(event),
            title=f"{release.model_name} {release.version} {ending.format(service=release.service.name)}",
            reason=event.detail,
            link=reverse("releases:release", args=[release.pk]),
            scope=Scope(RELEASE_SCOPE, release.pk),
        ),
    )


def service_webhooks(service_id: int) -> QuerySet[Webhook]:
    """The webhooks that belong to a service."""
    return Webhook.objects.filter(owner_type=SERVICE_OWNER, owner_id=service_id).order_by("pk")


def get_service_webhook(service: Service, number: int) -> Webhook:
    """A webhook of a service.

    Raises:
        NotFoundError: it is none of its.
    """
    found = service_webhooks(service.pk).filter(pk=number).first()
    if found is None:
        raise NotFoundError(f"{service.name} has no webhook {number}.")
    return found


def told_kinds() -> dict[str, str]:
    """The kinds of messages that a service's webhooks may be told of, and what pages call them."""
    return {f"{_KIND}{what}": label for what, label in EVENT_LABELS.items()}


def told_label(webhook: Webhook) -> str:
    """What a service's webhook is told of, in words."""
    known = told_kinds()
    return "every event" if webhook.kinds is None else ", ".join(known.get(kind, kind) for kind in webhook.kinds)


def owner_of(service_id: int) -> Owner:
    """A service as the owner of a webhook."""
    return Owner(SERVICE_OWNER, service_id)


def admins_told(revision: Revision) -> QuerySet[User]:
    """Admins of the services that take a version, who are told of its new findings."""
    releases = Release.objects.filter(revision=revision, state__in=HOLDING)
    return User.objects.filter(is_active=True, administered_services__releases__in=releases).distinct().order_by("pk")


def told_of_models(user: User) -> QuerySet[Model, Any]:
    """Ids of the models that a user answers for: as owner or administrator, or as admin of a service that runs them."""
    running = LiveSlot.objects.filter(service__admins=user).values("live__revision__model")
    approved = Release.objects.filter(service__admins=user, state__in=HOLDING).values("revision__model")
    mine = Q(pk__in=answered_for_models(user)) | Q(pk__in=running) | Q(pk__in=approved)
    return Model.objects.filter(mine).values("pk")


def seen_releases(user: User) -> QuerySet[Release, Any]:
    """Ids of the releases that a user may see."""
    return visible_releases(user).order_by().values("pk")


def team_of_release(release_id: int) -> int | None:
    """The id of the team of a release's model, whose webhooks are told too."""
    return Release.objects.filter(pk=release_id).values_list("revision__model__team_id", flat=True).first()


def _people(release: Release, kind: Kind) -> list[User]:
    owners = release.revision.model.owners.all() if release.revision else User.objects.none()
    admins = release.service.admins.all()
    told = {
        Kind.RELEASE_REQUESTED: [*admins],
        Kind.RELEASE_DECIDED: [release.requested_by, *owners, *admins],
        Kind.RELEASE_LIVE: [release.requested_by, *owners, *admins],
    }[kind]
    return sorted({person.pk: person for person in told}.values(), key=lambda person: person.pk)


def _tell_service(event: ReleaseEvent) -> None:
    release = event.release
    kind = f"{_KIND}{event.what}"
    for webhook in service_webhooks(release.service_id):
        if webhook.wants(kind):
            enqueue_delivery(webhook=webhook, kind=kind, event=_event(event), data=message_of(event))


def message_of(event: ReleaseEvent) -> dict[str, Any]:
    """What the service's webhooks are told of an event."""
    release = event.release
    return {
        "service": release.service.name,
        "release": release.pk,
        "state": release.state,
        "model": release.model_name,
        "version": release.version,
        "artifact_digest": release.artifact_digest,
        "evidence_digest": release.evidence_digest,
        "tasks": [{"taxonomy": one.taxonomy.name, "modality": one.modality} for one in release.tasks.all()],
        "detail": event.detail,
        "bundle": _bundle(release),
        "link": link_of(reverse("releases:release", args=[release.pk])),
    }


def _bundle(release: Release) -> dict[str, Any] | None:
    """Where the service pulls the bundle, and what it is then; size and digest are known once it is made."""
    found = Bundle.objects.filter(release=release).only("sha256", "size", "key").first()
    if found is None:
        return None
    url = link_of(f"/api/v1/services/{quote(release.service.name)}/releases/{release.pk}/bundle")
    return {"url": url, "sha256": found.sha256 or None, "size": found.size, "key": found.key or None}


def _event(event: ReleaseEvent) -> str:
    return f"release:{event.release_id}:{event.what}:{event.pk}"
