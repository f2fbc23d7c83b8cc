"""Pages of groups of models."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.accounts.selectors import visible_teams
from mop.errors import EditConflictError
from mop.registry.forms import GroupForm, ShareForm
from mop.registry.group_models import ModelGroup
from mop.registry.groups import (
    SHOWN_COUNT_MAX,
    add_to_group,
    create_group,
    delete_group,
    get_group,
    get_share,
    list_group,
    remove_from_group,
    rename_group,
    share_group,
    unshare_group,
    visible_groups,
)
from mop.registry.selectors import get_model
from mop.registry.trails import below_models
from mop.registry.views.selection import chosen_models
from mop.ui.pages import Done, Trail, confirm_page, form_page, sent, show_form


def below_groups(*further: tuple[str, str]) -> Trail:
    """The way to a page below the groups."""
    return below_models(("Groups", reverse("registry:groups")), *further)


@require_GET
def groups(request: HttpRequest) -> HttpResponse:
    """Every group of the user's and those shared with them, those too that they removed from their list."""
    user = user_of(request)
    found = visible_groups(user, counted_to=SHOWN_COUNT_MAX).prefetch_related("shares__user", "shares__team")
    context = {
        "limit": SHOWN_COUNT_MAX,
        "own": [group for group in found if group.owner_id == user.pk],
        "shared": [group for group in found if group.owner_id != user.pk],
        "trail": below_models(("Groups", "")),
    }
    return render(request, "registry/groups.html", context)


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """A new group; with `?model=` it begins with these models."""
    user = user_of(request)
    chosen = chosen_models(user, request.GET.getlist("model"))
    form = GroupForm(request.POST or None)

    def act() -> Done:
        group = create_group(actor=actor_in(request), user=user, name=form.cleaned_data["name"])
        add_to_group(group=group, models=chosen)
        return Done(f"The group {group.name} is created.", _models_of(group))

    lead = f"It begins with {', '.join(model.name for model in chosen)}." if chosen else ""
    return form_page(
        request,
        form,
        act,
        title="New group",
        trail=below_groups(("New group", "")),
        submit="Create group",
        cancel_url=reverse("registry:models"),
        lead=lead,
    )


@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, group_id: int) -> HttpResponse:
    """Another name for a group."""
    group = _own_group(request, group_id, "rename this group")
    form = GroupForm(request.POST or None, initial={"name": group.name, "edition": group.edition})

    def act() -> Done:
        edition = form.cleaned_data["edition"]
        try:
            rename_group(actor=actor_in(request), group=group, name=form.cleaned_data["name"], edition=edition)
        except EditConflictError as error:
            raise form.conflict("name", theirs=group.name, edition=group.edition) from error
        return Done(f"The group is called {form.cleaned_data['name']}.", _models_of(group))

    return form_page(
        request,
        form,
        act,
        title=f"Rename {group.name}",
        trail=below_groups((f"Rename {group.name}", "")),
        submit="Rename group",
        cancel_url=_models_of(group),
    )


@require_http_methods(["GET", "POST"])
def share(request: HttpRequest, group_id: int) -> HttpResponse:
    """With whom a group is shared, and a form to share it with a person or a team more."""
    user = user_of(request)
    group = _own_group(request, group_id, "share this group")
    teams = visible_teams(user).filter(is_personal=False)
    form = ShareForm(request.POST or None, teams=teams)

    def act() -> Done:
        person, team = form.person, form.cleaned_data["team"]
        share_group(actor=actor_in(request), group=group, user=person, team=team)
        return Done(f"{group.name} is shared with {person or team}.", reverse("registry:share_group", args=[group.pk]))

    title = f"Share {group.name}"
    context: dict[str, Any] = {
        "group": group,
        "title": title,
        "trail": below_groups((title, "")),
        "shares": group.shares.select_related("user", "team").order_by("pk"),
        "models_url": _models_of(group),
    }
    return sent(request, form, act) or show_form(request, "registry/share_group.html", form, context)


@require_POST
def unshare(request: HttpRequest, group_id: int, share_id: int) -> HttpResponse:
    """Show the group no longer to a person or a team."""
    group = _own_group(request, group_id, "share this group")
    found = get_share(group, share_id)
    unshare_group(actor=actor_in(request), share=found)
    messages.success(request, f"{group.name} is no longer shared with {found}.")
    return redirect("registry:share_group", group_id=group.pk)


@require_POST
def show(request: HttpRequest, group_id: int) -> HttpResponse:
    """Put a group into the user's list again."""
    return _list(request, group_id, is_listed=True)


@require_POST
def hide(request: HttpRequest, group_id: int) -> HttpResponse:
    """Take a group out of the user's list."""
    return _list(request, group_id, is_listed=False)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, group_id: int) -> HttpResponse:
    """Ask, then delete a group; its models stay."""
    group = _own_group(request, group_id, "delete this group")

    def act() -> Done:
        delete_group(actor=actor_in(request), group=group)
        return Done(f"The group {group.name} is deleted. Its models stay.", reverse("registry:groups"))

    count = group.shares.count()
    people = f"{count} {'person or team' if count == 1 else 'people and teams'}"
    return confirm_page(
        request,
        act,
        title=f"Delete the group {group.name}?",
        trail=below_groups((f"Delete {group.name}", "")),
        lead="The models of the group stay."
        + (f" It also disappears for {people} with whom it is shared." if count else ""),
        submit="Delete group",
        cancel_url=_models_of(group),
    )


@require_POST
def put_model(request: HttpRequest, name: str) -> HttpResponse:
    """From a model's page: put it into a group, or take it out (`action` is `add:GROUP` or `remove:GROUP`)."""
    user = user_of(request)
    model = get_model(user, name)
    what, _, key = request.POST.get("action", "").partition(":")
    if what not in {"add", "remove"} or not (key.isascii() and key.isdigit()):
        messages.warning(request, "No group was chosen.")
        return redirect("registry:model", name=name)
    group = get_group(user, int(key))
    authorise(user, "registry.change_group", group, what="change this group")
    if what == "add":
        add_to_group(group=group, models=[model])
        messages.success(request, f"{name} is in {group.name}.")
    else:
        remove_from_group(group=group, models=[model])
        messages.success(request, f"{name} is no longer in {group.name}.")
    return redirect("registry:model", name=name)


def _own_group(request: HttpRequest, group_id: int, what: str) -> ModelGroup:
    user = user_of(request)
    group = get_group(user, group_id)
    authorise(user, "registry.change_group", group, what=what)
    return group


def _list(request: HttpRequest, group_id: int, *, is_listed: bool) -> HttpResponse:
    user = user_of(request)
    group = get_group(user, group_id)
    list_group(user=user, group=group, is_listed=is_listed)
    messages.success(
        request,
        f"{group.name} is in your list."
        if is_listed
        else f"{group.name} is removed from your list. The page Groups can show it again.",
    )
    return redirect("registry:groups")


def _models_of(group: ModelGroup) -> str:
    return f"{reverse('registry:models')}?group={group.pk}"
