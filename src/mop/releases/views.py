"""Pages of downstream services and gates."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise, may
from mop.catalog.models import Task
from mop.catalog.selectors import get_task_by_id
from mop.errors import ValidationFailedError
from mop.registry.selectors import get_revision
from mop.releases.forms import BuilderForm, ConditionsForm, ServiceEditForm, ServiceForm
from mop.releases.gates.verdicts import Step
from mop.releases.judging import gate_document
from mop.releases.models import Policy, Service, ServiceKind
from mop.releases.presentation import badge_of, counts, groups
from mop.releases.release_models import ReleaseEvent
from mop.releases.release_states import ReleaseState
from mop.releases.requests.notices import service_webhooks, told_label
from mop.releases.requests.presentation import figure_of
from mop.releases.requests.selectors import periods_of, returns_to, slots_of, visible_releases
from mop.releases.requests.tokens import valid_tokens
from mop.releases.selectors import current_gate, gate_versions, get_service, services
from mop.releases.services import change_gate, change_service, check_conditions, conditions_of, create_service
from mop.ui.extensions import SERVICE_SECTIONS
from mop.ui.pages import Done, Trail, form_page, sent, show_form

VERSIONS_SHOWN = 20
PERIODS_SHOWN = 200
EVENTS_SHOWN = 12
WAITING_SHOWN = 3


@require_GET
def services_page(request: HttpRequest) -> HttpResponse:
    """All downstream services."""
    user = user_of(request)
    context = {"services": list(services()), "may_create": may(user, "releases.create_service")}
    return render(request, "releases/services.html", context)


@require_http_methods(["GET", "POST"])
def add_service(request: HttpRequest) -> HttpResponse:
    """A form for a new service."""
    user = user_of(request)
    authorise(user, "releases.create_service", what="define downstream services")
    form = ServiceForm(request.POST or None, initial={"admins": user.username})

    def act() -> Done:
        given = form.cleaned_data
        created = create_service(
            actor=actor_in(request),
            user=user,
            **{**given, "kind": ServiceKind(given["kind"]), "policy": Policy(given["policy"])},
        )
        return Done(f"The service {created.name} is defined.", reverse("releases:service", args=[created.name]))

    return form_page(
        request,
        form,
        act,
        title="Add a downstream service",
        trail=[("Downstream services", reverse("releases:services")), ("Add", "")],
        lead="A downstream service takes released models. Its admins set the conditions and decide about releases.",
        submit="Add service",
        cancel_url=reverse("releases:services"),
    )


@require_GET
def service_page(request: HttpRequest, service: str) -> HttpResponse:
    """One service: what runs, what ran, its tokens and its conditions."""
    user = user_of(request)
    found = get_service(service)
    gate = current_gate(found)
    may_change = may(user, "releases.change_service_gate", found)
    seen = visible_releases(user).filter(service=found)
    shown = seen.order_by().values("pk")
    periods = list(periods_of(found).filter(release__in=shown)[:PERIODS_SHOWN])
    context = {
        "service": found,
        "trail": [("Releases", reverse("releases:releases")), (found.name, "")],
        "gate": gate,
        "conditions": [str(condition) for condition in conditions_of(gate)],
        "versions": list(gate_versions(found)[:VERSIONS_SHOWN]),
        "may_edit": may(user, "releases.change_service", found),
        "may_change": may_change,
        "slots": [(slot, returns_to(slot, periods)) for slot in slots_of(found)],
        "periods": periods,
        "figure": figure_of(periods),
        "waiting": list(seen.filter(state=ReleaseState.REQUESTED)[:WAITING_SHOWN]) if may_change else [],
        "events": list(
            ReleaseEvent.objects.filter(release__in=shown, release__service=found).select_related("release")[
                :EVENTS_SHOWN
            ]
        ),
        "tokens": list(valid_tokens(found)) if may_change else [],
        "webhooks": [(one, told_label(one)) for one in service_webhooks(found.pk)] if may_change else [],
        "sections": SERVICE_SECTIONS.shown(request, found),
        "single_admin": settings.MOP_SINGLE_ADMIN_APPROVES and len(found.admins.all()) == 1,
    }
    return render(request, "releases/service.html", context)


@require_http_methods(["GET", "POST"])
def edit_service(request: HttpRequest, service: str) -> HttpResponse:
    """A form for what of a service can change."""
    user = user_of(request)
    found = get_service(service)
    authorise(user, "releases.change_service", found, what="change this service")
    here = reverse("releases:service", args=[found.name])
    admins = list(found.admins.all())
    initial = {
        "description": found.description,
        "contact": found.contact,
        "policy": found.policy,
        "admins": ", ".join(sorted(person.username for person in admins)),
    }
    form = ServiceEditForm(request.POST or None, initial=initial, admins=admins)

    def act() -> Done:
        given = {name: form.cleaned_data[name] for name in form.changed_data}  # since the form was shown
        if "policy" in given:
            given["policy"] = Policy(given["policy"])
        change_service(actor=actor_in(request), service=found, **given)
        return Done(f"The service {found.name} is changed.", here)

    return form_page(
        request,
        form,
        act,
        title=f"Edit {found.name}",
        trail=[("Releases", reverse("releases:releases")), (found.name, here), ("Edit", "")],
        submit="Save",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def service_conditions(request: HttpRequest, service: str) -> HttpResponse:
    """The editor of a service's conditions."""
    user = user_of(request)
    found = get_service(service)
    authorise(user, "releases.change_service_gate", found, what="change the conditions of this service")
    here = reverse("releases:service", args=[found.name])
    trail = [("Releases", reverse("releases:releases")), (found.name, here), ("Conditions", "")]
    return _conditions(request, found, here, trail)


