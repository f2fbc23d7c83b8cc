"""Deleting versions and models: ask first, and name what goes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.requests import actor_in, user_of
from mop.accounts.rules import authorise
from mop.registry.models import Revision
from mop.registry.selectors import get_model, get_revision
from mop.registry.services import delete_model, delete_revision


@require_http_methods(["GET", "POST"])
def revision(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask, then delete a version."""
    user = user_of(request)
    found = get_revision(user, name, version)
    authorise(user, "registry.delete_revision", found, what="delete this version")
    here = reverse("registry:model", args=[name])
    if request.method == "POST":
        delete_revision(actor=actor_in(request), revision=found)
        messages.success(request, f"{version} of {name} is deleted.")
        return redirect(here)
    context = {
        "title": f"Delete {version} of {name}?",
        "trail": [("Models", reverse("registry:models")), (name, here), (f"Delete {version}", "")],
        "lead": "This can not be undone. It stops what runs, and takes away:",
        "goes": [_described(found), "its build and deployment logs", "all its testing results"],
        "submit": "Delete version",
        "cancel_url": here,
    }
    return render(request, "pages/confirm.html", context)


@require_http_methods(["GET", "POST"])
def model(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then delete a model."""
    user = user_of(request)
    found = get_model(user, name)
    authorise(user, "registry.delete_model", found, what="delete this model")
    here = reverse("registry:model", args=[name])
    if request.method == "POST":
        delete_model(actor=actor_in(request), model=found)
        messages.success(request, f"{name} is deleted.")
        return redirect("registry:models")
    versions = [_described(row) for row in found.revisions.order_by("-created_at", "-id")]
    context = {
        "title": f"Delete {name}?",
        "trail": [("Models", reverse("registry:models")), (name, here), ("Delete model", "")],
        "lead": "This can not be undone. It stops what runs, and takes away:",
        "goes": [f"the model {name}", *versions, "their build and deployment logs", "all their testing results"],
        "submit": "Delete model",
        "cancel_url": here,
    }
    return render(request, "pages/confirm.html", context)


def _described(row: Revision) -> str:
    return f"version {row.version} ({row.status})"
