"""Changes to a case, and to who reads the cases of a task."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.forms import UsernameForm
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_team
from mop.catalog.selectors import get_task_by_id
from mop.dsat import services
from mop.dsat.access import grant_self, grant_team, withdraw
from mop.dsat.deletion import delete_case
from mop.dsat.forms import ChangedFactsForm, FactsForm, FixForm, TeamForm
from mop.dsat.models import Case
from mop.dsat.selectors import get_case
from mop.dsat.views.trails import below_case
from mop.registry.selectors import get_revision
from mop.ui.pages import Done, confirm_page, form_page


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, case_id: int) -> HttpResponse:
    """Change what is known of a case."""
    case = _case(request, case_id, "dsat.change", "change this case")
    initial = {name: getattr(case, name) for name in FactsForm.base_fields} | {"tags": ", ".join(case.tags)}
    form = ChangedFactsForm(request.POST or None, task=case.task, initial=initial)

    def act() -> Done:
        services.change_case(actor=actor_in(request), case=case, change=services.CaseChange(**form.facts()))
        return Done(f"{case} is saved.", _page(case))

    trail = below_case(case, "Edit")
    return form_page(request, form, act, title=f"Edit {case}", trail=trail, submit="Save", cancel_url=_page(case))


@require_http_methods(["GET", "POST"])
def assign(request: HttpRequest, case_id: int) -> HttpResponse:
    """Give the case to a person."""
    case = _case(request, case_id, "dsat.assign", "assign this case")
    form = UsernameForm(request.POST or None)

    def act() -> Done:
        services.assign(actor=actor_in(request), case=case, to=form.user)
        return Done(f"{case} is assigned to {form.user.username}.", _page(case))

    return form_page(
        request,
        form,
        act,
        title=f"Assign {case}",
        trail=below_case(case, "Assign"),
        lead="The assignee can then read the content, and is notified.",
        submit="Assign",
        cancel_url=_page(case),
    )


@require_POST
def confirm(request: HttpRequest, case_id: int) -> HttpResponse:
    """Agree that the service answered wrongly."""
    case = _case(request, case_id, "dsat.decide", "confirm this case")
    services.confirm(actor=actor_in(request), case=case)
    return _done(request, case, f"{case} is confirmed.")


@require_http_methods(["GET", "POST"])
def fix(request: HttpRequest, case_id: int) -> HttpResponse:
    """Note which version answers the case as expected."""
    case = _case(request, case_id, "dsat.decide", "mark this case as fixed")
    form = FixForm(request.POST or None)

    def act() -> Done:
        given = form.cleaned_data
        revision = None
        if given["model"] or given["version"]:
            with named_in("version"):
                revision = get_revision(user_of(request), given["model"], given["version"])
        services.mark_fixed(actor=actor_in(request), case=case, revision=revision)
        return Done(f"{case} is fixed.", _page(case))

    return form_page(
        request,
        form,
        act,
        title=f"Mark {case} as fixed",
        trail=below_case(case, "Mark as fixed"),
        lead="The submitter is notified, and closes or reopens the case.",
        submit="Mark as fixed",
        cancel_url=_page(case),
    )


@require_http_methods(["GET", "POST"])
def reject(request: HttpRequest, case_id: int) -> HttpResponse:
    """Ask, then reject the case."""
    case = _case(request, case_id, "dsat.decide", "reject this case")

    def act() -> Done:
        services.reject(actor=actor_in(request), case=case)
        return Done(f"{case} is rejected.", _page(case))

    return confirm_page(
        request,
        act,
        title=f"Reject {case}?",
        trail=below_case(case, "Reject"),
        lead="A rejected case is not a fault of a model; regression tests leave it out. The submitter "
        "can reopen the case: tell them why in a comment on its page.",
        submit="Reject",
        cancel_url=_page(case),
    )


@require_POST
def close(request: HttpRequest, case_id: int) -> HttpResponse:
    """Accept the fix."""
    case = _case(request, case_id, "dsat.close", "close this case")
    services.close(actor=actor_in(request), case=case)
    return _done(request, case, f"{case} is closed.")


@require_POST
def reopen(request: HttpRequest, case_id: int) -> HttpResponse:
    """Open the case again."""
    case = _case(request, case_id, "dsat.reopen", "reopen this case")
    services.reopen(actor=actor_in(request), case=case)
    return _done(request, case, f"{case} is reopened. Say why in a comment.")


@require_POST
def restrict(request: HttpRequest, case_id: int) -> HttpResponse:
    """Restrict the case, or lift the restriction."""
    case = _case(request, case_id, "dsat.restrict", "restrict this case")
    services.restrict(actor=actor_in(request), case=case, is_restricted=not case.is_restricted)
    who = "whom the task lets read" if case.is_restricted else "submitter and assignee alone"
    return _done(request, case, f"The content of {case} is read by {who}.")


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, case_id: int) -> HttpResponse:
    """Ask, then delete the case."""
    case = _case(request, case_id, "dsat.delete", "delete this case")

    def act() -> Done:
        delete_case(actor=actor_in(request), case=case)
        return Done(f"{case} is deleted.", reverse("dsat:cases"))

    return confirm_page(
        request,
        act,
        title=f"Delete {case}?",
        trail=below_case(case, "Delete"),
        lead="This cannot be undone. It deletes the case, and:",
        goes=["its content, description, tags and comments", "what models answered to it in regression tests"],
        submit="Delete",
        cancel_url=_page(case),
    )


@require_POST
def grant(request: HttpRequest, task_id: int) -> HttpResponse:
    """Let a team read; without a team, the administrator who asks."""
    user = user_of(request)
    task = get_task_by_id(task_id)
    if "team" in request.POST:
        authorise(user, "dsat.grant_team", task, what="let teams read the cases of this task")
        form = TeamForm(request.POST)
        team = get_team(user, form.cleaned_data["team"]) if form.is_valid() else None
        if team is None:
            messages.error(request, "Name a team.")
        else:
            grant_team(actor=actor_in(request), task=task, team=team)
            messages.success(request, f"Members of {team.name} read the DSAT cases of {task.name}.")
    else:
        authorise(user, "dsat.grant_self", what="take the right to read these cases")
        grant_self(actor=actor_in(request), task=task, administrator=user)
        messages.success(request, f"You read the DSAT cases of {task.name}. This is recorded.")
    return redirect(reverse("catalog:task", args=[task_id]) + "#dsat-access")


@require_POST
def withdraw_grant(request: HttpRequest, task_id: int, grant_id: int) -> HttpResponse:
    """Take a right to read back."""
    user = user_of(request)  # first: a stranger is not told which tasks exist
    task = get_task_by_id(task_id)
    authorise(user, "dsat.see_grants", task, what="change who reads the cases of this task")
    withdraw(actor=actor_in(request), task=task, grant_id=grant_id)
    messages.success(request, "The right to read is withdrawn.")
    return redirect(reverse("catalog:task", args=[task_id]) + "#dsat-access")


def _case(request: HttpRequest, case_id: int, permission: str, what: str) -> Case:
    user = user_of(request)
    case = get_case(case_id)
    authorise(user, permission, case, what=what)
    return case


def _page(case: Case) -> str:
    return reverse("dsat:case", args=[case.pk])


def _done(request: HttpRequest, case: Case, message: str) -> HttpResponse:
    messages.success(request, message)
    return redirect("dsat:case", case_id=case.pk)
