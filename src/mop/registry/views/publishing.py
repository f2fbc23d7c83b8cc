"""Publishing a version, taking that back, and setting it aside."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.registry.models import Revision
from mop.registry.publishing import publish_revision, set_outdated, unpublish_revision
from mop.registry.selectors import get_revision
from mop.registry.trails import below_model
from mop.ui.pages import Done, confirm_page


@require_POST
def publish(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Let everybody see a version; the switch has said what they will see."""
    publish_revision(actor=actor_in(request), revision=_own(request, name, version))
    messages.success(request, f"{version} is public: everybody who is signed in sees it.")
    return redirect("registry:model", name=name)


@require_POST
def unpublish(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Let owners and administrators alone see a version."""
    unpublish_revision(actor=actor_in(request), revision=_own(request, name, version))
    messages.success(request, f"{version} is private: only owners and administrators see it.")
    return redirect("registry:model", name=name)


@require_http_methods(["GET", "POST"])
def outdated(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask, then set a version aside."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.change_revision", revision, what="set this version aside")
    here = reverse("registry:model", args=[name])

    def act() -> Done:
        set_outdated(actor=actor_in(request), revision=revision)
        return Done(f"{version} is outdated.", here)

    return confirm_page(
        request,
        act,
        title=f"Mark {version} of {name} as outdated?",
        trail=below_model(name, (f"Mark {version} as outdated", "")),
        lead="This cannot be undone. The version and its results stay, for everybody who sees them now. It leaves the "
        "default list, is offered for nothing new, and cannot become public again.",
        submit="Mark as outdated",
        cancel_url=here,
    )


def _own(request: HttpRequest, name: str, version: str) -> Revision:
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.publish_revision", revision, what="decide who sees this version")
    return revision
