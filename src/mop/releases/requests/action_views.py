"""Forms of what people do with releases."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.errors import ConflictError, ValidationFailedError
from mop.registry.selectors import get_revision
from mop.releases.presentation import counts, groups
from mop.releases.release_models import LiveSlot, Release
from mop.releases.release_states import ReleaseState, WentLive
from mop.releases.requests.deciding import (
    approve_release,
    current_evidence,
    reject_release,
    request_release,
    withdraw_release,
)
from mop.releases.requests.forms import ApprovalForm, CanaryForm, CommentForm, OfferForm, ReasonForm
from mop.releases.requests.offers import offer_of
from mop.releases.requests.presentation import changes_of
from mop.releases.requests.selectors import get_release, waiting_behind
from mop.releases.requests.switching import end_canary, mark_released, retire_release, roll_back, start_canary
from mop.releases.requests.views import show_release
from mop.releases.selectors import get_service, services
from mop.ui.forms import take_errors
from mop.ui.pages import Done, Trail, form_page


@require_http_methods(["GET", "POST"])
def offer(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Request a release: choose a service, see what it would find, and send it."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "releases.request", revision, what="request a release of this version")
    here = reverse("registry:revision", args=[name, version])
    chosen = request.GET.get("service", "")
    context = {
        "revision": revision,
        "model": revision.model,
        "services": list(services()),
        "cancel_url": here,
        "trail": [
            ("Models", reverse("registry:models")),
            (name, reverse("registry:model", args=[name])),
            (version, here),
            ("Request a release", ""),
        ],
        "details_url": here,
    }
    if not chosen:
        return render(request, "releases/offer.html", context, status=422 if request.method == "POST" else 200)
    service = get_service(chosen)
    try:
        found = offer_of(revision, service, None)
    except ValidationFailedError as error:
        return render(request, "releases/offer.html", context | {"service": service, "unfit": error.message})
    form = OfferForm(request.POST or None, connections=found.connections)
    if request.method == "POST" and form.is_valid():
        try:
            made = request_release(
                actor=actor_in(request),
                user=user,
                revision=revision,
                service=service,
                taxonomies=form.cleaned_data["taxonomies"],
                comment=form.cleaned_data["comment"],
            )
        except ValidationFailedError as error:
            take_errors(form, error)
        except ConflictError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
        else:
            messages.success(request, f"Release {made.pk} is requested. Admins of {service.name} are notified.")
            return HttpResponseRedirect(reverse("releases:release", args=[made.pk]))
    gates = found.evidence.gates
    context |= {
        "service": service,
        "form": form,
        "obstacle": found.obstacle,
        "preconditions": found.evidence.preconditions,
        "failing": found.evidence.failing_text(),
        "counts": counts(gates),
        "groups": groups(gates),
        "difference": changes_of(found.evidence.document["difference"]),
        "replaces": found.evidence.document["replaces"],
    }
    return render(request, "releases/offer.html", context, status=422 if form.errors else 200)


@require_POST
def approve(request: HttpRequest, number: int) -> HttpResponse:
    """Approve what the page of the release showed."""
    user = user_of(request)
    release = _decided(request, number)
    failing = bool(current_evidence(release).failing) if release.revision else False
    sent = request.POST.copy()
    form = ApprovalForm(sent, is_failing=failing)
    # of what somebody else decided meanwhile the service tells that, whatever the form lacks
    if form.is_valid() or release.state != ReleaseState.REQUESTED:
        given = form.cleaned_data
        try:
            approve_release(
                actor=actor_in(request),
                user=user,
                release=release,
                comment=given.get("comment", ""),
                evidence=given.get("evidence"),
                canary_share=given.get("canary_share"),
            )
        except ValidationFailedError as error:
            take_errors(form, error)
        except ConflictError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
        else:
            messages.success(request, f"Release {number} is approved. {release.service.name} may take it.")
            return HttpResponseRedirect(reverse("releases:release", args=[number]))
    shown = get_release(user, number)
    if shown.revision is not None:  # what was read is old by now: the next try is about what this page shows
        sent["evidence"] = current_evidence(shown).digest
    return show_release(request, shown, form)


@require_http_methods(["GET", "POST"])
def reject(request: HttpRequest, number: int) -> HttpResponse:
    """Reject a release, with the reason."""
    release = _decided(request, number)

    def act(comment: str) -> str:
        reject_release(actor=actor_in(request), user=user_of(request), release=release, comment=comment)
        return f"Release {number} is rejected."

    return _with_reason(request, release, act, title=f"Reject release {number}", submit="Reject")


@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take a release back."""
    user = user_of(request)
    release = get_release(user, number)
    authorise(user, "releases.withdraw", release, what="withdraw this release")
    here = reverse("releases:release", args=[number])
    form = CommentForm(request.POST or None)

    def act() -> Done:
        withdraw_release(actor=actor_in(request), release=release, comment=form.cleaned_data["comment"])
        return Done(f"Release {number} is withdrawn.", here)

    title = f"Withdraw release {number}"
    lead = f"{release.service.name} can no longer take it. A new request is needed to offer the version again."
    return form_page(
        request, form, act, title=title, trail=_trail(release, title), submit="Withdraw", cancel_url=here, lead=lead
    )


