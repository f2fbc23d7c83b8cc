"""Add a model: Model, then Connect tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.models import Team, User
from mop.accounts.rules import authorise, may
from mop.catalog.selectors import default_instance_type, tasks_for_list
from mop.errors import QuotaExceededError, ValidationFailedError
from mop.registry.drafts import Drafts
from mop.registry.forms import ConnectTasksForm, ModelStepForm
from mop.registry.models import Revision
from mop.registry.principals import PrincipalNote, principal_note
from mop.registry.selectors import get_model
from mop.registry.services import check_model, create_model
from mop.registry.source_check import check_source
from mop.registry.trails import below_models
from mop.registry.versions import FIRST_VERSION, default_description, recommend_name
from mop.ui.forms import take_errors
from mop.ui.pages import Trail, show_form

MODEL_STEP, TASKS_STEP, TYPED = "model", "tasks", "typed"
TYPED_CHARACTERS_MAX = 20_000


@require_http_methods(["GET", "POST"])
def model_step(request: HttpRequest, draft: str = "") -> HttpResponse:
    """The first step. What is right is kept in the session, then the second step follows."""
    user = user_of(request)
    authorise(user, "registry.create_model", what="create models")
    drafts = Drafts(request.session)
    if request.method == "POST":
        form = ModelStepForm(request.POST, user=user)
        if _checked(form, user):
            key = drafts.keep(draft, MODEL_STEP, request.POST.dict())
            drafts.drop(key, TYPED)
            return redirect("registry:connect_tasks", draft=key)
        return _show_model_step(request, form)
    kept = drafts.read(draft, MODEL_STEP) if draft else None
    typed = drafts.read(draft, TYPED) if draft else None
    if typed is not None:
        form = ModelStepForm(initial={**_initial(user), **typed}, user=user)
    else:
        form = ModelStepForm(kept, user=user) if kept else ModelStepForm(initial=_initial(user), user=user)
    return _show_model_step(request, form)


@require_POST
def keep_typed(request: HttpRequest, draft: str = "") -> HttpResponse:
    """Keep what is typed in the first step; the address of the page then leads back to it after a reload."""
    authorise(user_of(request), "registry.create_model", what="create models")
    values = {name: request.POST.get(name, "")[:TYPED_CHARACTERS_MAX] for name in ModelStepForm.base_fields}
    key = Drafts(request.session).keep(draft, TYPED, values)
    response = render(request, "registry/components/draft_address.html", {"draft": key})
    response["HX-Replace-Url"] = reverse("registry:continue_model", args=[key])
    return response


@require_http_methods(["GET", "POST"])
def tasks_step(request: HttpRequest, draft: str) -> HttpResponse:
    """The second step. When both are right the model is created and its pipeline starts."""
    user = user_of(request)
    authorise(user, "registry.create_model", what="create models")
    drafts = Drafts(request.session)
    kept = drafts.read(draft, MODEL_STEP)
    if kept is None:
        messages.warning(request, "This draft is gone; please start again.")
        return redirect("registry:add_model")
    tasks = sorted(tasks_for_list(), key=lambda task: (task.taxonomy.name, task.name))
    if request.method == "GET":
        return _show_tasks_step(request, draft, ConnectTasksForm(drafts.read(draft, TASKS_STEP), tasks=tasks))
    drafts.keep(draft, TASKS_STEP, request.POST.dict())
    if "back" in request.POST:
        return redirect("registry:continue_model", draft=draft)
    form = ConnectTasksForm(request.POST, tasks=tasks)
    first = ModelStepForm(kept, user=user)
    if not form.is_valid():
        return _show_tasks_step(request, draft, form)
    revision = _created(request, user, first, form)
    if revision is None:
        return _show_tasks_step(request, draft, form) if form.errors else _show_model_step(request, first)
    drafts.forget(draft)
    messages.success(request, f"{revision.model.name} is added; its pipeline has started.")
    return redirect(f"{reverse('registry:model', args=[revision.model.name])}?details={revision.version}")


@require_GET
def principal(request: HttpRequest) -> HttpResponse:
    """The note beside the url field, for what stands in it."""
    note = principal_note(request.GET.get("model_url", ""), _teams_of_form(request))
    return render(request, "registry/components/principal.html", {"note": note})


def _created(request: HttpRequest, user: User, first: ModelStepForm, second: ConnectTasksForm) -> Revision | None:
    """The new model's revision; None when a step is not right any more, with the reason in its form."""
    if not first.is_valid():  # a team or instance type went away meanwhile
        return None
    try:
        return create_model(
            actor=actor_in(request),
            user=user,
            **_model_fields(first),
            **_card_texts(first),
            connections=second.connections(),
            revision=first.revision_input(),
        )
    except ValidationFailedError as error:
        take_errors(first, error)
        return None
    except QuotaExceededError as error:
        second.add_error(None, f"{error.message} {error.hint}")
        return None


def _checked(form: ModelStepForm, user: User) -> bool:
    if not form.is_valid():
        return False
    try:
        check_model(user=user, **_model_fields(form), revision=form.revision_input())
    except ValidationFailedError as error:
        take_errors(form, error)
    if "model_url" not in form.errors:
        try:
            check_source(form.cleaned_data["model_url"], form.cleaned_data["team"])
        except ValidationFailedError as error:
            take_errors(form, error)
    return form.is_valid()


def _model_fields(form: ModelStepForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("name", "description", "team")}


def _card_texts(form: ModelStepForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("intended_use", "limits")}


def _initial(user: User) -> dict[str, Any]:
    return {
        "name": recommend_name(user.username),
        "description": default_description(user.username, timezone.localdate()),
        "version": FIRST_VERSION,
        "instance_type": default_instance_type().name,
        "team": user.teams.order_by("is_personal", "name").first(),
    }


def _show_model_step(request: HttpRequest, form: ModelStepForm) -> HttpResponse:
    draft = request.resolver_match.kwargs.get("draft", "") if request.resolver_match else ""
    context = {"trail": _trail(), "step": 1, "draft": draft, "note": _note(request, form)}
    return show_form(request, "registry/add_model.html", form, context)


def _teams_of_form(request: HttpRequest) -> Sequence[Team]:
    """The team of the model that gets a version, else the chosen one of the user's teams, else all of these."""
    user = user_of(request)
    if name := request.GET.get("model", ""):
        model = get_model(user, name)
        authorise(user, "registry.create_revision", model, what="upgrade this model")
        return [model.team]
    teams = list(user.teams.order_by("is_personal", "name"))
    return [team for team in teams if str(team.pk) == request.GET.get("team")] or teams


def _note(request: HttpRequest, form: ModelStepForm) -> PrincipalNote:
    return principal_note(str(form["model_url"].value() or ""), _teams_of_form(request))


def _show_tasks_step(request: HttpRequest, draft: str, form: ConnectTasksForm) -> HttpResponse:
    may_define = may(user_of(request), "catalog.define")
    context = {"trail": _trail(), "step": 2, "draft": draft, "may_define": may_define}
    return show_form(request, "registry/connect_tasks.html", form, context)


def _trail() -> Trail:
    return below_models(("Add a model", ""))
