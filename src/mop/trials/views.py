"""Try it: a form for one input, and a page of its own for the answer."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.errors import ConflictError
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.registry.statuses import RevisionStatus
from mop.registry.trails import below_revision
from mop.trials.forms import TryForm
from mop.trials.models import Trial
from mop.trials.selectors import get_trial, modalities_of, read_answer
from mop.trials.services import end_trial, start_trial
from mop.trials.states import TrialState
from mop.ui.forms import as_json
from mop.ui.fragments import Action, Live, live_answer
from mop.ui.pages import show_form
from mop.ui.uploads import takes_files

COOKIE_SECONDS = 15 * 60


@takes_files
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def try_it(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The form. What is sent is not kept, so a reload asks for it again; the key of the answer is a cookie."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "trials.start", revision, what="try this version")
    if revision.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{revision} is {revision.status}; only a verified version can be tried.",
            hint="Choose a verified version of the model.",
        )
    is_sent = request.method == "POST"
    form = TryForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        modalities=modalities_of(revision.model),
    )
    if is_sent and form.is_valid():
        started = start_trial(actor=actor_in(request), user=user, revision=revision, item=form.item)
        response = redirect("trials:trial", name=name, version=version, try_id=started.trial.pk)
        response.set_cookie(
            _cookie(started.trial.pk),
            started.key,
            max_age=COOKIE_SECONDS,
            httponly=True,
            secure=request.is_secure(),
            samesite="Strict",
        )
        return response
    context = {"revision": revision, "model": revision.model, "trail": below_revision(revision, "Try it")}
    return show_form(request, "trials/try_it.html", form, context)


@require_GET
def trial(request: HttpRequest, name: str, version: str, try_id: uuid.UUID) -> HttpResponse:
    """A try and its answer."""
    revision = get_revision(user_of(request), name, version)
    context = _context(request, revision, try_id)
    return render(request, "trials/trial.html", {**context, "trail": below_revision(revision, "Try it")})


@require_GET
def live_trial(request: HttpRequest, name: str, version: str, try_id: uuid.UUID) -> HttpResponse:
    """The try again, until it ended."""
    context = _context(request, get_revision(user_of(request), name, version), try_id)
    return live_answer(request, context["live"], context)


@require_POST
def cancel(request: HttpRequest, name: str, version: str, try_id: uuid.UUID) -> HttpResponse:
    """End a try."""
    user = user_of(request)
    end_trial(actor=actor_in(request), trial=get_trial(user, get_revision(user, name, version), try_id))
    return redirect("trials:trial", name=name, version=version, try_id=try_id)


def _context(request: HttpRequest, revision: Revision, try_id: uuid.UUID) -> dict[str, Any]:
    found = get_trial(user_of(request), revision, try_id)
    answer = read_answer(found, request.COOKIES.get(_cookie(try_id), ""))
    return {
        "revision": revision,
        "model": revision.model,
        "trial": found,
        "answer": _shown(answer) if answer else None,
        "is_unreadable": found.get_state() == TrialState.ANSWERED and answer is None,
        "live": _live(found, revision),
    }


def _live(found: Trial, revision: Revision) -> Live:
    where = [revision.model.name, revision.version, found.pk]
    state = found.get_state()
    actions = []
    if state.is_live:
        actions.append(Action("cancel-try", "Cancel", reverse("trials:cancel", args=where), "danger", is_post=True))
    else:
        again = reverse("trials:try_it", args=where[:2])
        actions.append(Action("try-again", "Try another input", again, "primary"))
    return Live(
        id="trial-live",
        url=reverse("trials:live_trial", args=where),
        seconds=1,
        is_final=state.is_final,
        state=[found.state, found.note, found.error],
        status=state,
        progress="trials/components/progress.html" if state.is_live else "",
        actions=actions,
        result="trials/components/answer.html",
        announce=f"The try is {state.value}",
        moving="The try goes on",
    )


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer for the page: both formats as people read JSON."""
    formats = [
        {
            "title": title,
            "id": key,
            "input": as_json(answer[key]["input"]) if answer[key]["input"] is not None else "",
            "output": as_json(answer[key]["output"]) if answer[key]["output"] is not None else "",
            "seconds": answer[key]["seconds"],
            "error": answer[key]["error"],
            "not_json": answer[key].get("not_json", ""),
        }
        for key, title in (("mop", "MOP format"), ("model", "Model format"))
    ]
    return {"labels": answer["labels"], "faults": answer["faults"], "formats": formats}


def _cookie(try_id: uuid.UUID) -> str:
    return f"mop_try_{try_id.hex}"
