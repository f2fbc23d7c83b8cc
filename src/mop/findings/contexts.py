"""What the pages of a version's findings and files show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.findings.downloads import DOWNLOADS
from mop.findings.forms import FileFilterForm, FindingFilterForm
from mop.findings.models import Rescan, Scan
from mop.findings.portal_extensions import counts
from mop.findings.rescans import may_be_scanned
from mop.findings.selectors import SEVERITIES, VERDICTS, current_scan, files_of, findings_of, rescan_of, scans_of
from mop.registry.models import Revision
from mop.ui.fragments import Action, Live
from mop.ui.paging import keyset_page

PAGE_FINDINGS = 25
PAGE_FILES = 100
SCANS_SHOWN = 10


def findings_context(request: HttpRequest, revision: Revision) -> dict[str, Any]:
    """A page of what the newest scan found, as the address filters it."""
    context = _context(request, revision, "Findings", "findings:live_findings", "findings/components/findings.html")
    scan = context["scan"]
    if scan is not None:
        form = FindingFilterForm(request.GET, scan=scan)
        given = form.cleaned_data if form.is_valid() else {}
        rows = findings_of(scan, **given)
        page = keyset_page(
            rows, field="number", descending=False, cursor=request.GET.get("cursor", ""), size=PAGE_FINDINGS
        )
        context |= {"form": form, "page": page, "filtered": any(given.values())}
    return context


def files_context(request: HttpRequest, revision: Revision) -> dict[str, Any]:
    """A page of the newest scan's verdicts on files, as the address filters it."""
    context = _context(request, revision, "Files", "findings:live_files", "findings/components/files.html")
    scan = context["scan"]
    if scan is not None:
        form = FileFilterForm(request.GET)
        given = form.cleaned_data if form.is_valid() else {}
        rows = files_of(scan, **given)
        # written in the order of their paths, which are too long for a cursor
        page = keyset_page(rows, field="id", descending=False, cursor=request.GET.get("cursor", ""), size=PAGE_FILES)
        context |= {"form": form, "page": page, "filtered": any(given.values())}
    return context


def _context(request: HttpRequest, revision: Revision, heading: str, live_url: str, result: str) -> dict[str, Any]:
    user = user_of(request)
    rescan = rescan_of(revision)  # before the scan, so that one that ends meanwhile is shown by the next answer
    scan = current_scan(revision)
    where = [revision.model.name, revision.version]
    return {
        "revision": revision,
        "model": revision.model,
        "heading": heading,
        "scan": scan,
        "scans": scans_of(revision)[:SCANS_SHOWN],
        "rescan": rescan,
        "severities": counts(scan.severities, SEVERITIES) if scan else [],
        "verdicts": counts(scan.verdicts, VERDICTS) if scan else [],
        "may_waive": may(user, "findings.waive"),
        "live": Live(
            id="scan",
            url=reverse(live_url, args=where),
            query=request.GET.urlencode(),
            seconds=3,
            is_final=revision.get_status().is_final and not (rescan and rescan.is_on_its_way),
            state=[scan and scan.pk, rescan and [rescan.pk, rescan.failure]],
            status=scan.get_decision() if scan else None,
            progress="findings/components/rescan.html",
            actions=_actions(request, revision, scan, rescan),
            result=result,
            moving="The version is being scanned",
        ),
    }


def _actions(request: HttpRequest, revision: Revision, scan: Scan | None, rescan: Rescan | None) -> list[Action]:
    """Downloads of the scan, and asking for another."""
    where = [revision.model.name, revision.version]
    actions = [
        Action(f"download-{kind}", kind.upper(), reverse("findings:download", args=[*where, kind]), icon="download")
        for kind in DOWNLOADS
        if scan and (scan.is_complete or kind != "sbom")
    ]
    is_asked_for = rescan is not None and rescan.is_on_its_way
    if may(user_of(request), "findings.rescan", revision) and may_be_scanned(revision) and not is_asked_for:
        actions.append(Action("rescan", "Scan again", reverse("findings:rescan", args=where), is_post=True))
    return actions
