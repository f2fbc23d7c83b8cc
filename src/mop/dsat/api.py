"""API of DSAT cases."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.listing import list_page
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_user
from mop.catalog.selectors import get_task
from mop.dsat import services
from mop.dsat.deletion import delete_case
from mop.dsat.documents import case_detail, case_document
from mop.dsat.models import Case
from mop.dsat.reading import reader
from mop.dsat.schemas import (
    AssignIn,
    CaseContentOut,
    CaseDetail,
    CaseIn,
    CasePage,
    CasePatch,
    CommentIn,
    FixIn,
    KindName,
    RestrictIn,
)
from mop.dsat.selectors import CaseFilter, case_number, cases_for_list, get_case
from mop.dsat.states import CaseState
from mop.registry.selectors import get_revision

router = Router(tags=["dsat"])


@router.get("/dsat", response=CasePage)
def list_cases(
    request: HttpRequest,
    task: str = "",
    state: CaseState | Literal["waiting", ""] = "",
    kind: KindName | None = None,
    service: str = "",
    assignee: Annotated[str, Query(description="a user name, or `nobody`")] = "",
    submitter: str = "",
    search: Annotated[str, Query(description="words that all stand in what the caller may read, or a number")] = "",
    trace_id: str = "",
    tag: str = "",
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Cases, newest first. Content, tags and trace ids are searched in cases that the caller may read."""
    reading = reader(caller_of(request).user)
    wanted = CaseFilter(
        task=task,
        state=state,
        kind=kind or "",
        service=service,
        assignee=assignee,
        submitter=submitter,
        search=search,
        trace_id=trace_id,
        tag=tag,
    )
    cases, field = cases_for_list(wanted, reading)
    page = list_page(cases, field=field, descending=True, cursor=cursor, limit=limit)
    return {**page, "items": [case_document(case, reading) for case in page["items"]]}


@router.post("/dsat", response={201: CaseDetail})
def post_case(request: HttpRequest, body: CaseIn) -> Status[dict[str, Any]]:
    """Add a case. `similar` of the answer names near duplicates that the caller may read."""
    caller = caller_of(request)
    authorise(caller.user, "dsat.create", what="add DSAT cases")
    with named_in("task"):
        task = get_task(body.task)
    case = services.add_case(
        task=task,
        content=body.content,
        actor=caller.actor,
        submitter=caller.user,
        reported_by_service=body.service,
        expected_label=body.expected_label,
        kind=body.kind or "",
        predicted_label=body.predicted_label,
        trace_id=body.trace_id,
        description=body.description,
        tags=body.tags,
        is_restricted=body.restricted,
    )
    return Status(201, _detail(caller, case.pk))


@router.get("/dsat/{number}", response=CaseDetail)
def get_one_case(request: HttpRequest, number: str) -> dict[str, Any]:
    """One case, without its content."""
    return _detail(caller_of(request), case_number(number))


@router.patch("/dsat/{number}", response=CaseDetail)
def patch_case(request: HttpRequest, number: str, body: CasePatch) -> dict[str, Any]:
    """Change what is known of a case. Submitter, assignee, owners of the task."""
    caller, case = _case(request, number, "dsat.change", "change this case")
    services.change_case(actor=caller.actor, case=case, change=services.CaseChange(**body.dict()))
    return _detail(caller, case.pk)


@router.delete("/dsat/{number}", response={204: None})
def remove_case(request: HttpRequest, number: str) -> Status[None]:
    """Delete a case with everything that was derived from it or recorded for it. Its submitter."""
    caller, case = _case(request, number, "dsat.delete", "delete this case")
    delete_case(actor=caller.actor, case=case)
    return Status(204, None)


@router.post("/dsat/{number}/open", response=CaseContentOut)
def open_case(request: HttpRequest, number: str) -> dict[str, Any]:
    """Read the content. Who may: people on the case, owners of the task, teams that they let read. It is recorded."""
    caller, case = _case(request, number, "dsat.read_content", "read the content of this case")
    opened = services.open_content(actor=caller.actor, case=case)
    return {"number": case.number, "content": opened.item}


