"""Forms of what a service sends and is told by: its tokens and webhooks, whose secrets are shown once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.errors import ConflictError, ValidationFailedError
from mop.notifications.webhooks import create_webhook, delete_webhook
from mop.releases.models import Service
from mop.releases.requests.forms import ServiceWebhookForm, TokenForm
from mop.releases.requests.notices import get_service_webhook, owner_of
from mop.releases.requests.tokens import create_service_token, get_service_token, revoke_service_token
from mop.releases.selectors import get_service
from mop.ui.forms import take_errors
from mop.ui.pages import Done, Trail, confirm_page, form_page, secret_page


@require_http_methods(["GET", "POST"])
def add_token(request: HttpRequest, service: str) -> HttpResponse:
    """A new token of a service; the answer shows its secret this once."""
    found = _administered(request, service)
    title = "New token of the service"
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            token, secret = create_service_token(
                actor=actor_in(request),
                user=user_of(request),
                service=found,
                name=given["name"],
                scopes=given["scopes"],
                days=given["days"],
            )
        except ValidationFailedError as error:
            take_errors(form, error)
        except ConflictError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
        else:
            return _secret(
                request,
                found,
                secret,
                title=f"Token {token.name}",
                note=f"It works until {token.expires_at:%Y-%m-%d}: {', '.join(token.scopes)}.",
            )
    return form_page(
        request,
        form,
        lambda: Done("", _page(found)),
        title=title,
        trail=_trail(found, title),
        submit="Create token",
        cancel_url=_page(found),
        lead="The service sends it to read its releases, to acknowledge them and to report cases. Two may be valid at "
        "once, so that it can change from one to the other.",
    )


@require_http_methods(["GET", "POST"])
def revoke_token(request: HttpRequest, service: str, number: int) -> HttpResponse:
    """End a token of a service."""
    found = _administered(request, service)
    token = get_service_token(found, number)

    def act() -> Done:
        revoke_service_token(actor=actor_in(request), token=token)
        return Done(f"The token {token.name} is revoked.", _page(found))

    title = f"Revoke the token {token.name}"
    return confirm_page(
        request,
        act,
        title=title,
        trail=_trail(found, title),
        lead=f"Whatever of {service} sends this token is refused from then on.",
        submit="Revoke",
        cancel_url=_page(found),
    )


@require_http_methods(["GET", "POST"])
def add_webhook(request: HttpRequest, service: str) -> HttpResponse:
    """A new webhook of a service; the answer shows its secret this once."""
    found = _administered(request, service)
    title = "New webhook of the service"
    form = ServiceWebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            webhook, secret = create_webhook(
                actor=actor_in(request),
                url=given["url"],
                owner=owner_of(found.pk),
                description=given["description"],
                kinds=given["kinds"] or None,
            )
        except ValidationFailedError as error:
            take_errors(form, error)
        else:
            return _secret(
                request,
                found,
                secret,
                title=f"Webhook {webhook.url}",
                note="By this secret the receiver knows that a message is MOP's; the guide of notifications tells how.",
            )
    return form_page(
        request,
        form,
        lambda: Done("", _page(found)),
        title=title,
        trail=_trail(found, title),
        submit="Add webhook",
        cancel_url=_page(found),
        lead="It is told of the service's releases. Messages are signed, and sent again until they arrive.",
    )


@require_http_methods(["GET", "POST"])
def remove_webhook(request: HttpRequest, service: str, number: int) -> HttpResponse:
    """End a webhook of a service."""
    found = _administered(request, service)
    webhook = get_service_webhook(found, number)

    def act() -> Done:
        delete_webhook(actor=actor_in(request), webhook=webhook)
        return Done(f"The webhook {webhook.url} is removed.", _page(found))

    title = "Remove the webhook"
    return confirm_page(
        request,
        act,
        title=title,
        trail=_trail(found, title),
        lead=f"Nothing more is sent to {webhook.url}, also not what waits, and its log goes.",
        submit="Remove webhook",
        cancel_url=_page(found),
    )


def _secret(request: HttpRequest, service: Service, secret: str, *, title: str, note: str) -> HttpResponse:
    return secret_page(
        request,
        secret,
        title=title,
        trail=_trail(service, title),
        lead=f"This is the only time that the secret is shown. Give it to {service.name} now.",
        note=note,
        back_url=_page(service),
        back=f"Back to {service.name}",
    )


def _administered(request: HttpRequest, name: str) -> Service:
    user = user_of(request)  # first: a stranger is not told whether the service exists
    found = get_service(name)
    authorise(user, "releases.manage_tokens", found, what="manage tokens and webhooks of this service")
    return found


def _page(service: Service) -> str:
    return reverse("releases:service", args=[service.name])


def _trail(service: Service, title: str) -> Trail:
    return [("Releases", reverse("releases:releases")), (service.name, _page(service)), (title, "")]
