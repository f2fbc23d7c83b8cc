"""API of scans, findings, verdicts, waivers and their downloads."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.accounts.models import User
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_user
from mop.findings.downloads import download_of
from mop.findings.models import Rescan, Scan, Waiver
from mop.findings.rescans import request_rescan
from mop.findings.schemas import (
    ActionName,
    FilePage,
    FindingPage,
    RescanOut,
    ScanOut,
    SeverityName,
    VerdictName,
    WaiverIn,
    WaiverOut,
    WaiverPage,
)
from mop.findings.selectors import files_of, findings_of, get_waiver, require_scan, waivers_of
from mop.findings.waivers import create_waiver, end_waiver
from mop.registry.selectors import get_model, get_revision

router = Router(tags=["findings"])
_REVISION = "/models/{name}/revisions/{version}"
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get(f"{_REVISION}/scan", response=ScanOut)
def get_scan(request: HttpRequest, name: str, version: str) -> Scan:
    """The newest scan of a version. Owners and administrators."""
    return _scan(caller_of(request).user, name, version)


@router.get(f"{_REVISION}/findings", response=FindingPage)
def list_findings(
    request: HttpRequest,
    name: str,
    version: str,
    severity: SeverityName | None = None,
    scanner: str = "",
    action: ActionName | None = None,
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """What the newest scan found, worst first. Owners and administrators."""
    scan = _scan(caller_of(request).user, name, version)
    rows = findings_of(scan, severity=severity or "", scanner=scanner, action=action or "")
    return list_page(rows, field="number", descending=False, cursor=cursor, limit=limit)


@router.get(f"{_REVISION}/files", response=FilePage)
def list_files(
    request: HttpRequest,
    name: str,
    version: str,
    verdict: VerdictName | None = None,
    search: str = "",
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """The newest scan's verdict on every file of the snapshot. Owners and administrators."""
    scan = _scan(caller_of(request).user, name, version)
    rows = files_of(scan, verdict=verdict or "", search=search)
    return list_page(rows, field="id", descending=False, cursor=cursor, limit=limit)


@router.get(f"{_REVISION}/findings/{{kind}}")
def get_download(request: HttpRequest, name: str, version: str, kind: str) -> HttpResponse:
    """The newest scan as a file: `json`, `sarif`, or `sbom` (CycloneDX). Owners and administrators."""
    scan = _scan(caller_of(request).user, name, version)
    download = download_of(kind)
    return HttpResponse(download.content(scan), content_type=download.media_type)


@router.post(f"{_REVISION}/rescan", response={202: RescanOut})
def post_rescan(request: HttpRequest, name: str, version: str) -> Status[Rescan]:
    """Scan the version again with today's scanners, policy and advisories. Owners and administrators."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "findings.rescan", revision, what="scan this version")
    return Status(202, request_rescan(actor=caller.actor, revision=revision))


@router.get("/models/{name}/waivers", response=WaiverPage)
def list_waivers(request: HttpRequest, name: str, cursor: str = "", limit: Limit = 50) -> dict[str, Any]:
    """Waivers of a model's findings, the ended ones included, newest first. Owners and administrators."""
    user = caller_of(request).user
    model = get_model(user, name)
    authorise(user, "findings.view_findings", model, what="see the findings of this model")
    return list_page(waivers_of(model), field="created_at", descending=True, cursor=cursor, limit=limit)


@router.post("/models/{name}/waivers", response={201: WaiverOut})
def post_waiver(request: HttpRequest, name: str, body: WaiverIn) -> Status[Waiver]:
    """Waive a finding of a model's versions until a day. Administrators only."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "findings.waive", model, what="waive findings")
    with named_in("owner"):
        owner = get_user(body.owner)
    given = body.dict() | {"owner": owner}
    return Status(201, create_waiver(actor=caller.actor, user=caller.user, model=model, **given))


@router.delete("/models/{name}/waivers/{waiver_id}", response={204: None})
def delete_waiver(request: HttpRequest, name: str, waiver_id: int) -> Status[None]:
    """End a waiver. Administrators only."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "findings.waive", model, what="end waivers")
    end_waiver(actor=caller.actor, waiver=get_waiver(model, waiver_id))
    return Status(204, None)


def _scan(user: User, name: str, version: str) -> Scan:
    revision = get_revision(user, name, version)
    authorise(user, "findings.view_findings", revision, what="see the findings of this version")
    return require_scan(revision)
