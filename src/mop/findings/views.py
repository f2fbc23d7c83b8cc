"""Pages of a version's findings and files, and of a model's waivers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.requests import actor_in, user_of
from mop.accounts.rules import authorise, may
from mop.errors import ValidationFailedError
from mop.findings.downloads import download_of
from mop.findings.forms import FileFilterForm, FindingFilterForm, WaiverForm
from mop.findings.rescans import may_be_scanned, request_rescan
from mop.findings.sections import counts
from mop.findings.selectors import (
    SEVERITIES,
    VERDICTS,
    current_scan,
    files_of,
    findings_of,
    get_waiver,
    require_scan,
    rescan_of,
    scans_of,
    waivers_of,
)
from mop.findings.waivers import create_waiver, end_waiver
from mop.registry.models import Revision
from mop.registry.selectors import get_model, get_revision
from mop.ui.forms import take_errors
from mop.ui.paging import keyset_page

INVALID = 422
PAGE_FINDINGS = 25
PAGE_FILES = 100
SCANS_SHOWN = 10
_WAIVED_FIELDS = ("scanner", "rule", "path", "identifier")


@require_GET
def findings(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """What the newest scan found, by severity, scanner and policy."""
    revision = _readable(request, name, version)
    context = _context(request, revision)
    scan = context["scan"]
    if scan is not None:
        form = FindingFilterForm(request.GET, scan=scan)
        given = form.cleaned_data if form.is_valid() else {}
        rows = findings_of(scan, **given)
        page = keyset_page(
            rows, field="number", descending=False, cursor=request.GET.get("cursor", ""), size=PAGE_FINDINGS
        )
        context |= {"form": form, "page": page, "filtered": any(given.values())}
    return render(request, "findings/findings.html", context)


@require_GET
def files(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The newest scan's verdict on every file of the snapshot."""
    revision = _readable(request, name, version)
    context = _context(request, revision)
    scan = context["scan"]
    if scan is not None:
        form = FileFilterForm(request.GET)
        given = form.cleaned_data if form.is_valid() else {}
        rows = files_of(scan, **given)
        # written in the order of their paths, which are too long for a cursor
        page = keyset_page(rows, field="id", descending=False, cursor=request.GET.get("cursor", ""), size=PAGE_FILES)
        context |= {"form": form, "page": page, "filtered": any(given.values())}
    return render(request, "findings/files.html", context)


@require_GET
def download(request: HttpRequest, name: str, version: str, kind: str) -> HttpResponse:
    """The newest scan as a file: json, sarif or sbom."""
    scan = require_scan(_readable(request, name, version))
    wanted = download_of(kind)
    response = HttpResponse(wanted.content(scan), content_type=wanted.media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}-{version}.{wanted.ending}"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def rescan(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Scan the version again."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "findings.rescan", revision, what="scan this revision")
    request_rescan(actor=actor_in(request), revision=revision)
    messages.success(request, f"{version} is scanned again with today's scanners, policy and advisories.")
    return redirect("findings:findings", name=name, version=version)


@require_GET
def waivers(request: HttpRequest, name: str) -> HttpResponse:
    """The waivers of a model, those that hold and those that ended."""
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "findings.view_findings", model, what="see the findings of this model")
    page = keyset_page(
        waivers_of(model),
        field="created_at",
        descending=True,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_FINDINGS,
    )
    context = {"model": model, "page": page, "today": timezone.localdate(), "may_waive": may(user, "findings.waive")}
    return render(request, "findings/waivers.html", context)


@require_http_methods(["GET", "POST"])
def add_waiver(request: HttpRequest, name: str) -> HttpResponse:
    """Waive a finding; the address may bring its scanner, rule, path and identifier along."""
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "findings.waive", model, what="waive findings")
    brought = {field: request.GET[field] for field in _WAIVED_FIELDS if field in request.GET}
    form = WaiverForm(request.POST or None, initial={**brought, "owner": user.username})
    here = reverse("findings:waivers", args=[name])
    if request.method == "POST" and form.is_valid():
        try:
            created = create_waiver(actor=actor_in(request), user=user, model=model, **form.cleaned_data)
        except ValidationFailedError as error:
            take_errors(form, error)
        else:
            messages.success(request, f"{created} is waived; it holds from the next scan.")
            return redirect(here)
    context = {
        "title": f"Waive a finding of {name}",
        "trail": [_models(), (name, _page_of(name)), ("Waivers", here), ("Waive a finding", "")],
        "lead": "The finding stays a warning and no longer blocks versions of this model, until the day you choose.",
        "form": form,
        "submit": "Waive finding",
        "cancel_url": here,
    }
    return render(request, "pages/form.html", context, status=INVALID if form.errors else 200)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, name: str, waiver_id: int) -> HttpResponse:
    """Ask, then end a waiver."""
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "findings.waive", model, what="end waivers")
    waiver = get_waiver(model, waiver_id)
    here = reverse("findings:waivers", args=[name])
    if request.method == "POST":
        end_waiver(actor=actor_in(request), waiver=waiver)
        messages.success(request, "The waiver is ended.")
        return redirect(here)
    context = {
        "title": f"End this waiver of {name}?",
        "trail": [_models(), (name, _page_of(name)), ("Waivers", here), ("End waiver", "")],
        "lead": "Versions that only it keeps from blocking turn vulnerable within minutes. It waives:",
        "goes": [str(waiver), waiver.reason],
        "submit": "End waiver",
        "cancel_url": here,
    }
    return render(request, "pages/confirm.html", context)


def _readable(request: HttpRequest, name: str, version: str) -> Revision:
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "findings.view_findings", revision, what="see the findings of this model")
    return revision


def _context(request: HttpRequest, revision: Revision) -> dict[str, Any]:
    user = user_of(request)
    scan = current_scan(revision)
    return {
        "revision": revision,
        "model": revision.model,
        "scan": scan,
        "scans": scans_of(revision)[:SCANS_SHOWN],
        "rescan": rescan_of(revision),
        "severities": counts(scan.severities, SEVERITIES) if scan else [],
        "verdicts": counts(scan.verdicts, VERDICTS) if scan else [],
        "may_rescan": may(user, "findings.rescan", revision) and may_be_scanned(revision),
        "may_waive": may(user, "findings.waive"),
    }


def _models() -> tuple[str, str]:
    return ("Models", reverse("registry:models"))


def _page_of(name: str) -> str:
    return reverse("registry:model", args=[name])
