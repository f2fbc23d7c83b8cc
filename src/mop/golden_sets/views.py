"""Pages of golden sets, and of how a version does on them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise, may
from mop.catalog.models import Task
from mop.catalog.selectors import get_task_by_id
from mop.golden_sets import services
from mop.golden_sets.forms import GoldenSetForm, UploadForm
from mop.golden_sets.models import GoldenRun, GoldenSet
from mop.golden_sets.selectors import failures_of, get_golden_set, get_version, runs_of, versions_of
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.registry.statuses import RevisionStatus
from mop.registry.trails import below_revision
from mop.ui.fragments import Live, live_answer
from mop.ui.pages import Done, Trail, confirm_page, sent, show_form
from mop.ui.uploads import takes_files

FAILURES_SHOWN = 500
WHAT = "change the golden sets of this task"


@takes_files
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, task_id: int) -> HttpResponse:
    """A form for a new golden set."""
    user = user_of(request)
    task = get_task_by_id(task_id)
    authorise(user, "golden_sets.change", task, what=WHAT)
    form = GoldenSetForm(request.POST or None, request.FILES or None, task=task)
    return _upload(request, form, task, title="Add a golden set", trail=_trail(task, ("Add a golden set", "")))


@takes_files
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, task_id: int, name: str) -> HttpResponse:
    """A form for the next version of a golden set."""
    user = user_of(request)
    task = get_task_by_id(task_id)
    found = get_golden_set(task, name)
    authorise(user, "golden_sets.change", task, what=WHAT)
    form = UploadForm(request.POST or None, request.FILES or None, task=task)
    trail = _trail(task, (name, _url("golden_set", found)), ("Upload a version", ""))
    return _upload(request, form, task, title=f"Upload a version of {name}", trail=trail, name=name)


def _upload(
    request: HttpRequest, form: UploadForm, task: Task, *, title: str, trail: Trail, name: str = ""
) -> HttpResponse:
    def act() -> Done:
        version = services.supply(
            actor=actor_in(request),
            user=user_of(request),
            task=task,
            name=name or form.cleaned_data["name"],
            rows=form.rows,
        )
        message = f"{version} has {version.size:,} rows. Every verified version connected to the task is run on it."
        return Done(message, _url("golden_set", version.golden_set))

    cancel_url = trail[-2][1]
    context = {"title": title, "trail": trail, "task": task, "cancel_url": cancel_url}
    return sent(request, form, act) or show_form(request, "golden_sets/upload.html", form, context)


@require_GET
def golden_set(request: HttpRequest, task_id: int, name: str) -> HttpResponse:
    """A golden set and its versions; no content."""
    user = user_of(request)
    task = get_task_by_id(task_id)
    found = get_golden_set(task, name)
    context = {
        "golden_set": found,
        "task": task,
        "trail": _trail(task, (name, "")),
        "versions": [(one, may(user, "golden_sets.read_rows", one)) for one in versions_of(found)],
        "may_change": may(user, "golden_sets.change", task),
    }
    return render(request, "golden_sets/golden_set.html", context)


@require_GET
def rows(request: HttpRequest, task_id: int, name: str, number: int) -> HttpResponse:
    """The rows of a version with their content, for who supplied it. It is recorded."""
    user = user_of(request)
    task = get_task_by_id(task_id)
    version = get_version(get_golden_set(task, name), number)
    authorise(user, "golden_sets.read_rows", version, what="read the rows of this golden set")
    found = services.open_rows(actor=actor_in(request), version=version)
    context = {
        "version": version,
        "task": task,
        "trail": _trail(task, (name, _url("golden_set", version.golden_set)), (f"Rows of version {number}", "")),
        "rows": [(row, json.loads(row.content)) for row in found],
    }
    return render(request, "golden_sets/rows.html", context)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, task_id: int, name: str) -> HttpResponse:
    """Ask, then delete a golden set."""
    user = user_of(request)
    task = get_task_by_id(task_id)
    found = get_golden_set(task, name)
    authorise(user, "golden_sets.change", task, what=WHAT)
    here = _url("golden_set", found)

    def act() -> Done:
        services.delete_golden_set(actor=actor_in(request), golden_set=found)
        return Done(f"The golden set {name} is deleted.", reverse("catalog:task", args=[task.pk]))

    return confirm_page(
        request,
        act,
        title=f"Delete the golden set {name}?",
        trail=_trail(task, (name, here), ("Delete", "")),
        lead="This cannot be undone. It deletes:",
        goes=[
            f"{found.versions.count()} versions with their rows",
            f"{GoldenRun.objects.filter(version__golden_set=found).count()} results of versions of models",
        ],
        submit="Delete golden set",
        cancel_url=here,
    )


@require_GET
def results(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """How a version does on the golden sets of its tasks, with every row that failed."""
    return render(request, "golden_sets/results.html", _results(request, name, version))


@require_GET
def live_results(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The page's live part again while a run waits or goes on."""
    context = _results(request, name, version)
    return live_answer(request, context["live"], context)


@require_http_methods(["GET", "POST"])
def run(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Ask, then run a version on its golden sets again."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "golden_sets.run", revision, what="run this version on golden sets")
    here = reverse("golden_sets:results", args=[name, version])

    def act() -> Done:
        count = services.run_again(actor=actor_in(request), revision=revision)
        return Done(f"{count} run{'s wait' if count > 1 else ' waits'} for a host.", here)

    return confirm_page(
        request,
        act,
        title="Run the golden sets again?",
        trail=[*below_revision(revision, "Golden sets")[:-1], ("Golden sets", here), ("Run again", "")],
        lead=f"{revision} answers every row again. The present results stay until the runs succeed.",
        submit="Run again",
        cancel_url=here,
    )


def _results(request: HttpRequest, name: str, version: str) -> dict[str, Any]:
    revision = get_revision(user_of(request), name, version)
    found = list(runs_of(revision))
    is_final = all(run.get_state().is_final for run in found)
    return {
        "revision": revision,
        "trail": below_revision(revision, "Golden sets"),
        "may_run": _may_run(request, revision) and any(run.version.is_newest for run in found) and is_final,
        "runs": [
            {"run": run, "state": run.get_state(), "failures": list(failures_of(run)[:FAILURES_SHOWN])} for run in found
        ],
        "live": Live(
            id="golden-live",
            url=reverse("golden_sets:live_results", args=[name, version]),
            seconds=3,
            is_final=is_final,
            state=[[run.pk, run.state, run.attempt, run.progress, run.note, run.is_stale, run.cases] for run in found],
            result="golden_sets/components/results.html",
            announce=f"Golden sets of {version}: {'finished' if is_final else 'running'}",
            moving="The runs go on",
        ),
    }


def _may_run(request: HttpRequest, revision: Revision) -> bool:
    is_verified = revision.get_status() == RevisionStatus.VERIFIED
    return is_verified and may(user_of(request), "golden_sets.run", revision)


def _trail(task: Task, *further: tuple[str, str]) -> Trail:
    return [("Tasks", reverse("catalog:tasks")), (task.name, reverse("catalog:task", args=[task.pk])), *further]


def _url(page: str, found: GoldenSet) -> str:
    return reverse(f"golden_sets:{page}", args=[found.task_id, found.name])
