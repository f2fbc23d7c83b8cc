"""The result of a load test as a page and while it runs; enabling, cancelling, downloading."""

from __future__ import annotations

import dataclasses
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.errors import NotFoundError
from mop.loadtest.export import csv_of, document_of
from mop.loadtest.forms import EnableForm, initial_of
from mop.loadtest.live_blocks import now_block, results_block, with_blocks, with_shown_state
from mop.loadtest.results_context import live_query, now_context, result_context
from mop.loadtest.selectors import get_run
from mop.loadtest.services import cancel_load_test, enable_load_test
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.registry.trails import below_model, below_revision
from mop.ui.fragments import live_answer
from mop.ui.pages import Done, confirm_page, form_page


@require_GET
def result(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The result as a page of its own, which can be printed; `?with=VERSION,VERSION` lays others over it."""
    revision = get_revision(user_of(request), name, version)
    context = with_blocks(result_context(request, revision))
    trail = below_revision(revision, "Load test result")
    return render(request, "loadtest/result.html", {"load_test": context, "trail": trail})


@require_GET
def live_now(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The state and the numbers of the step that runs, again."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    context = now_context(user, revision, live_query(request, revision))
    return live_answer(request, now_block(context, request.GET.urlencode()), {"load_test": context})


@require_GET
def live_results(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Charts and tables again, when a step has ended."""
    revision = get_revision(user_of(request), name, version)
    context = result_context(request, revision)
    return live_answer(
        request, results_block(context, request.GET.urlencode()), {"load_test": with_shown_state(context)}
    )


@require_http_methods(["GET", "POST"])
def enable(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask what is to be measured, then start it."""
    revision = _changeable(request, name, version)
    form = EnableForm(request.POST or None, initial=initial_of(revision))
    here = _result_url(name, version)

    def act() -> Done:
        enable_load_test(actor=actor_in(request), revision=revision, request=form.run_request())
        return Done(f"The load test of {version} waits until its host runs nothing else.", here)

    title = f"Load test of {version}"
    return form_page(
        request,
        form,
        act,
        title=title,
        lead="It measures step by step how many requests the model answers. Nothing else runs on its host then.",
        trail=below_model(name, (title, "")),
        submit="Enable",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask, then end the load test."""
    revision = _changeable(request, name, version)
    here = _result_url(name, version)

    def act() -> Done:
        cancel_load_test(actor=actor_in(request), revision=revision)
        return Done(f"The load test of {version} is cancelled.", here)

    return confirm_page(
        request,
        act,
        title=f"Cancel the load test of {version}?",
        trail=below_model(name, (f"Cancel the load test of {version}", "")),
        lead="It can be enabled again, but begins with its first step then. Steps that ended are kept. This is lost:",
        goes=["what was measured of the step that runs"],
        submit="Cancel load test",
        cancel_url=here,
    )


@require_GET
def download(request: HttpRequest, name: str, version: str, kind: str) -> HttpResponse:
    """The run's numbers as CSV or JSON; `?run=` chooses an earlier one."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    run = live_query(request, revision) or get_run(revision)
    if run is None or kind not in {"csv", "json"}:
        raise NotFoundError(f"There is no load test of {version} as {kind!r}.")
    if kind == "csv":
        response = HttpResponse(csv_of(run), content_type="text/csv; charset=utf-8")
    else:
        text = json.dumps(dataclasses.asdict(document_of(user, revision, run.number)), cls=DjangoJSONEncoder, indent=2)
        response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}-{version}-load-test-{run.number}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


def _changeable(request: HttpRequest, name: str, version: str) -> Revision:
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "loadtest.change", revision, what="load-test this version")
    return revision


def _result_url(name: str, version: str) -> str:
    return f"{reverse('registry:model', args=[name])}?load-test={version}"
