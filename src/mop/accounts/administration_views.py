"""Pages for administrators: people, invitations, roles, what a leaver owned."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.access_ends import end_access
from mop.accounts.belongings import belongings_of, hand_over
from mop.accounts.current_user import actor_in, user_of
from mop.accounts.forms import InviteForm, NewOwnerForm, PeopleFilterForm
from mop.accounts.links import (
    get_invitation,
    invitation_link,
    invite,
    mail_invitation,
    open_invitations,
    withdraw_invitation,
)
from mop.accounts.links import reset_link as make_reset_link
from mop.accounts.models import User
from mop.accounts.rules import authorise
from mop.accounts.second_factors import remove_second_factors
from mop.accounts.selectors import people_for_list, sessions_of
from mop.accounts.services import change_access
from mop.errors import NotFoundError
from mop.ui.counting import counted
from mop.ui.pages import Done, confirm_page, sent, show_form
from mop.ui.paging import keyset_page

PAGE_ROWS = 50


def _administrator(request: HttpRequest) -> User:
    user = user_of(request)
    authorise(user, "accounts.define", what="manage people")
    return user


def _person(user_id: int) -> User:
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotFoundError(f"There is no user {user_id}.")
    return found


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everybody with an account, and the invitations that are open."""
    _administrator(request)
    form = PeopleFilterForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = people_for_list(search=chosen.get("search", ""), which=chosen.get("which", ""))
    page = keyset_page(rows, field="username", descending=False, cursor=request.GET.get("cursor", ""), size=PAGE_ROWS)
    context = {
        "page": page,
        "form": form,
        "filtered": any(chosen.values()),
        "invitations": list(open_invitations()[:PAGE_ROWS]),
    }
    return render(request, "accounts/people.html", context)


@require_http_methods(["GET", "POST"])
def invite_person(request: HttpRequest) -> HttpResponse:
    """Make a link that lets one person in; the answer shows it this once."""
    user = _administrator(request)
    form = InviteForm(request.POST or None)
    here = reverse("accounts:users")
    if request.method == "POST" and form.is_valid():
        invitation, secret = invite(actor=actor_in(request), by=user, **form.cleaned_data)
        link = invitation_link(request, secret)
        context = {
            "title": "The invitation is made",
            "link": link,
            "mailed": mail_invitation(invitation, link),
            "lead": "Give it only to the person whom you invite: the first person who opens it gets the account.",
            "back": here,
            "trail": [("People", here), ("Invite", "")],
        }
        return render(request, "accounts/link.html", context)
    trail = [("People", here), ("Invite", "")]
    context = {"title": "Invite somebody", "submit": "Make the link", "cancel_url": here, "trail": trail}
    context["lead"] = "The link works once, for seven days. It makes an account with a password of this installation."
    return show_form(request, "pages/form.html", form, context)


