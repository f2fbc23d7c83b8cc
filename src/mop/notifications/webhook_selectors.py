"""Reads of webhooks: one's own and those of one's teams."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q, QuerySet

from mop.accounts.models import Team, User
from mop.errors import NotFoundError
from mop.notifications.models import Delivery, Webhook
from mop.notifications.scopes import TEAMS, Scope, within_sight
from mop.notifications.webhook_hosts import Allowed, read_hosts, read_networks


def allowed() -> Allowed:
    """Where the operator lets webhooks go."""
    return Allowed(read_hosts(settings.MOP_WEBHOOK_HOSTS), read_networks(settings.MOP_WEBHOOK_NETWORKS))


def visible_webhooks(user: User) -> QuerySet[Webhook]:
    """The person's own webhooks and those of their teams."""
    mine = Q(user=user, team=None) | Q(team__members=user)
    return Webhook.objects.filter(mine).select_related("user", "team").order_by("pk").distinct()


def get_webhook(user: User, webhook_id: int) -> Webhook:
    """A webhook of the person or of a team of theirs.

    Raises:
        NotFoundError: there is none that they may see.
    """
    found = visible_webhooks(user).filter(pk=webhook_id).first()
    if found is None:
        raise NotFoundError(f"You have no webhook {webhook_id}.")
    return found


def deliveries_of(webhook: Webhook, user: User) -> QuerySet[Delivery]:
    """The log of a webhook, about what the reader may see themselves."""
    return webhook.deliveries.filter(within_sight(user)).prefetch_related("tries")


def get_delivery(webhook: Webhook, user: User, delivery_id: int) -> Delivery:
    """A delivery in the log of a webhook.

    Raises:
        NotFoundError: there is none that the reader may see.
    """
    found = deliveries_of(webhook, user).filter(pk=delivery_id).first()
    if found is None:
        raise NotFoundError(f"The webhook has no delivery {delivery_id}.")
    return found


def webhooks_told(people: Sequence[User], scope: Scope | None) -> QuerySet[Webhook]:
    """The webhooks of these people, and those of the team that an object belongs to."""
    told = Q(user__in=people, team=None)
    team_of = TEAMS.get(scope.type) if scope and scope.id is not None else None
    if team_of and scope and scope.id is not None and (team_id := team_of(scope.id)) is not None:
        told |= Q(team_id=team_id)
    return Webhook.objects.filter(told, disabled_at=None).order_by("pk")


def teams_of(user: User) -> QuerySet[Team]:
    """The teams for which the person can make a webhook."""
    return user.teams.order_by("name")
