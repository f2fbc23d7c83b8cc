"""Upgrade version: a new revision from the last one's fields."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.errors import ValidationFailedError
from mop.registry.forms import RevisionForm, revision_initial
from mop.registry.models import Model
from mop.registry.principals import principal_note
from mop.registry.proposals import propose_next_revision
from mop.registry.selectors import get_model
from mop.registry.services import create_revision
from mop.registry.source_check import check_source
from mop.registry.trails import below_model
from mop.registry.versions import default_note
from mop.ui.pages import Done, sent, show_form


@require_http_methods(["GET", "POST"])
def upgrade(request: HttpRequest, name: str) -> HttpResponse:
    """The form, filled from the newest version; when it is right the new version's pipeline starts."""
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "registry.create_revision", model, what="upgrade this model")
    last = model.revisions.select_related("instance_type").order_by("-created_at", "-id").first()
    initial = revision_initial(last) if last else {}
    initial |= {
        "version": propose_next_revision(model).version,
        "note": default_note(name, user.username, timezone.localdate()),
    }
    form = RevisionForm(request.POST or None, initial=initial)
    if last and not last.instance_type.is_enabled:
        form.ask_for_instance_type(instead_of=last.instance_type)

    def act() -> Done:
        _check_source(model, form)
        revision = create_revision(actor=actor_in(request), user=user, model=model, revision=form.revision_input())
        here = f"{reverse('registry:model', args=[name])}?details={revision.version}"
        return Done(f"{revision.version} is added; its pipeline has started.", here)

    context = {
        "model": model,
        "trail": below_model(name, ("Upgrade version", "")),
        "connections": model.connections.select_related("task", "taxonomy"),
        "note": principal_note(str(form["model_url"].value() or ""), [model.team]),
    }
    return sent(request, form, act) or show_form(request, "registry/upgrade.html", form, context)


def _check_source(model: Model, form: RevisionForm) -> None:
    """Whether the folder can be read; a version that is taken is told with it, so that all faults come at once."""
    try:
        check_source(form.cleaned_data["model_url"], model.team)
    except ValidationFailedError as error:
        version = form.cleaned_data["version"]
        if model.revisions.filter(version=version).exists():
            error.fields["version"] = [f"{model.name} has a version {version} already."]
        raise
