"""The page of one case: facts, content once it is opened, comments, near duplicates."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.models import User
from mop.accounts.rules import authorise, may
from mop.dsat import services
from mop.dsat.content import images_of, media_type
from mop.dsat.documents import shown_revision
from mop.dsat.forms import CommentForm
from mop.dsat.models import Case, Kind
from mop.dsat.reading import reader
from mop.dsat.selectors import comments_of, get_case, similar_cases
from mop.dsat.states import CASE_LIFECYCLE, CaseState
from mop.dsat.views.trails import below_cases
from mop.ui.extensions import DSAT_CASE_SECTIONS
from mop.ui.fragments import Action
from mop.ui.pages import show_form

PAGE = "dsat/case.html"
C = CaseState
_MOVES_ON = frozenset({"confirm", "close", "fix", "reopen"})


@require_GET
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """One case, its content closed."""
    user = user_of(request)
    return render(request, PAGE, _context(request, user, get_case(case_id)))


@require_POST
def open_content(request: HttpRequest, case_id: int) -> HttpResponse:
    """The case with its content. That it was opened is recorded."""
    user = user_of(request)
    found = get_case(case_id)
    authorise(user, "dsat.read_content", found, what="read the content of this case")
    opened = services.open_content(actor=actor_in(request), case=found)
    images = [f"data:{media_type(image)};base64,{image}" for image in images_of(opened.item)]
    context = {"opened": True, "text": opened.item.get("text", ""), "images": images}
    return render(request, PAGE, {**_context(request, user, found), **context})


@require_POST
def comment(request: HttpRequest, case_id: int) -> HttpResponse:
    """Say something to those who read the content."""
    user = user_of(request)
    found = get_case(case_id)
    authorise(user, "dsat.comment", found, what="comment on this case")
    form = CommentForm(request.POST)
    if not form.is_valid():
        return show_form(request, PAGE, form, {**_context(request, user, found), "comment_form": form})
    services.add_comment(actor=actor_in(request), case=found, author=user, text=form.cleaned_data["text"])
    return redirect(reverse("dsat:case", args=[case_id]) + "#activity")


def _context(request: HttpRequest, user: User, found: Case) -> dict[str, Any]:
    reading = reader(user)
    reads = reading.reads(found)
    state = found.get_state()
    actions = actions_of(user, found)
    return {
        "case": found,
        "state": state,
        "kind": Kind(found.kind).label if found.kind else "",
        "trail": below_cases((found.number, "")),
        "steps": _steps(state),
        "reads": reads,
        "may_change": may(user, "dsat.change", found),
        "may_assign": may(user, "dsat.assign", found) and not state.is_final,
        "revision": shown_revision(found, user),
        "actions": [dataclasses.replace(one, look=look_of(one, actions)) for one in actions],
        "comments": comments_of(found) if reads else [],
        "comment_form": CommentForm(),
        "similar": similar_cases(found, reading) if reads else [],
        "sections": DSAT_CASE_SECTIONS.shown(request, found),
    }


def _steps(state: CaseState) -> list[tuple[str, str]]:
    """The states of the path, and whether each is done, now or ahead."""
    path = CASE_LIFECYCLE.path
    if state not in path:
        return [(C.OPEN.value, "done"), (state.value, "now")]
    here = path.index(state)
    return [
        (one.value, "done" if number < here else "now" if number == here else "ahead")
        for number, one in enumerate(path)
    ]


def look_of(action: Action, actions: list[Action]) -> str:
    """The step that moves the case on is the filled button; what hides or deletes it is never that step."""
    if action.id == "delete":
        return "danger"
    return "primary" if action is actions[0] and action.id in _MOVES_ON else ""


def actions_of(user: User, found: Case) -> list[Action]:
    """What the person may do with the case as it stands, the step that moves it on first."""
    following = CASE_LIFECYCLE.transitions[found.get_state()]
    offered = [
        ("confirm", "Confirm", "dsat.decide", C.CONFIRMED in following, True),
        ("close", "Close", "dsat.close", C.CLOSED in following, True),
        ("fix", "Mark as fixed…", "dsat.decide", C.FIXED in following, False),
        ("reopen", "Reopen", "dsat.reopen", found.get_state() in CASE_LIFECYCLE.restarts, True),
        ("reject", "Reject…", "dsat.decide", C.REJECTED in following, False),
        ("restrict", "Lift the restriction" if found.is_restricted else "Restrict", "dsat.restrict", True, True),
        ("delete", "Delete…", "dsat.delete", True, False),
    ]
    return [
        Action(name, label, reverse(f"dsat:{name}", args=[found.pk]), is_post=is_post)
        for name, label, permission, fits, is_post in offered
        if fits and may(user, permission, found)
    ]
