"""Pages of passwords, access tokens and teams."""

from __future__ import annotations

from typing import cast

from allauth.account.views import PasswordChangeView
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.forms import LimitForm, RotateTokenForm, TeamForm, TokenForm, UsernameForm
from mop.accounts.models import Team
from mop.accounts.quotas import get_quota, set_limit, standings_of
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_team_by_id, get_token, get_user, search_people, sessions_of, tokens_of
from mop.accounts.services import add_member, create_team, remove_member
from mop.accounts.teams import bonds_of, change_team, delete_team, in_the_way
from mop.accounts.token_services import create_token, revoke_token, rotate_token
from mop.areas.registry import registered
from mop.errors import NotFoundError, ValidationFailedError
from mop.ui.extensions import ACCOUNT_SECTIONS
from mop.ui.forms import take_errors
from mop.ui.pages import Done, confirm_page, form_page, sent, show_form

_change_password = PasswordChangeView.as_view()


@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """The page of a new password, for accounts that have one here."""
    authorise(user_of(request), "accounts.change_password", what="change a password: this account has none here")
    return cast("HttpResponse", _change_password(request))


@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The user's tokens, and a form for a new one.

    The answer to the form shows the secret itself instead of leading elsewhere: it is then kept nowhere, not even
    in the session.
    """
    user = user_of(request)
    authorise(user, "accounts.create_token", what="create an access token")
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            _, secret = create_token(actor=actor_in(request), user=user, **form.cleaned_data)
        except ValidationFailedError as error:
            take_errors(form, error)
        else:
            form = TokenForm()
    context = {"tokens": tokens_of(user).select_related("made_by"), "secret": secret, "now": timezone.now()}
    return show_form(request, "accounts/tokens.html", form, context)


@require_http_methods(["GET", "POST"])
def rotate(request: HttpRequest, token_id: int) -> HttpResponse:
    """Replace a token's secret; the answer to the form shows the new one."""
    user = user_of(request)
    token = get_token(user, token_id)
    authorise(user, "accounts.revoke_token", token, what="replace this token")
    form = RotateTokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            _, secret = rotate_token(actor=actor_in(request), token=token, **form.cleaned_data)
        except ValidationFailedError as error:
            take_errors(form, error)
    trail = [("Access tokens", reverse("accounts:tokens")), ("Replace", "")]
    return show_form(request, "accounts/rotate_token.html", form, {"token": token, "secret": secret, "trail": trail})


