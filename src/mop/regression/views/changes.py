"""Run again, cancel, mark cases as fixed, close them: pages that ask first and say what follows."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.dsat.states import CaseState
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.registry.trails import below_model
from mop.regression import services
from mop.regression.selectors import get_run
from mop.ui.pages import Done, Trail, confirm_page

NAMED_MAX = 50


@require_http_methods(["GET", "POST"])
def run(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask, then test a version anew."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "regression.run", revision, what="run regression tests of this version")

    def act() -> Done:
        services.run_again(actor=actor_in(request), revision=revision)
        return Done("The regression test waits for a host.", here(revision))

    return confirm_page(
        request,
        act,
        title="Run the regression test?",
        trail=_trail(revision, "Run"),
        lead=f"{revision} answers every DSAT case of its tasks anew. The present result stays until the test succeeds.",
        submit="Run test",
        cancel_url=here(revision),
    )


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask, then end a test."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "regression.run", revision, what="cancel regression tests of this version")

    def act() -> Done:
        services.cancel(actor=actor_in(request), revision=revision)
        return Done("The regression test is cancelled.", here(revision))

    return confirm_page(
        request,
        act,
        title="Cancel the regression test?",
        trail=_trail(revision, "Cancel"),
        lead="The test ends. The present result stays. The test can be run again.",
        submit="Cancel test",
        cancel_url=here(revision),
    )


@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, name: str, version: str, to: str) -> HttpResponse:
    """Ask, then mark the cases that a version passes as fixed by it, or close those that it fixed."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    test = get_run(revision)
    state = CaseState(to)
    cases = services.cases_to_settle(user, test, to=state)

    def act() -> Done:
        changed = services.settle(actor=actor_in(request), user=user, run=test, to=state)
        plural = "case is" if len(changed) == 1 else "cases are"
        return Done(f"{len(changed)} {plural} {state.value}.", here(revision))

    is_closing = state is CaseState.CLOSED
    done_to = "Close the cases that this version fixed" if is_closing else "Mark the cases that pass as fixed"
    lead = (
        "These cases are marked as fixed by this version, and you may close them."
        if is_closing
        else "You work on these open cases, and this version passes them. Their submitters are notified."
    )
    more = [f"and {len(cases) - NAMED_MAX} more"] if len(cases) > NAMED_MAX else []
    return confirm_page(
        request,
        act,
        title=f"{done_to}?",
        trail=_trail(revision, "Close cases" if is_closing else "Mark cases as fixed"),
        lead=lead if cases else "There is no such case.",
        goes=[f"{case}: {case.task}, {case.state}" for case in cases[:NAMED_MAX]] + more,
        submit=f"{'Close' if is_closing else 'Mark'} {len(cases)} case{'' if len(cases) == 1 else 's'}",
        cancel_url=here(revision),
    )


def here(revision: Revision) -> str:
    """The tab of the model, on this version."""
    query = urlencode({"version": revision.version})
    return f"{reverse('regression:model', args=[revision.model.name])}?{query}"


def _trail(revision: Revision, what: str) -> Trail:
    return below_model(revision.model.name, (f"Regression test result, {revision.version}", here(revision)), (what, ""))
