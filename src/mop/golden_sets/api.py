"""API of golden sets: what tasks have, and how versions do on them."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import caller_of
from mop.accounts.rules import authorise
from mop.catalog.selectors import get_task
from mop.golden_sets import services
from mop.golden_sets.documents import golden_set_out, rows_out, run_out
from mop.golden_sets.reading import read_rows
from mop.golden_sets.schemas import GoldenRowsOut, GoldenRunPage, GoldenSetIn, GoldenSetOut, GoldenSetPage
from mop.golden_sets.selectors import get_golden_set, get_version, golden_sets_of, runs_of
from mop.registry.selectors import get_revision

router = Router(tags=["golden sets"])
_SETS = "/tasks/{path:task}/golden-sets"
_RUNS = "/models/{name}/revisions/{version}/golden-sets"


@router.get(_SETS, response=GoldenSetPage)
def list_golden_sets(request: HttpRequest, task: str) -> GoldenSetPage:
    """The golden sets of a task with their versions; no content. Everyone signed in."""
    user = caller_of(request).user
    return GoldenSetPage(tuple(golden_set_out(user, one) for one in golden_sets_of(get_task(task))))


@router.post(_SETS, response={201: GoldenSetOut})
def post_golden_set(request: HttpRequest, task: str, body: GoldenSetIn) -> Status[GoldenSetOut]:
    """Make a golden set, or the next version of the one with this name. Task owners only.

    Every verified version that is connected to the task is run on it.
    """
    caller = caller_of(request)
    found = get_task(task)
    authorise(caller.user, "golden_sets.change", found, what="change the golden sets of this task")
    rows = read_rows(found, body.content, form=body.format)
    version = services.supply(actor=caller.actor, user=caller.user, task=found, name=body.name, rows=rows)
    return Status(201, golden_set_out(caller.user, version.golden_set))


@router.get(f"{_SETS}/{{name}}/rows", response=GoldenRowsOut)
def get_rows(request: HttpRequest, task: str, name: str, version: int | None = None) -> GoldenRowsOut:
    """The rows of a version with their content; the newest unless one is named. Only who supplied it; recorded."""
    caller = caller_of(request)
    found = get_version(get_golden_set(get_task(task), name), version)
    authorise(caller.user, "golden_sets.read_rows", found, what="read the rows of this golden set")
    return rows_out(found, services.open_rows(actor=caller.actor, version=found))


@router.get(f"{_SETS}/{{name}}", response=GoldenSetOut)
def get_one_golden_set(request: HttpRequest, task: str, name: str) -> GoldenSetOut:
    """A golden set with its versions; no content. Everyone signed in."""
    return golden_set_out(caller_of(request).user, get_golden_set(get_task(task), name))


@router.delete(f"{_SETS}/{{name}}", response={204: None})
def delete_golden_set(request: HttpRequest, task: str, name: str) -> Status[None]:
    """Delete a golden set with its rows and every result on it. Task owners only."""
    caller = caller_of(request)
    found = get_task(task)
    authorise(caller.user, "golden_sets.change", found, what="change the golden sets of this task")
    services.delete_golden_set(actor=caller.actor, golden_set=get_golden_set(found, name))
    return Status(204, None)


@router.get(_RUNS, response=GoldenRunPage)
def list_runs(request: HttpRequest, name: str, version: str) -> GoldenRunPage:
    """How a version does on golden sets, with every row that failed; no content. Everyone who sees the revision."""
    revision = get_revision(caller_of(request).user, name, version)
    return GoldenRunPage(tuple(run_out(run) for run in runs_of(revision)))


@router.post(f"{_RUNS}/run", response=GoldenRunPage)
def post_run(request: HttpRequest, name: str, version: str) -> GoldenRunPage:
    """Run a version on the golden sets of its tasks, every row anew. Model owners only."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "golden_sets.run", revision, what="run this version on golden sets")
    services.run_again(actor=caller.actor, revision=revision)
    return GoldenRunPage(tuple(run_out(run) for run in runs_of(revision)))
