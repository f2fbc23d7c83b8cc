"""Deleting versions and models: ask first, and name what goes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.registry.models import Revision
from mop.registry.selectors import get_model, get_revision
from mop.registry.services import delete_model, delete_revision
from mop.registry.trails import below_model
from mop.registry.views.returning import list_url
from mop.ui.pages import Done, confirm_page

LEAD = "This cannot be undone. It stops what runs, and deletes:"


@require_http_methods(["GET", "POST"])
def revision(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask, then delete a version; the only one goes with its model, which the page then offers."""
    user = user_of(request)
    found = get_revision(user, name, version)
    authorise(user, "registry.delete_revision", found, what="delete this version")
    here = reverse("registry:model", args=[name])
    trail = below_model(name, (f"Delete {version}", ""))
    if request.method == "GET" and not found.model.revisions.exclude(pk=found.pk).exists():
        context = {"model": found.model, "revision": found, "trail": trail, "cancel_url": here}
        return render(request, "registry/only_version.html", context)

    def act() -> Done:
        delete_revision(actor=actor_in(request), revision=found)
        return Done(f"{version} of {name} is deleted.", here)

    return confirm_page(
        request,
        act,
        title=f"Delete {version} of {name}?",
        trail=trail,
        lead=LEAD,
        goes=[described(found), "its build and deployment logs", "all its testing results"],
        submit="Delete version",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def model(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then delete a model."""
    user = user_of(request)
    found = get_model(user, name)
    authorise(user, "registry.delete_model", found, what="delete this model")

    def act() -> Done:
        delete_model(actor=actor_in(request), model=found)
        return Done(f"{name} is deleted.", list_url(request.GET.get("back", "")))

    versions = [described(row) for row in found.revisions.order_by("-created_at", "-id")]
    return confirm_page(
        request,
        act,
        title=f"Delete {name}?",
        trail=below_model(name, ("Delete model", "")),
        lead=LEAD,
        goes=[f"the model {name}", *versions, "their build and deployment logs", "all their testing results"],
        submit="Delete model",
        cancel_url=reverse("registry:model", args=[name]),
    )


def described(row: Revision) -> str:
    """A version as a page that asks names it."""
    return f"version {row.version} ({row.status})"