@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Ask, then end a token."""
    user = user_of(request)
    token = get_token(user, token_id)
    authorise(user, "accounts.revoke_token", token, what="revoke this token")
    here = reverse("accounts:tokens")

    def act() -> Done:
        revoke_token(actor=actor_in(request), token=token)
        return Done(f"The token {token.name} is revoked.", here)

    return confirm_page(
        request,
        act,
        title=f"Revoke the token {token.name}?",
        trail=[("Access tokens", here), ("Revoke", "")],
        lead="Whatever uses it, or a token that was made with it, is refused from now on. This cannot be undone.",
        submit="Revoke token",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def teams(request: HttpRequest) -> HttpResponse:
    """All teams, and a form for a new one."""
    user = user_of(request)
    authorise(user, "accounts.define", what="define teams")
    form = TeamForm(request.POST or None)

    def act() -> Done:
        team = create_team(actor=actor_in(request), **form.cleaned_data)
        return Done(f"The team {team.name} is created.", reverse("accounts:team", args=[team.pk]))

    rows = Team.objects.annotate(member_count=Count("members")).order_by("is_personal", "name")
    return sent(request, form, act) or show_form(request, "accounts/teams.html", form, {"teams": rows})


@require_GET
def team(request: HttpRequest, team_id: int) -> HttpResponse:
    authorise(user_of(request), "accounts.define", what="define teams")
    return _show_team(request, get_team_by_id(team_id), UsernameForm())


@require_http_methods(["GET", "POST"])
def change_one_team(request: HttpRequest, team_id: int) -> HttpResponse:
    """Give a team another name or description."""
    authorise(user_of(request), "accounts.define", what="define teams")
    found = get_team_by_id(team_id)
    here, former = reverse("accounts:team", args=[found.pk]), found.name
    form = TeamForm(request.POST or None, initial={"name": found.name, "description": found.description})

    def act() -> Done:
        change_team(actor=actor_in(request), team=found, **form.cleaned_data)
        return Done(f"The team {found.name} is changed.", here)

    return form_page(
        request,
        form,
        act,
        title=f"Change {former}",
        trail=[("Teams", reverse("accounts:teams")), (former, here), ("Change", "")],
        lead="Scripts and settings that name the team need the new name.",
        submit="Save",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def delete_one_team(request: HttpRequest, team_id: int) -> HttpResponse:
    """Ask, then delete a team that has nothing; else say what stands in the way."""
    authorise(user_of(request), "accounts.define", what="define teams")
    found = get_team_by_id(team_id)
    teams_page, here = reverse("accounts:teams"), reverse("accounts:team", args=[found.pk])

    def act() -> Done:
        delete_team(actor=actor_in(request), team=found)
        return Done(f"The team {found.name} is deleted.", teams_page)

    return confirm_page(
        request,
        act,
        title=f"Delete the team {found.name}?",
        trail=[("Teams", teams_page), (found.name, here), ("Delete", "")],
        lead="Members whose only team it is get a personal one. This cannot be undone.",
        submit="Delete team",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def limit_of_team(request: HttpRequest, team_id: int, quota: str) -> HttpResponse:
    """Give a team a limit of its own, or that of the installation again."""
    authorise(user_of(request), "accounts.define", what="define teams")
    found, chosen = get_team_by_id(team_id), get_quota(quota)
    here = reverse("accounts:team", args=[found.pk])
    standing = next(one for one in standings_of(found) if one.quota == chosen)
    initial = {"limit": standing.limit if standing.is_own else None}
    form = LimitForm(request.POST or None, unit=chosen.unit, initial=initial)

    def act() -> Done:
        set_limit(actor=actor_in(request), team=found, quota=chosen, limit=form.cleaned_data["limit"])
        return Done(f"The limit of {found.name} is changed.", here)

    return form_page(
        request,
        form,
        act,
        title=f"{chosen.label}: {found.name}",
        trail=[("Teams", reverse("accounts:teams")), (found.name, here), ("Limit", "")],
        lead=f"Used now: {standing.shown_used}. Limit of the installation: "
        + (f"{chosen.shown(chosen.setting.value)}." if chosen.setting.value else "none."),
        submit="Save",
        cancel_url=here,
    )


@require_POST
def add_team_member(request: HttpRequest, team_id: int) -> HttpResponse:
    """Put a user into a team."""
    authorise(user_of(request), "accounts.define", what="define teams")
    found = get_team_by_id(team_id)
    form = UsernameForm(request.POST)
    if not form.is_valid():
        return _show_team(request, found, form)
    add_member(actor=actor_in(request), team=found, user=form.user)
    messages.success(request, f"{form.user.username} is in {found.name}.")
    return redirect("accounts:team", team_id=found.pk)


@require_POST
def remove_team_member(request: HttpRequest, team_id: int) -> HttpResponse:
    """Take a user out of a team."""
    authorise(user_of(request), "accounts.define", what="define teams")
    found = get_team_by_id(team_id)
    member = get_user(request.POST.get("username", ""))
    if not found.members.filter(pk=member.pk).exists():
        raise NotFoundError(f"{member.username} is not in {found.name}.")
    remove_member(actor=actor_in(request), team=found, user=member)
    messages.success(request, f"{member.username} is no longer in {found.name}.")
    return redirect("accounts:team", team_id=found.pk)


def _show_team(request: HttpRequest, found: Team, form: UsernameForm) -> HttpResponse:
    trail = [("Teams", reverse("accounts:teams")), (found.name, "")]
    context = {
        "team": found,
        "trail": trail,
        "members": found.members.order_by("username"),
        "standings": standings_of(found),
        "in_the_way": in_the_way(found),
        "bonds": bonds_of(found),
    }
    return show_form(request, "accounts/team.html", form, context)


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """What is one's own: models, groups, tasks, datasets, requests, tokens, sessions."""
    user = user_of(request)
    now = timezone.now()
    context = {
        "person": user,
        "teams": list(user.teams.order_by("is_personal", "name")),
        "belongings": [one for area in registered() for made in area.belongings for one in [made.load()(user)]],
        "tokens": list(tokens_of(user).filter(revoked_at=None, expires_at__gt=now)),
        "sessions": list(sessions_of(user)),
        "current": request.session.session_key,
        "sections": ACCOUNT_SECTIONS.shown(request, user),
    }
    return render(request, "accounts/account.html", context)


@require_GET
def quotas_of_teams(request: HttpRequest) -> HttpResponse:
    """What one's teams use of their quotas."""
    teams = user_of(request).teams.order_by("is_personal", "name")
    trail = [("My account", reverse("accounts:account")), ("Quotas of my teams", "")]
    return render(
        request, "accounts/quotas.html", {"teams": [(team, standings_of(team)) for team in teams], "trail": trail}
    )


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Suggestions for a user name: options of people whose name holds what somebody typed."""
    user_of(request)
    found = search_people(request.GET.get("username", ""))
    options = format_html_join(
        "", '<option value="{}">{}</option>', ((one.username, one.get_full_name()) for one in found)
    )
    return HttpResponse(options)