@require_POST
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Withdraw an invitation."""
    _administrator(request)
    withdraw_invitation(actor=actor_in(request), invitation=get_invitation(invitation_id))
    messages.success(request, "The invitation is withdrawn.")
    return redirect("accounts:users")


@require_GET
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """One person: how they sign in, their role and teams, what they own."""
    _administrator(request)
    return _show_person(request, _person(user_id), NewOwnerForm())


def _show_person(request: HttpRequest, found: User, form: NewOwnerForm) -> HttpResponse:
    account = SocialAccount.objects.filter(user=found).first()
    context = {
        "person": found,
        "account": account,
        "provider": settings.MOP_OIDC_NAME,
        "teams": list(found.teams.order_by("is_personal", "name")),
        "factors": [str(one.get_type_display()) for one in Authenticator.objects.filter(user=found)],
        "session_count": sessions_of(found).count(),
        "token_count": found.tokens.filter(revoked_at=None, expires_at__gt=timezone.now()).count(),
        "belongings": belongings_of(found),
        "is_self": found == request.user,
        "trail": [("People", reverse("accounts:users")), (found.username, "")],
    }
    return show_form(request, "accounts/person.html", form, context)


@require_http_methods(["GET", "POST"])
def access(request: HttpRequest, user_id: int, change: str) -> HttpResponse:
    """Ask, then enable or disable an account, or change its role."""
    _administrator(request)
    found = _person(user_id)
    here = reverse("accounts:user", args=[found.pk])
    name = found.username
    words = {
        "disable": (
            "Disable account",
            f"Disable the account {name}?",
            "Sessions, access tokens and webhooks end at once. What they made stays.",
            f"The account {name} is disabled.",
        ),
        "enable": (
            "Enable account",
            f"Enable the account {name}?",
            "They can sign in again. Sessions and access tokens that ended stay ended.",
            f"The account {name} is enabled.",
        ),
        "promote": (
            "Make administrator",
            f"Make {name} an administrator?",
            "Administrators define tasks and teams, and see every model.",
            f"{name} is an administrator.",
        ),
        "demote": (
            "Remove administrator role",
            f"Remove the administrator role from {name}?",
            "Sessions and access tokens end at once. The person can sign in again as a user.",
            f"{name} is no longer an administrator.",
        ),
    }
    if change not in words:
        raise NotFoundError("There is nothing at this address.")
    verb, title, lead, done = words[change]

    def act() -> Done:
        change_access(
            actor=actor_in(request),
            user=found,
            is_active={"disable": False, "enable": True}.get(change),
            is_administrator={"promote": True, "demote": False}.get(change),
        )
        return Done(done, here)

    return confirm_page(
        request,
        act,
        title=title,
        trail=[("People", reverse("accounts:users")), (name, here), (verb, "")],
        lead=lead,
        submit=verb,
        cancel_url=here,
    )


@require_POST
def reset_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Make a link that sets a new password, for an administrator to hand over."""
    _administrator(request)
    found = _person(user_id)
    here = reverse("accounts:user", args=[found.pk])
    context = {
        "title": f"A link for {found.username}",
        "link": make_reset_link(request, actor=actor_in(request), user=found),
        "lead": "It sets a new password, once, within a day. Hand it over by a way that you trust.",
        "back": here,
        "trail": [("People", reverse("accounts:users")), (found.username, here), ("Link", "")],
    }
    return render(request, "accounts/link.html", context)


@require_http_methods(["GET", "POST"])
def end_all(request: HttpRequest, user_id: int, what: str) -> HttpResponse:
    """Ask, then end all sessions and tokens of a person, or take their second factors away."""
    _administrator(request)
    found = _person(user_id)
    here = reverse("accounts:user", args=[found.pk])
    if what not in {"access", "second-factors"}:
        raise NotFoundError("There is nothing at this address.")
    ends_access = what == "access"
    title = "End sessions and tokens" if ends_access else "Remove second factors"

    def act() -> Done:
        if ends_access:
            end_access(actor=actor_in(request), user=found, why="by an administrator")
            return Done(f"The sessions and access tokens of {found.username} are ended.", here)
        remove_second_factors(actor=actor_in(request), user=found)
        return Done(f"The second factors of {found.username} are removed.", here)

    return confirm_page(
        request,
        act,
        title=f"{title} of {found.username}?",
        trail=[("People", reverse("accounts:users")), (found.username, here), (title, "")],
        lead="The person signs in again and makes new tokens."
        if ends_access
        else "The password alone is then enough to sign in.",
        submit=title,
        cancel_url=here,
    )


@require_POST
def reassign(request: HttpRequest, user_id: int) -> HttpResponse:
    """Make somebody else the owner of all that a person owns."""
    _administrator(request)
    found = _person(user_id)
    form = NewOwnerForm(request.POST)

    def act() -> Done:
        number = hand_over(actor=actor_in(request), user=found, to=form.user)
        return Done(
            f"{form.user.username} now owns what {found.username} owned: {counted(number, 'object')}.",
            reverse("accounts:user", args=[found.pk]),
        )

    return sent(request, form, act) or _show_person(request, found, form)