@router.post("/dsat/{number}/assign", response=CaseDetail)
def assign(request: HttpRequest, number: str, body: AssignIn) -> dict[str, Any]:
    """Give the case to a person, who reads its content from now on."""
    caller, case = _case(request, number, "dsat.assign", "assign this case")
    to = None
    if body.username is not None:
        with named_in("username"):
            to = get_user(body.username)
    services.assign(actor=caller.actor, case=case, to=to)
    return _detail(caller, case.pk)


@router.post("/dsat/{number}/confirm", response=CaseDetail)
def confirm(request: HttpRequest, number: str) -> dict[str, Any]:
    """Agree that the service answered wrongly. Assignee, owners of the task."""
    caller, case = _case(request, number, "dsat.decide", "confirm this case")
    services.confirm(actor=caller.actor, case=case)
    return _detail(caller, case.pk)


@router.post("/dsat/{number}/fix", response=CaseDetail)
def fix(request: HttpRequest, number: str, body: FixIn) -> dict[str, Any]:
    """Note which version answers the case as expected. Assignee, owners of the task."""
    caller, case = _case(request, number, "dsat.decide", "mark this case as fixed")
    revision = None
    if body.model or body.version:
        with named_in("version"):
            revision = get_revision(caller.user, body.model, body.version)
    services.mark_fixed(actor=caller.actor, case=case, revision=revision)
    return _detail(caller, case.pk)


@router.post("/dsat/{number}/reject", response=CaseDetail)
def reject(request: HttpRequest, number: str) -> dict[str, Any]:
    """Say that the case is no fault of a model; regression tests leave it out. Assignee, owners of the task."""
    caller, case = _case(request, number, "dsat.decide", "reject this case")
    services.reject(actor=caller.actor, case=case)
    return _detail(caller, case.pk)


@router.post("/dsat/{number}/close", response=CaseDetail)
def close(request: HttpRequest, number: str) -> dict[str, Any]:
    """Accept the fix. Submitter, assignee, owners of the task."""
    caller, case = _case(request, number, "dsat.close", "close this case")
    services.close(actor=caller.actor, case=case)
    return _detail(caller, case.pk)


@router.post("/dsat/{number}/reopen", response=CaseDetail)
def reopen(request: HttpRequest, number: str) -> dict[str, Any]:
    """Open a case again that was fixed, closed or rejected. Its submitter."""
    caller, case = _case(request, number, "dsat.reopen", "reopen this case")
    services.reopen(actor=caller.actor, case=case)
    return _detail(caller, case.pk)


@router.post("/dsat/{number}/restrict", response=CaseDetail)
def restrict(request: HttpRequest, number: str, body: RestrictIn) -> dict[str, Any]:
    """Let submitter and assignee alone read the content, or all whom the task lets read. Its submitter."""
    caller, case = _case(request, number, "dsat.restrict", "restrict this case")
    services.restrict(actor=caller.actor, case=case, is_restricted=body.restricted)
    return _detail(caller, case.pk)


@router.post("/dsat/{number}/comments", response={201: CaseDetail})
def comment(request: HttpRequest, number: str, body: CommentIn) -> Status[dict[str, Any]]:
    """Say something to those who read the content."""
    caller, case = _case(request, number, "dsat.comment", "comment on this case")
    services.add_comment(actor=caller.actor, case=case, author=caller.user, text=body.text)
    return Status(201, _detail(caller, case.pk))


def _case(request: HttpRequest, number: str, permission: str, what: str) -> tuple[Caller, Case]:
    caller = caller_of(request)
    case = get_case(case_number(number))
    authorise(caller.user, permission, case, what=what)
    return caller, case


def _detail(caller: Caller, case_id: int) -> dict[str, Any]:
    return case_detail(get_case(case_id), reader(caller.user))
