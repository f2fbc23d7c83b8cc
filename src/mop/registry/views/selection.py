"""What is done with models that were selected in the list: put into groups, taken out of them, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.models import User
from mop.accounts.rules import authorise, may
from mop.errors import MopError, NotFoundError
from mop.registry.group_models import ModelGroup
from mop.registry.groups import add_to_group, get_group, remove_from_group
from mop.registry.models import Model
from mop.registry.selectors import visible_models
from mop.registry.services import delete_model, held_reasons
from mop.registry.trails import below_models
from mop.registry.views.deletion import LEAD, described
from mop.registry.views.returning import list_url

SELECTED_MAX = 200


@require_POST
def selection(request: HttpRequest) -> HttpResponse:
    """Do what the selection bar asks: `action` is `add:GROUP`, `new`, `remove:GROUP` or `delete`."""
    user = user_of(request)
    chosen = chosen_models(user, request.POST.getlist("model"))
    what, _, group_id = request.POST.get("action", "").partition(":")
    here = list_url(request.POST.get("back", ""))
    if not chosen:
        messages.warning(request, "No model is selected. Check the boxes before their names first.")
        return HttpResponseRedirect(here)
    keys = [("model", str(model.pk)) for model in chosen]
    back = [("back", request.POST.get("back", ""))]
    if what == "delete":
        return HttpResponseRedirect(f"{reverse('registry:delete_models')}?{urlencode(keys + back)}")
    if what == "new":
        return HttpResponseRedirect(f"{reverse('registry:add_group')}?{urlencode(keys)}")
    group = _own_group(user, group_id)
    if what == "add":
        count = add_to_group(group=group, models=chosen)
        messages.success(request, _told(count, len(chosen), "added to", group))
    elif what == "remove":
        count = remove_from_group(group=group, models=chosen)
        messages.success(request, _told(count, len(chosen), "removed from", group))
    else:
        raise NotFoundError("The list has no such action.")
    return HttpResponseRedirect(here)


@dataclass(frozen=True)
class Doomed:
    """A selected model: what goes with it, or why it stays."""

    model: Model
    versions: list[str]
    stays: str


@require_http_methods(["GET", "POST"])
def delete_models(request: HttpRequest) -> HttpResponse:
    """Ask, then delete the selected models that may be deleted; the others are named with the reason."""
    user = user_of(request)
    here = list_url(request.GET.get("back", ""))
    doomed = [_doomed(user, model) for model in chosen_models(user, request.GET.getlist("model"))]
    going = [item for item in doomed if not item.stays]
    if request.method == "POST":
        gone, problems = 0, []
        for item in going:
            try:
                delete_model(actor=actor_in(request), model=item.model)
                gone += 1
            except MopError as error:  # something came to hold it since; the others go nevertheless
                problems.append(f"{item.model.name} stays: {error.message}")
        if gone:
            messages.success(request, f"{gone} model{'s are' if gone > 1 else ' is'} deleted.")
        for problem in problems:
            messages.warning(request, problem)
        return HttpResponseRedirect(here)
    count = len(going)
    title = (
        f"Delete {count} models?" if count > 1 else f"Delete {going[0].model.name}?" if going else "Nothing to delete"
    )
    context = {
        "title": title,
        "trail": below_models((title, "")),
        "lead": LEAD,
        "going": going,
        "staying": [item for item in doomed if item.stays],
        "submit": f"Delete {count} models" if count > 1 else "Delete model",
        "cancel_url": here,
    }
    return render(request, "registry/delete_models.html", context)


def chosen_models(user: User, keys: list[str]) -> list[Model]:
    """Those of the models that the user sees; what is gone since, or no key, is left out."""
    numbers = [int(key) for key in keys[:SELECTED_MAX] if key.isascii() and key.isdigit() and len(key) < 19]  # noqa: PLR2004 - digits of a key
    return list(visible_models(user).filter(pk__in=numbers).prefetch_related("owners", "revisions").order_by("name"))


def _own_group(user: User, key: str) -> ModelGroup:
    if not (key.isascii() and key.isdigit()):
        raise NotFoundError("There is no such group that you may see.")
    group = get_group(user, int(key))
    authorise(user, "registry.change_group", group, what="change this group")
    return group


def _doomed(user: User, model: Model) -> Doomed:
    revisions = list(model.revisions.all())
    stays = "" if may(user, "registry.delete_model", model) else "you do not own it"
    stays = stays or " ".join(held_reasons(revisions))
    return Doomed(model, [described(row) for row in revisions], stays)


def _told(count: int, selected: int, done: str, group: ModelGroup) -> str:
    what = f"{count} model{'' if count == 1 else 's'} {done} {group.name}."
    rest = selected - count
    return what + (f" {rest} {'was' if rest == 1 else 'were'} there before." if rest and done == "added to" else "")
