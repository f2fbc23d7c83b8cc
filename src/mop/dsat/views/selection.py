"""What is done with cases that were selected in the list: closed, assigned, deleted. Each is asked about first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.forms import UsernameForm
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.dsat import services
from mop.dsat.deletion import delete_case
from mop.dsat.models import Case
from mop.dsat.selectors import cases_of_ids
from mop.dsat.states import CASE_LIFECYCLE, CaseState
from mop.dsat.views.trails import below_cases
from mop.errors import MopError
from mop.ui.pages import INVALID

SELECTED_MAX = 200
PAGE = "dsat/selection.html"


@dataclass(frozen=True)
class Chosen:
    """A selected case: what happens to it, or why it stays as it is."""

    case: Case
    stays: str


@dataclass(frozen=True)
class Deed:
    """What can be done with many cases.

    Attributes:
        verb: what the person does.
        done: what became of the cases.
        permission: that each case asks for.
        fits: whether a state allows it.
        lead: what follows.
        is_danger: it cannot be undone.
    """

    verb: str
    done: str
    permission: str
    fits: Callable[[CaseState], bool]
    lead: str
    is_danger: bool = False


CLOSE = Deed(
    "close",
    "closed",
    "dsat.close",
    lambda state: CaseState.CLOSED in CASE_LIFECYCLE.transitions[state],
    "Closing accepts the fix. Regression tests go on with closed cases, and submitters can reopen them.",
)
ASSIGN = Deed(
    "assign",
    "assigned",
    "dsat.assign",
    lambda state: not state.is_final,
    "The assignee can then read the content, and is notified.",
)
DELETE = Deed(
    "delete",
    "deleted",
    "dsat.delete",
    lambda _state: True,
    "Content, comments and every outcome that was recorded for these cases go with them. This cannot be undone.",
    is_danger=True,
)


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """Ask, then accept the fixes of the selected cases."""
    return _asked(request, CLOSE, lambda case: services.close(actor=actor_in(request), case=case))


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Ask, then delete the selected cases."""
    return _asked(request, DELETE, lambda case: delete_case(actor=actor_in(request), case=case))


@require_http_methods(["GET", "POST"])
def assign(request: HttpRequest) -> HttpResponse:
    """Ask whom, then give the selected cases to that person."""
    form = UsernameForm(request.POST or None)
    return _asked(request, ASSIGN, lambda case: services.assign(actor=actor_in(request), case=case, to=form.user), form)


def _asked(
    request: HttpRequest, deed: Deed, act: Callable[[Case], object], form: UsernameForm | None = None
) -> HttpResponse:
    user = user_of(request)
    chosen = [_chosen(user, case, deed) for case in cases_of_ids(_numbers(request.GET.getlist("case")))]
    going = [one.case for one in chosen if not one.stays]
    if request.method == "POST" and going and (form is None or form.is_valid()):
        return _done(request, deed, act, going)
    count = f"{len(going)} case{'' if len(going) == 1 else 's'}"
    what = str(going[0]) if len(going) == 1 else count
    title = f"{deed.verb.capitalize()} {what}?" if going else f"Nothing to {deed.verb}"
    context: dict[str, Any] = {
        "title": title,
        "trail": below_cases((title, "")),
        "deed": deed,
        "going": going,
        "staying": [one for one in chosen if one.stays],
        "form": form if going else None,
        "submit": f"{deed.verb.capitalize()} {count}",
        "cancel_url": _list(request),
    }
    is_wrong = bool(going) and form is not None and bool(form.errors)
    return render(request, PAGE, context, status=INVALID if is_wrong else 200)


def _done(request: HttpRequest, deed: Deed, act: Callable[[Case], object], going: Sequence[Case]) -> HttpResponse:
    count = 0
    for case in going:
        try:
            act(case)
            count += 1
        except MopError as error:  # somebody was faster; the others go on nevertheless
            messages.warning(request, error.message)
    if count:
        messages.success(request, f"{count} case{' is' if count == 1 else 's are'} {deed.done}.")
    return HttpResponseRedirect(_list(request))


def _chosen(user: User, case: Case, deed: Deed) -> Chosen:
    if not may(user, deed.permission, case):
        return Chosen(case, f"you may not {deed.verb} it")
    return Chosen(case, "" if deed.fits(case.get_state()) else f"it is {case.state}")


def _numbers(keys: Sequence[str]) -> list[int]:
    return [int(key) for key in keys[:SELECTED_MAX] if key.isascii() and key.isdigit() and len(key) < 19]  # noqa: PLR2004 - digits of a key


def _list(request: HttpRequest) -> str:
    """The list that the person came from."""
    query = request.GET.get("back", "")
    return reverse("dsat:cases") + (f"?{query}" if query else "")
