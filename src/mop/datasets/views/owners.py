"""The owners of a dataset."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.forms import UsernameForm
from mop.accounts.owners import get_owner_of
from mop.accounts.rules import authorise
from mop.datasets.models import Dataset
from mop.datasets.owners import add_owner, remove_owner
from mop.datasets.selectors import get_dataset
from mop.datasets.views.detail import page_context
from mop.datasets.views.trails import below_dataset
from mop.ui.pages import Done, confirm_page, show_form


@require_POST
def owner_add(request: HttpRequest, name: str) -> HttpResponse:
    """Make somebody an owner of the dataset."""
    dataset = _dataset(request, name)
    form = UsernameForm(request.POST)
    if not form.is_valid():
        return show_form(request, "datasets/dataset.html", form, {**page_context(request, name), "owner_form": form})
    add_owner(actor=actor_in(request), dataset=dataset, user=form.user)
    messages.success(request, f"{form.user.username} is an owner of {name}.")
    return redirect("datasets:dataset", name=name)


@require_http_methods(["GET", "POST"])
def owner_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then take somebody off the dataset's owners."""
    dataset = _dataset(request, name)
    owner = get_owner_of(dataset, request.POST.get("username") or request.GET.get("username", ""))
    here = reverse("datasets:dataset", args=[name])

    def act() -> Done:
        remove_owner(actor=actor_in(request), dataset=dataset, user=owner)
        return Done(f"{owner.username} is no longer an owner of {name}.", here)

    who = "You" if owner == user_of(request) else owner.username
    return confirm_page(
        request,
        act,
        title=f"Remove {owner.username} from the owners of {name}?",
        trail=below_dataset(name, "Remove owner"),
        lead=f"{who} will see its metadata, like everybody, but no row numbers of faults, and cannot change it.",
        submit="Remove owner",
        cancel_url=here,
    )


def _dataset(request: HttpRequest, name: str) -> Dataset:
    user = user_of(request)  # first: a stranger is not told which datasets exist
    dataset = get_dataset(name)
    authorise(user, "datasets.change_owners", dataset, what="change the owners of this dataset")
    return dataset