@require_http_methods(["GET", "POST"])
def task_conditions(request: HttpRequest, task_id: int) -> HttpResponse:
    """The editor of a task's conditions."""
    user = user_of(request)
    found = get_task_by_id(task_id)
    authorise(user, "releases.change_task_gate", found, what="change the conditions of this task")
    here = reverse("catalog:task", args=[found.pk])
    trail = [("Tasks", reverse("catalog:tasks")), (found.name, here), ("Conditions", "")]
    return _conditions(request, found, here, trail)


def _conditions(request: HttpRequest, owner: Task | Service, here: str, trail: Trail) -> HttpResponse:
    """One form with two buttons: one writes a line from the choices, the other saves the text."""
    gate = current_gate(owner)
    task = owner if isinstance(owner, Task) else None
    number = gate.number if gate else 0
    initial = {"conditions": gate.conditions if gate else "", "number": number}
    is_building = request.method == "POST" and "add" in request.POST
    builder = BuilderForm(request.POST if is_building else None, task=task)
    context = {
        "owner": owner,
        "trail": trail,
        "builder": builder,
        "cancel_url": here,
        "versions": list(gate_versions(owner)[:VERSIONS_SHOWN]),
    }
    if is_building:
        form = ConditionsForm(initial=_with_line(request, builder, number))
        return show_form(request, "releases/conditions.html", form, context)
    form = ConditionsForm(request.POST or None, initial=initial)

    def act() -> Done:
        given = form.cleaned_data
        changed = change_gate(
            actor=actor_in(request), owner=owner, conditions=given["conditions"], number=given["number"]
        )
        if gate is not None and changed.number == gate.number:
            return Done(f"The conditions of {owner.name} are as they were.", here)
        return Done(f"The conditions of {owner.name} are changed: version {changed.number}.", here)

    return sent(request, form, act) or show_form(request, "releases/conditions.html", form, context)


def _with_line(request: HttpRequest, builder: BuilderForm, number: int) -> dict[str, Any]:
    """What the editor typed, and the line that the choices make below it; what is wrong goes to the choices."""
    text = request.POST.get("conditions", "")
    if builder.is_valid():
        line = builder.line()
        try:
            (condition,) = check_conditions(None, line)
        except ValidationFailedError as error:
            for fault in error.fields["conditions"]:
                builder.add_error("threshold", f"{line}: {fault}")
        else:
            text = f"{text.rstrip()}\n{condition}".lstrip("\n")
    typed = request.POST.get("number", "")
    return {"conditions": text, "number": int(typed) if typed.isdigit() else number}


@require_GET
def gates(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """How a version comes out of every condition, as the evidence stands."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    chosen = request.GET.get("service", "")
    service = get_service(chosen) if chosen else None
    document = gate_document(revision, service)
    here = reverse("registry:revision", args=[name, version])
    context = {
        "revision": revision,
        "model": revision.model,
        "trail": [
            ("Models", reverse("registry:models")),
            (name, reverse("registry:model", args=[name])),
            (version, here),
            ("Gates", ""),
        ],
        "service": service,
        "services": list(services()),
        "badge": badge_of(document.result),
        "counts": counts(document),
        "groups": groups(document),
        "steps": {Step.LOAD_TEST.value: reverse("registry:model", args=[name])},
        "details_url": here,
    }
    return render(request, "releases/gates.html", context)
