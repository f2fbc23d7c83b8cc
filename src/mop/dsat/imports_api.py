"""API of files of DSAT cases, and of who reads the cases of a task."""

from __future__ import annotations

import binascii
import uuid
from typing import Any

import pybase64
from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_team
from mop.catalog.selectors import get_task
from mop.dsat import importing
from mop.dsat.access import grant_self, grant_team, withdraw
from mop.dsat.documents import grant_document, import_document
from mop.dsat.models import Import
from mop.dsat.schemas import AccessIn, AccessOut, ImportIn, ImportOut, PartIn
from mop.dsat.selectors import grants_of
from mop.errors import ValidationFailedError

router = Router(tags=["dsat"])
LISTED_MAX = 100


@router.get("/dsat-imports", response=list[ImportOut])
def list_imports(request: HttpRequest) -> list[dict[str, Any]]:
    """The caller's newest imports, 100 at most."""
    user = caller_of(request).user
    return [import_document(row) for row in importing.imports_of(user)[:LISTED_MAX]]


@router.post("/dsat-imports", response={201: ImportOut})
def begin_import(request: HttpRequest, body: ImportIn) -> Status[dict[str, Any]]:
    """Announce a file. Send its parts, then start the import."""
    caller = caller_of(request)
    authorise(caller.user, "dsat.create", what="add DSAT cases")
    with named_in("task"):
        task = get_task(body.task)
    row = importing.begin_import(
        actor=caller.actor,
        user=caller.user,
        task=task,
        file_name=body.file_name,
        size=body.size,
        service=body.service,
        is_restricted=body.restricted,
    )
    return Status(201, import_document(row))


@router.put("/dsat-imports/{import_id}/parts/{part}", response={204: None})
def put_part(request: HttpRequest, import_id: uuid.UUID, part: int, body: PartIn) -> Status[None]:
    """Send a part: 1,048,576 bytes, the last one what remains. The first is number 0; one may be sent again."""
    _, row = _import(request, import_id)
    try:
        data = pybase64.b64decode(body.data, validate=True)
    except (binascii.Error, ValueError):
        message = "This is not valid base64."
        raise ValidationFailedError(f"data: {message}", fields={"data": [message]}) from None
    importing.put_part(row=row, number=part, data=data)
    return Status(204, None)


@router.post("/dsat-imports/{import_id}/start", response=ImportOut)
def start_import(request: HttpRequest, import_id: uuid.UUID) -> dict[str, Any]:
    """Check the header, and make cases of the rows."""
    caller, row = _import(request, import_id)
    importing.start_import(actor=caller.actor, row=row)
    return import_document(importing.get_import(caller.user, import_id))


@router.get("/dsat-imports/{import_id}", response=ImportOut)
def get_import(request: HttpRequest, import_id: uuid.UUID) -> dict[str, Any]:
    """An import of the caller's with its report: the first 1,000 refused rows, with place and reason."""
    _, row = _import(request, import_id)
    return import_document(row)


@router.post("/dsat-imports/{import_id}/cancel", response=ImportOut)
def cancel_import(request: HttpRequest, import_id: uuid.UUID) -> dict[str, Any]:
    """End an import; cases that it made stay."""
    caller, row = _import(request, import_id)
    importing.cancel_import(actor=caller.actor, row=row)
    return import_document(importing.get_import(caller.user, import_id))


@router.delete("/dsat-imports/{import_id}", response={204: None})
def delete_import(request: HttpRequest, import_id: uuid.UUID) -> Status[None]:
    """Delete an import with its report; cases that it made stay."""
    caller, row = _import(request, import_id)
    importing.delete_import(actor=caller.actor, row=row)
    return Status(204, None)


@router.get("/tasks/{path:task}/dsat-access", response=list[AccessOut])
def list_access(request: HttpRequest, task: str) -> list[dict[str, Any]]:
    """Who reads the content of the task's cases beside its owners. Owners of the task, administrators."""
    found = get_task(task)
    authorise(caller_of(request).user, "dsat.see_grants", found, what="see who reads the cases of this task")
    return [grant_document(grant) for grant in grants_of(found)]


@router.post("/tasks/{path:task}/dsat-access", response={201: AccessOut})
def post_access(request: HttpRequest, task: str, body: AccessIn) -> Status[dict[str, Any]]:
    """Let a team read (owners of the task); without a team, the administrator who asks. It is recorded."""
    caller = caller_of(request)
    found = get_task(task)
    if body.team is None:
        authorise(caller.user, "dsat.grant_self", what="take the right to read these cases")
        grant = grant_self(actor=caller.actor, task=found, administrator=caller.user)
    else:
        authorise(caller.user, "dsat.grant_team", found, what="let teams read the cases of this task")
        with named_in("team"):
            team = get_team(caller.user, body.team)
        grant = grant_team(actor=caller.actor, task=found, team=team)
    return Status(201, grant_document(grant))


@router.delete("/tasks/{path:task}/dsat-access/{access_id}", response={204: None})
def delete_access(request: HttpRequest, task: str, access_id: int) -> Status[None]:
    """Take a right to read back. Owners of the task, administrators."""
    caller = caller_of(request)
    found = get_task(task)
    authorise(caller.user, "dsat.see_grants", found, what="change who reads the cases of this task")
    withdraw(actor=caller.actor, task=found, grant_id=access_id)
    return Status(204, None)


def _import(request: HttpRequest, import_id: uuid.UUID) -> tuple[Caller, Import]:
    caller = caller_of(request)
    return caller, importing.get_import(caller.user, import_id)