@require_http_methods(["GET", "POST"])
def released(request: HttpRequest, number: int) -> HttpResponse:
    """Say that a release is live."""
    user = user_of(request)
    release = _decided(request, number)
    here = reverse("releases:release", args=[number])
    form = CommentForm(request.POST or None)

    def act() -> Done:
        mark_released(
            actor=actor_in(request),
            user=user,
            release=release,
            how=WentLive.ADMIN,
            comment=form.cleaned_data["comment"],
        )
        return Done(f"Release {number} is live in {release.service.name}.", here)

    title = f"Make release {number} live"
    return form_page(
        request,
        form,
        act,
        title=title,
        trail=_trail(release, title),
        submit="Make it live",
        cancel_url=here,
        lead=f"For {_slots(release)} it replaces what is live in {release.service.name} now.",
    )


@require_http_methods(["GET", "POST"])
def retire(request: HttpRequest, number: int) -> HttpResponse:
    """Take a live release out of its service."""
    release = _decided(request, number)

    def act(comment: str) -> str:
        retire_release(actor=actor_in(request), user=user_of(request), release=release, comment=comment)
        return f"Release {number} is retired."

    names = ", ".join(str(slot) for slot in LiveSlot.objects.filter(live=release).select_related("taxonomy"))
    lead = f"Nothing is live in {release.service.name} for {names or 'it'} afterwards"
    if waiting := ", ".join(f"{one.pk}" for one in waiting_behind(release)):
        lead += f" until the service takes what is approved and waits (release {waiting}): withdraw that first if "
        lead += "nothing is to follow"
    lead += ". To return to the version before, roll back instead."
    return _with_reason(request, release, act, title=f"Retire release {number}", submit="Retire", lead=lead)


@require_http_methods(["GET", "POST"])
def rollback(request: HttpRequest, number: int) -> HttpResponse:
    """Return to what was live before."""
    release = _decided(request, number)

    def act(comment: str) -> str:
        made = roll_back(actor=actor_in(request), user=user_of(request), release=release, comment=comment)
        names = " and ".join(f"{one.model_name} {one.version}" for one in made)
        return f"{release.service.name} is back at {names}."

    lead = f"{release.service.name} returns to the version that was live before, in one step. A new release record "
    lead += "says so."
    return _with_reason(request, release, act, title=f"Roll back release {number}", submit="Roll back", lead=lead)


@require_http_methods(["GET", "POST"])
def canary(request: HttpRequest, number: int) -> HttpResponse:
    """Let a release answer a share of the requests."""
    user = user_of(request)
    release = _decided(request, number)
    here = reverse("releases:release", args=[number])
    slot = LiveSlot.objects.filter(canary=release).first()
    form = CanaryForm(request.POST or None, initial={"share": slot.canary_share if slot else None})

    def act() -> Done:
        share = form.cleaned_data["share"]
        start_canary(actor=actor_in(request), user=user, release=release, share=share)
        return Done(f"Release {number} answers {share} % of the requests.", here)

    title = f"Canary of release {number}"
    return form_page(
        request,
        form,
        act,
        title=title,
        trail=_trail(release, title),
        submit="Change the share" if slot else "Start the canary",
        cancel_url=here,
        lead="What is live answers the other requests.",
    )


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, number: int) -> HttpResponse:
    """Let what is live answer every request again."""
    release = _decided(request, number)

    def act(comment: str) -> str:
        end_canary(actor=actor_in(request), user=user_of(request), release=release, reason=comment)
        return f"Release {number} is no longer a canary."

    lead = "What is live answers every request again. The release stays approved, and an admin decides what follows."
    title = f"End the canary of release {number}"
    return _with_reason(request, release, act, title=title, submit="End the canary", lead=lead)


def _with_reason(
    request: HttpRequest, release: Release, act: Callable[[str], str], *, title: str, submit: str, lead: str = ""
) -> HttpResponse:
    """A form that asks for the reason, does something with it, and leads back to the release."""
    here = reverse("releases:release", args=[release.pk])
    form = ReasonForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: Done(act(form.cleaned_data["comment"]), here),
        title=title,
        trail=_trail(release, title),
        submit=submit,
        cancel_url=here,
        lead=lead,
    )


def _decided(request: HttpRequest, number: int) -> Release:
    """A release to the service of which the person must be an admin."""
    user = user_of(request)
    release = get_release(user, number)
    authorise(user, "releases.decide", release, what="decide about releases to this service")
    return release


def _trail(release: Release, title: str) -> Trail:
    return [
        ("Releases", reverse("releases:releases")),
        (release.service.name, reverse("releases:service", args=[release.service.name])),
        (f"Release {release.pk}", reverse("releases:release", args=[release.pk])),
        (title, ""),
    ]


def _slots(release: Release) -> str:
    return "; ".join(str(one) for one in release.tasks.all())
