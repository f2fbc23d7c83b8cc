"""Add datasets: File, then Datasets."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.models import User
from mop.accounts.rules import authorise
from mop.catalog.models import Task
from mop.catalog.selectors import tasks_for_list
from mop.datasets.forms import PREFIX, FileStepForm, LabelColumnFormSet, sent_columns
from mop.datasets.models import Dataset
from mop.datasets.principals import dataset_principal_note
from mop.datasets.services import DATASETS_MAX, check_file, create_datasets
from mop.datasets.views.trails import below_datasets
from mop.errors import ValidationFailedError
from mop.registry.drafts import Drafts
from mop.ui.forms import take_errors
from mop.ui.pages import INVALID, Trail, show_form

FILE_STEP, DATASETS_STEP = "dataset file", "label columns"


@require_http_methods(["GET", "POST"])
def file_step(request: HttpRequest) -> HttpResponse:
    """The first step. What is right is kept in the session, then the second step follows."""
    user = user_of(request)
    authorise(user, "datasets.create", what="create datasets")
    drafts = Drafts(request.session)
    draft = request.GET.get("draft", "")
    if request.method == "POST":
        form = FileStepForm(request.POST, user=user)
        if _checked(form, user):
            key = drafts.keep(draft, FILE_STEP, request.POST.dict())
            return redirect("datasets:label_columns", draft=key)
        return _show_file_step(request, form)
    kept = drafts.read(draft, FILE_STEP) if draft else None
    initial = {"team": user.teams.order_by("is_personal", "name").first()}
    return _show_file_step(request, FileStepForm(kept, user=user) if kept else FileStepForm(initial=initial, user=user))


@require_http_methods(["GET", "POST"])
def datasets_step(request: HttpRequest, draft: str) -> HttpResponse:
    """The second step: label columns, added and removed one by one. When all is right the datasets are created."""
    user = user_of(request)
    authorise(user, "datasets.create", what="create datasets")
    drafts = Drafts(request.session)
    kept = drafts.read(draft, FILE_STEP)
    first = FileStepForm(kept, user=user) if kept is not None else None
    if first is None:
        messages.warning(request, "This draft is gone; please start again.")
        return redirect("datasets:add_datasets")
    if not first.is_valid():  # a team went away meanwhile
        return _show_file_step(request, first)
    tasks = list(tasks_for_list(modality=first.cleaned_data["modality"]))
    columns = (drafts.read(draft, DATASETS_STEP) or {}).get("columns") or [{}]
    if request.method == "POST":
        columns = _after_button(request)
        drafts.keep(draft, DATASETS_STEP, {"columns": columns})
    if "back" in request.POST:
        return redirect(f"{reverse('datasets:add_datasets')}?draft={draft}")
    if request.method == "GET" or {"add", "remove"} & request.POST.keys():
        return _show_datasets_step(request, draft, first, _unsent(columns, tasks))
    return _create(request, drafts, draft, first, tasks)


def _create(request: HttpRequest, drafts: Drafts, draft: str, first: FileStepForm, tasks: list[Task]) -> HttpResponse:
    """Create what the valid forms ask for, or show what is not right."""
    user = user_of(request)
    forms = LabelColumnFormSet(request.POST, prefix=PREFIX, form_kwargs={"tasks": tasks})
    created = _created(request, user, first, forms) if forms.is_valid() else []
    if first.errors:
        return _show_file_step(request, first)
    if not created:
        return _show_datasets_step(request, draft, first, forms, status=INVALID)
    drafts.forget(draft)
    names = ", ".join(dataset.name for dataset in created)
    messages.success(request, f"The file is read and verified for {names}.")
    if len(created) == 1:
        return redirect("datasets:dataset", name=created[0].name)
    return redirect("datasets:datasets")


@require_GET
def principal(request: HttpRequest) -> HttpResponse:
    """The note beside the url field, for what stands in it."""
    teams = list(user_of(request).teams.order_by("is_personal", "name"))
    chosen = [team for team in teams if str(team.pk) == request.GET.get("team")]
    note = dataset_principal_note(request.GET.get("url", ""), chosen or teams)
    return render(request, "registry/components/principal.html", {"note": note})


def _after_button(request: HttpRequest) -> list[dict[str, Any]]:
    """The columns that were sent, after the button that adds or removes one."""
    columns = sent_columns(request.POST)
    if "add" in request.POST:
        return [*columns, {}][:DATASETS_MAX]
    if place := request.POST.get("remove"):
        return [column for number, column in enumerate(columns) if str(number) != place] or [{}]
    return columns


def _unsent(columns: list[dict[str, Any]], tasks: list[Task]) -> Any:
    """The forms as they were typed, not judged yet."""
    formset = LabelColumnFormSet(prefix=PREFIX, initial=columns, form_kwargs={"tasks": tasks})
    formset.min_num = len(columns)
    return formset


def _created(request: HttpRequest, user: User, first: FileStepForm, forms: Any) -> list[Dataset]:
    """The new datasets; none when something is not right, with the reasons in the forms."""
    try:
        return create_datasets(
            actor=actor_in(request),
            user=user,
            file=first.file_input(),
            datasets=[form.dataset_input() for form in forms],
        )
    except ValidationFailedError as error:
        for name, told in error.fields.items():
            parts = name.split(".")
            if parts[0] == "datasets" and len(parts) > 1:
                form = forms.forms[int(parts[1])]
                field = parts[2] if len(parts) > 2 and parts[2] in form.fields else None  # noqa: PLR2004 - datasets.0.name
                for message in told:
                    form.add_error(field, message)
            else:
                take_errors(first, ValidationFailedError(name, fields={name: told}))
        return []


def _checked(form: FileStepForm, user: User) -> bool:
    if not form.is_valid():
        return False
    try:
        check_file(user=user, file=form.file_input())
    except ValidationFailedError as error:
        take_errors(form, error)
    return form.is_valid()


def _show_file_step(request: HttpRequest, form: FileStepForm) -> HttpResponse:
    teams = list(user_of(request).teams.order_by("is_personal", "name"))
    chosen = [team for team in teams if str(team.pk) == str(getattr(form["team"].value(), "pk", form["team"].value()))]
    note = dataset_principal_note(str(form["url"].value() or ""), chosen or teams)
    return show_form(request, "datasets/add_file.html", form, {"trail": _trail(), "step": 1, "note": note})


def _show_datasets_step(
    request: HttpRequest, draft: str, first: FileStepForm, forms: Any, *, status: int = 200
) -> HttpResponse:
    file = first.file_input()
    context = {
        "trail": _trail(),
        "step": 2,
        "draft": draft,
        "file": file,
        "note": dataset_principal_note(file.url, [file.team]),
        "formset": forms,
        "may_add": len(forms.forms) < DATASETS_MAX,
    }
    return render(request, "datasets/add_datasets.html", context, status=status)


def _trail() -> Trail:
    return below_datasets(("Add datasets", ""))
