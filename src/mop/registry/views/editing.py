"""Editing a model's texts and tags, in place where scripts run, on a page of its own elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.errors import EditConflictError, ValidationFailedError
from mop.registry.editing import change_model
from mop.registry.forms import DescriptionForm, EditForm, IntendedUseForm, LimitsForm, TagsForm
from mop.registry.models import Model
from mop.registry.selectors import get_model
from mop.registry.trails import below_model
from mop.ui.forms import take_errors
from mop.ui.middleware import is_fragment
from mop.ui.pages import INVALID


@require_http_methods(["GET", "POST"])
def description(request: HttpRequest, name: str) -> HttpResponse:
    """The model's description."""
    return _edit(
        request,
        name,
        field="description",
        form_class=DescriptionForm,
        shown=lambda model: model.description,
        given=lambda value: {"description": value},
    )


@require_http_methods(["GET", "POST"])
def intended_use(request: HttpRequest, name: str) -> HttpResponse:
    """What the model is for."""
    return _edit(
        request,
        name,
        field="intended_use",
        form_class=IntendedUseForm,
        shown=lambda model: model.intended_use,
        given=lambda value: {"intended_use": value},
    )


@require_http_methods(["GET", "POST"])
def limits(request: HttpRequest, name: str) -> HttpResponse:
    """What the model is not for."""
    return _edit(
        request,
        name,
        field="limits",
        form_class=LimitsForm,
        shown=lambda model: model.limits,
        given=lambda value: {"limits": value},
    )


@require_http_methods(["GET", "POST"])
def tags(request: HttpRequest, name: str) -> HttpResponse:
    """The model's tags."""
    return _edit(
        request,
        name,
        field="tags",
        form_class=TagsForm,
        shown=lambda model: ", ".join(tag.name for tag in model.tags.all()),
        given=lambda value: {"tags": value.split(",")},
    )


def _edit(
    request: HttpRequest,
    name: str,
    *,
    field: str,
    form_class: type[EditForm],
    shown: Callable[[Model], str],
    given: Callable[[str], dict[str, Any]],
) -> HttpResponse:
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "registry.change_model", model, what="change this model")
    if request.GET.get("cancel"):
        return _shown(request, field, model)
    form = form_class(request.POST or None, initial={field: shown(model), "edition": model.edition})
    if request.method == "POST" and form.is_valid():
        try:
            change_model(
                actor=actor_in(request),
                model=model,
                edition=form.cleaned_data["edition"],
                **given(form.cleaned_data[field]),
            )
        except EditConflictError:
            take_errors(form, form.conflict(field, theirs=shown(model), edition=model.edition))
        except ValidationFailedError as error:
            take_errors(form, error)
        else:
            return _shown(request, field, get_model(user, name))
    words = _words(field)
    context = {
        "form": form,
        "field": form[field],
        "kind": field,
        "model": model,
        "title": f"{words.capitalize()} of {name}",
        "trail": below_model(name, (words.capitalize(), "")),
        "submit": f"Save {words}",
        "cancel_url": reverse("registry:model", args=[name]),
    }
    template = "registry/components/edit_in_place.html" if is_fragment(request) else "pages/form.html"
    # htmx puts only answers without an error into the page
    return render(request, template, context, status=INVALID if form.errors and not is_fragment(request) else 200)


def _words(field: str) -> str:
    return field.replace("_", " ")


def _shown(request: HttpRequest, field: str, model: Model) -> HttpResponse:
    if is_fragment(request):
        context = {"model": model, "may_change": True, "tags": [tag.name for tag in model.tags.all()]}
        return render(request, f"registry/components/{field}.html", context)
    if request.method == "POST":
        messages.success(
            request, f"The {_words(field)} {'is' if field in ('description', 'intended_use') else 'are'} saved."
        )
    return redirect("registry:model", name=model.name)
