"""Pages of one's own sign-in: second factors, sessions, links of invitations and forgotten passwords."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, cast

from allauth.account.views import ReauthenticateView as ReauthenticateByPasswordView
from allauth.core.ratelimit import consume_or_429
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.generic import View as ClassView

from mop.accounts.access_ends import end_session, end_sessions
from mop.accounts.addresses import client_address
from mop.accounts.current_user import actor_in, user_of
from mop.accounts.forms import AcceptForm, NewPasswordForm, ResetRequestForm
from mop.accounts.links import (
    absolute,
    accept_invitation,
    open_invitation,
    reset_path,
    send,
    sends_mail,
    set_password,
    user_of_link,
)
from mop.accounts.models import SignIn, User
from mop.accounts.rules import authorise
from mop.accounts.selectors import sessions_of
from mop.areas.references import Ref
from mop.audit.services import Actor
from mop.errors import NotFoundError
from mop.ui.counting import counted
from mop.ui.pages import Done, sent, show_form

View = Callable[..., HttpResponseBase]


def _second_factor(name: str) -> View:
    """A page of allauth, by its name below `allauth.mfa`, imported when it is first asked for.

    Together they import libraries for passkeys that take 10 MB.
    """
    page: Ref[type[ClassView]] = Ref(f"allauth.mfa.{name}")

    @cache
    def view() -> View:
        return page.load().as_view()

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view()(request, *args, **kwargs)

    return answer


def _own(view: View) -> View:
    """A page of somebody who has a password here."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        authorise(user_of(request), "accounts.change_password", what="change a sign-in that is kept elsewhere")
        return view(request, *args, **kwargs)

    return require_http_methods(["GET", "POST"])(guarded)


reauthenticate = _own(ReauthenticateByPasswordView.as_view())
reauthenticate_by_code = _own(_second_factor("base.views:ReauthenticateView"))
reauthenticate_by_passkey = _own(_second_factor("webauthn.views:ReauthenticateWebAuthnView"))
activate_totp = _own(_second_factor("totp.views:ActivateTOTPView"))
deactivate_totp = _own(_second_factor("totp.views:DeactivateTOTPView"))
recovery_codes = _own(_second_factor("recovery_codes.views:ViewRecoveryCodesView"))
new_recovery_codes = _own(_second_factor("recovery_codes.views:GenerateRecoveryCodesView"))
add_passkey = _own(_second_factor("webauthn.views:AddWebAuthnView"))
remove_passkey = _own(_second_factor("webauthn.views:RemoveWebAuthnView"))
authenticate = require_http_methods(["GET", "POST"])(_second_factor("base.views:AuthenticateView"))
login_by_passkey = require_http_methods(["GET", "POST"])(_second_factor("webauthn.views:LoginWebAuthnView"))


@require_GET
def security(request: HttpRequest) -> HttpResponse:
    """How one signs in, and where one is signed in."""
    user = user_of(request)
    factors = list(Authenticator.objects.filter(user=user))
    context = {
        "has_password": user.has_usable_password(),
        "single_sign_on": settings.MOP_OIDC_NAME if settings.MOP_OIDC_ISSUER else "",
        "totp": next((one for one in factors if one.type == Authenticator.Type.TOTP), None),
        "codes": next((one for one in factors if one.type == Authenticator.Type.RECOVERY_CODES), None),
        "keys": [one for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "sessions": list(sessions_of(user)),
        "current": request.session.session_key,
    }
    return render(request, "accounts/security.html", context)


@require_POST
def end_one(request: HttpRequest, session_id: int) -> HttpResponse:
    """End another session of one's own."""
    user = user_of(request)
    row = SignIn.objects.filter(pk=session_id, user=user).exclude(session_key=request.session.session_key).first()
    if row is None:
        raise NotFoundError("There is no such session.")
    end_session(row)
    messages.success(request, "The session is ended.")
    return redirect("mfa_index")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out elsewhere."""
    user = user_of(request)
    ended = end_sessions(
        actor=actor_in(request), user=user, keep=request.session.session_key or "", why="signed out elsewhere"
    )
    messages.success(request, f"You are signed out elsewhere: {counted(ended, 'session')} ended.")
    return redirect("mfa_index")


@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Make the account of an invitation."""
    found = open_invitation(secret)
    form = AcceptForm(request.POST or None)

    def act() -> Done:
        user = accept_invitation(
            address=client_address(request),
            secret=secret,
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
        )
        return Done(f"The account {user.username} is made. Sign in with it.", reverse("account_login"))

    return sent(request, form, act) or show_form(request, "accounts/invitation.html", form, {"invitation": found})


@require_http_methods(["GET", "POST"])
def request_reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link by e-mail; the answer is the same whether there is such an account or not."""
    if refusal := _too_many(request, "reset_password", key=request.POST.get("username", "")):
        return refusal
    form = ResetRequestForm(request.POST or None)

    def act() -> Done:
        name = form.cleaned_data["username"]
        user = User.objects.filter(username=name, is_active=True).exclude(email="").first()
        if user is not None and user.has_usable_password():
            actor = Actor(id="system:sign-in", label="MOP sign-in", address=client_address(request))
            link = absolute(request, reset_path(actor=actor, user=user))
            text = f"Somebody, perhaps you, asked for a new password of {name} on MOP. This link sets it:\n\n{link}\n"
            send(to=user.email, subject="A new password for MOP", text=text)
        return Done("If the account has an e-mail address, a link is on its way.", reverse("account_login"))

    mails = sends_mail()
    answer = sent(request, form, act) if mails else None
    return answer or show_form(request, "accounts/reset_request.html", form, {"sends_mail": mails})


@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest, uid: str, key: str) -> HttpResponse:
    """Set a new password by a link."""
    if refusal := _too_many(request, "reset_password_from_key"):
        return refusal
    user = user_of_link(uid, key)
    form = NewPasswordForm(request.POST or None)

    def act() -> Done:
        set_password(address=client_address(request), user=user, password=form.cleaned_data["password"])
        return Done("The password is set. Sign in with it.", reverse("account_login"))

    context = {"title": f"New password for {user.username}", "submit": "Set password", "cancel_url": "/"}
    return sent(request, form, act) or show_form(request, "pages/form.html", form, context)


def _too_many(request: HttpRequest, action: str, *, key: str | None = None) -> HttpResponse | None:
    """The answer to a form that was sent too often, by the limits of ACCOUNT_RATE_LIMITS; None: it may go on."""
    return cast("HttpResponse | None", consume_or_429(request, action=action, key=key))
