"""Pages of a version's findings and files, and of a model's waivers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise, may
from mop.findings.contexts import PAGE_FINDINGS, files_context, findings_context
from mop.findings.downloads import download_of
from mop.findings.forms import WaiverForm
from mop.findings.rescans import request_rescan
from mop.findings.selectors import get_waiver, require_scan, waivers_of
from mop.findings.waivers import create_waiver, end_waiver
from mop.registry.models import Revision
from mop.registry.selectors import get_model, get_revision
from mop.registry.trails import below_model, below_revision
from mop.ui.fragments import live_answer
from mop.ui.pages import Done, confirm_page, form_page
from mop.ui.paging import keyset_page

_WAIVED_FIELDS = ("scanner", "rule", "path", "identifier")


@require_GET
def findings(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """What the newest scan found, by severity, scanner and policy."""
    return _page(request, findings_context(request, _readable(request, name, version)))


@require_GET
def live_findings(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The findings again while a scan is to come."""
    context = findings_context(request, _readable(request, name, version))
    return live_answer(request, context["live"], context)


@require_GET
def files(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The newest scan's verdict on every file of the snapshot."""
    return _page(request, files_context(request, _readable(request, name, version)))


@require_GET
def live_files(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The verdicts again while a scan is to come."""
    context = files_context(request, _readable(request, name, version))
    return live_answer(request, context["live"], context)


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
    authorise(user, "findings.rescan", revision, what="scan this version")
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
    context = {
        "model": model,
        "trail": below_model(name, ("Waivers", "")),
        "page": page,
        "today": timezone.localdate(),
        "may_waive": may(user, "findings.waive"),
    }
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

    def act() -> Done:
        created = create_waiver(actor=actor_in(request), user=user, model=model, **form.cleaned_data)
        return Done(f"{created} is waived from the next scan on.", here)

    return form_page(
        request,
        form,
        act,
        title=f"Waive a finding of {name}",
        trail=below_model(name, ("Waivers", here), ("Waive a finding", "")),
        lead="The finding stays a warning and no longer blocks versions of this model, until the day you choose.",
        submit="Waive finding",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, name: str, waiver_id: int) -> HttpResponse:
    """Ask, then end a waiver."""
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "findings.waive", model, what="end waivers")
    waiver = get_waiver(model, waiver_id)
    here = reverse("findings:waivers", args=[name])

    def act() -> Done:
        end_waiver(actor=actor_in(request), waiver=waiver)
        return Done("The waiver is ended.", here)

    return confirm_page(
        request,
        act,
        title=f"End this waiver of {name}?",
        trail=below_model(name, ("Waivers", here), ("End waiver", "")),
        lead="Versions that only this waiver protects become vulnerable within minutes. It waives:",
        goes=[str(waiver), waiver.reason],
        submit="End waiver",
        cancel_url=here,
    )


def _readable(request: HttpRequest, name: str, version: str) -> Revision:
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "findings.view_findings", revision, what="see the findings of this model")
    return revision


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    trail = below_revision(context["revision"], context["heading"])
    return render(request, "findings/scan.html", {**context, "trail": trail})
