"""Pages that every area has: one with a form, one that asks before something goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from mop.errors import QuotaExceededError, ValidationFailedError
from mop.ui.forms import take_errors

INVALID = 422

Trail = Sequence[tuple[str, str]]
"""The way to a page: pairs of text and address, the page itself last."""


@dataclass(frozen=True)
class Done:
    """What a person is told when their form did its work, and where they are led."""

    message: str
    url: str


def sent(request: HttpRequest, form: forms.BaseForm, act: Callable[[], Done]) -> HttpResponse | None:
    """Do what a valid form asks for, and lead on; None when the form is to be shown (again), with its errors.

    Args:
        request: of the form's page.
        form: bound when the request is a POST.
        act: calls the service; its `ValidationFailedError` goes to the fields, its `QuotaExceededError` to the form.
    """
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        done = act()
    except ValidationFailedError as error:
        take_errors(form, error)
        return None
    except QuotaExceededError as error:  # what was typed stays: it is right, and can be sent again
        form.add_error(None, f"{error.message} {error.hint}")
        return None
    return _lead_on(request, done)


def show_form(request: HttpRequest, template: str, form: forms.BaseForm, context: Mapping[str, Any]) -> HttpResponse:
    """A page that holds a form; 422 when the form is not valid."""
    return render(request, template, {**context, "form": form}, status=INVALID if form.errors else 200)


def form_page(
    request: HttpRequest,
    form: forms.BaseForm,
    act: Callable[[], Done],
    *,
    title: str,
    trail: Trail,
    submit: str,
    cancel_url: str,
    lead: str = "",
) -> HttpResponse:
    context = {"title": title, "trail": trail, "submit": submit, "cancel_url": cancel_url, "lead": lead}
    return sent(request, form, act) or show_form(request, "pages/form.html", form, context)


def confirm_page(
    request: HttpRequest,
    act: Callable[[], Done],
    *,
    title: str,
    trail: Trail,
    lead: str,
    submit: str,
    cancel_url: str,
    goes: Sequence[str] = (),
) -> HttpResponse:
    """A page that asks before something goes and names what goes, and what the answer does."""
    if request.method == "POST":
        return _lead_on(request, act())
    context = {"title": title, "trail": trail, "lead": lead, "goes": goes, "submit": submit, "cancel_url": cancel_url}
    return render(request, "pages/confirm.html", context)


def secret_page(
    request: HttpRequest, secret: str, *, title: str, trail: Trail, lead: str, back_url: str, back: str, note: str = ""
) -> HttpResponse:
    """A page that shows a secret this once; no browser keeps it."""
    context = {"secret": secret, "title": title, "trail": trail, "lead": lead, "note": note}
    answer = render(request, "pages/secret.html", {**context, "back_url": back_url, "back": back})
    answer["Cache-Control"] = "no-store"
    return answer


def back_or(request: HttpRequest, otherwise: str) -> str:
    """The page of this portal that a form names as `next`; `otherwise` when it names none, or another place."""
    back = request.POST.get("next", "")
    allowed = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=allowed, require_https=request.is_secure())
    return back if is_ours else otherwise


def _lead_on(request: HttpRequest, done: Done) -> HttpResponse:
    messages.success(request, done.message)
    return HttpResponseRedirect(done.url)
