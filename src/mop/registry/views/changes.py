"""Changes to a model or revision that a form of its page asks for."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.forms import UsernameForm
from mop.accounts.rules import authorise
from mop.errors import EditConflictError, ValidationFailedError
from mop.registry.allowed_hosts import change_allowed_hosts
from mop.registry.editing import change_note
from mop.registry.forms import AllowedHostsForm, NoteForm
from mop.registry.models import Revision
from mop.registry.selectors import get_model, get_owner, get_revision
from mop.registry.services import (
    add_owner,
    cancel_revision,
    remove_owner,
    retry_revision,
)
from mop.registry.trails import below_model
from mop.registry.views.context import details_panel, model_context
from mop.ui.forms import take_errors
from mop.ui.middleware import is_fragment
from mop.ui.pages import Done, confirm_page, form_page, show_form


@require_POST
def owner_add(request: HttpRequest, name: str) -> HttpResponse:
    """Make somebody an owner of the model."""
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "registry.change_owners", model, what="change the owners of this model")
    form = UsernameForm(request.POST)
    if not form.is_valid():
        context = {**model_context(request, name), "owner_form": form, "panel": details_panel(request, name)}
        return show_form(request, "registry/model.html", form, context)
    add_owner(actor=actor_in(request), model=model, user=form.user)
    messages.success(request, f"{form.user.username} is an owner of {name}.")
    return redirect("registry:model", name=name)


@require_http_methods(["GET", "POST"])
def owner_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then take somebody off the model's owners."""
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "registry.change_owners", model, what="change the owners of this model")
    owner = get_owner(model, request.POST.get("username") or request.GET.get("username", ""))
    here = reverse("registry:model", args=[name])

    def act() -> Done:
        remove_owner(actor=actor_in(request), model=model, user=owner)
        # who took themselves off a private model no longer sees it
        return Done(
            f"{owner.username} is no longer an owner of {name}.", reverse("registry:models") if owner == user else here
        )

    title = f"Remove {owner.username} from the owners of {name}?"
    return confirm_page(
        request,
        act,
        title=title,
        trail=below_model(name, ("Remove owner", "")),
        lead=f"{'You' if owner == user else owner.username} will see only public versions of it, and change nothing.",
        submit="Remove owner",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def note(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Edit a version's note."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.change_revision", revision, what="change this version")
    here = reverse("registry:model", args=[name])
    form = NoteForm(request.POST or None, initial={"note": revision.note, "edition": revision.edition})
    if is_fragment(request):
        return _note_in_place(request, revision, form)

    def act() -> Done:
        _save_note(request, revision, form)
        return Done(f"The note of {version} is saved.", here)

    title = f"Version note of {version}"
    return form_page(
        request, form, act, title=title, trail=below_model(name, (title, "")), submit="Save", cancel_url=here
    )


def _note_in_place(request: HttpRequest, revision: Revision, form: NoteForm) -> HttpResponse:
    """The form in the place of the note, and the note again when it is saved or left as it was."""
    context = {"model": revision.model, "revision": revision, "form": form, "may_change": True}
    if request.method == "GET" and "cancel" not in request.GET:
        return render(request, "registry/components/note_form.html", context)
    if request.method == "POST":
        try:
            if not form.is_valid():
                return show_form(request, "registry/components/note_form.html", form, context)
            _save_note(request, revision, form)
        except ValidationFailedError as error:
            take_errors(form, error)
            return show_form(request, "registry/components/note_form.html", form, context)
        revision.refresh_from_db(fields=["note"])
    return render(request, "registry/components/note.html", context)


def _save_note(request: HttpRequest, revision: Revision, form: NoteForm) -> None:
    edition = form.cleaned_data["edition"]
    try:
        change_note(actor=actor_in(request), revision=revision, note=form.cleaned_data["note"], edition=edition)
    except EditConflictError as error:
        raise form.conflict("note", theirs=revision.note, edition=revision.edition) from error


@require_http_methods(["GET", "POST"])
def allowed_hosts(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Say which hosts a version's model may reach."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.change_allowed_hosts", revision, what="allow this version any host")
    here = f"{reverse('registry:model', args=[name])}?details={version}"
    form = AllowedHostsForm(request.POST or None, initial={"hosts": "\n".join(revision.allowed_hosts)})

    def act() -> Done:
        change_allowed_hosts(actor=actor_in(request), revision=revision, hosts=form.cleaned_data["hosts"].split())
        return Done(f"The allowed hosts of {version} are saved; they count from its next deployment.", here)

    title = f"Allowed hosts of {version}"
    return form_page(
        request, form, act, title=title, trail=below_model(name, (title, "")), submit="Save", cancel_url=here
    )


@require_POST
def retry(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Run the pipeline of a revision again."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.change_revision", revision, what="retry this version")
    retry_revision(actor=actor_in(request), revision=revision)
    messages.success(request, f"{version} runs again, on the snapshot that was taken of it.")
    return _to_details(name, version)


@require_POST
def cancel(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Stop the pipeline of a revision."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.change_revision", revision, what="cancel this version")
    cancel_revision(actor=actor_in(request), revision=revision)
    messages.success(request, f"{version} is cancelled.")
    return _to_details(name, version)


def _to_details(name: str, version: str) -> HttpResponse:
    return redirect(f"{reverse('registry:model', args=[name])}?details={version}")
