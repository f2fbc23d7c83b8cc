"""Pages of sign-in: by password, by a provider."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.views import LoginView
from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from mop.accounts.access import OTHER_SITES
from mop.errors import NotFoundError, SignInRefusedError


class SignInView(LoginView):  # type: ignore[misc] # allauth is untyped
    """Sign-in by password, passkey or provider."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page offers."""
        found: dict[str, Any] = super().get_context_data(**kwargs)
        return {**found, "single_sign_on": settings.MOP_OIDC_NAME if settings.MOP_OIDC_ISSUER else ""}


@require_GET
def begin_single_sign_on(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider.

    A link, not a form: the content security policy lets forms lead to MOP alone. Another site that begins a sign-in
    here gets no further than the page of sign-in.

    Raises:
        NotFoundError: there is no provider.
        SignInRefusedError: it cannot be reached.
    """
    _require_provider()
    from requests import RequestException  # noqa: PLC0415 - see _require_provider

    if request.headers.get("Sec-Fetch-Site") in OTHER_SITES:
        return redirect("account_login")
    provider = get_adapter(request).get_provider(request, provider_id)
    try:
        return cast("HttpResponse", provider.redirect_from_request(request))
    except (RequestException, KeyError, ValueError) as error:
        raise SignInRefusedError(
            f"{settings.MOP_OIDC_NAME} cannot be reached: {type(error).__name__}.",
            hint="Try again in a minute; `mop doctor` tells the operator more.",
        ) from error


@require_http_methods(["GET", "POST"])
def end_single_sign_on(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The provider's answer.

    Raises:
        NotFoundError: there is no provider.
        SignInRefusedError: the answer is none of this browser's, or the person may not sign in.
    """
    _require_provider()
    from allauth.socialaccount.providers.openid_connect.views import callback  # noqa: PLC0415 - see _require_provider

    return cast("HttpResponse", callback(request, provider_id))


@require_GET
def cancelled(request: HttpRequest) -> HttpResponse:
    """Somebody went back at the provider."""
    messages.info(request, "The sign-in was cancelled.")
    return redirect("account_login")


def _require_provider() -> None:
    if not settings.MOP_OIDC_ISSUER:
        raise NotFoundError("This installation has no single sign-on.")
    # with a client for HTTP and readers of tokens, which no process needs where people sign in by password
    from mop.accounts.oidc_provider import register  # noqa: PLC0415 - see above

    register()
