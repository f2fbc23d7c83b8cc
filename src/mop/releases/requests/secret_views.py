"""Forms of what a service sends and is told by: its tokens and webhooks, whose secrets are shown once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.notifications.webhooks import create_webhook, delete_webhook
from mop.releases.models import Service
from mop.releases.requests.forms import ServiceWebhookForm, TokenForm
from mop.releases.requests.notices import get_service_webhook, owner_of
from mop.releases.requests.service_forms import Secret, ServiceForms
from mop.releases.requests.tokens import create_service_token, get_service_token, revoke_service_token
from mop.releases.selectors import get_service


@require_http_methods(["GET", "POST"])
def add_token(request: HttpRequest, service: str) -> HttpResponse:
    """A new token of a service; the answer shows its secret this once."""
    found = _administered(request, service)
    form = TokenForm(request.POST or None)

    def make() -> Secret:
        token, secret = create_service_token(
            actor=actor_in(request), user=user_of(request), service=found, **form.cleaned_data
        )
        note = f"It works until {token.expires_at:%Y-%m-%d}: {token.scopes_label}."
        return Secret(secret, f"Token {token.name}", note)

    return ServiceForms(request, found).new_secret(
        form,
        make,
        title="New token of the service",
        submit="Create token",
        lead="The service sends it to read its releases, to acknowledge them and to report cases. Two may be valid at "
        "once, so that it can change from one to the other.",
    )


@require_http_methods(["GET", "POST"])
def revoke_token(request: HttpRequest, service: str, number: int) -> HttpResponse:
    """End a token of a service."""
    found = _administered(request, service)
    token = get_service_token(found, number)
    return ServiceForms(request, found).ask(
        lambda: revoke_service_token(actor=actor_in(request), token=token),
        done=f"The token {token.name} is revoked.",
        title=f"Revoke the token {token.name}",
        submit="Revoke",
        lead=f"Whatever of {service} sends this token is refused from then on.",
    )


@require_http_methods(["GET", "POST"])
def add_webhook(request: HttpRequest, service: str) -> HttpResponse:
    """A new webhook of a service; the answer shows its secret this once."""
    found = _administered(request, service)
    form = ServiceWebhookForm(request.POST or None)

    def make() -> Secret:
        given = form.cleaned_data
        webhook, secret = create_webhook(
            actor=actor_in(request),
            url=given["url"],
            owner=owner_of(found.pk),
            description=given["description"],
            kinds=given["kinds"] or None,
        )
        note = (
            "The receiver verifies with this secret that a message comes from MOP; the guide “Notifications” shows how."
        )
        return Secret(secret, f"Webhook {webhook.url}", note)

    return ServiceForms(request, found).new_secret(
        form,
        make,
        title="New webhook of the service",
        submit="Add webhook",
        lead="It receives the events of the service's releases. Messages are signed, and sent again until they arrive.",
    )


@require_http_methods(["GET", "POST"])
def remove_webhook(request: HttpRequest, service: str, number: int) -> HttpResponse:
    """End a webhook of a service."""
    found = _administered(request, service)
    webhook = get_service_webhook(found, number)
    return ServiceForms(request, found).ask(
        lambda: delete_webhook(actor=actor_in(request), webhook=webhook),
        done=f"The webhook {webhook.url} is removed.",
        title="Remove the webhook",
        submit="Remove webhook",
        lead=f"Nothing more is sent to {webhook.url}, also not what waits, and its log goes.",
    )


def _administered(request: HttpRequest, name: str) -> Service:
    user = user_of(request)  # first: a stranger is not told whether the service exists
    found = get_service(name)
    authorise(user, "releases.manage_tokens", found, what="manage tokens and webhooks of this service")
    return found
