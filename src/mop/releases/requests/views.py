"""Pages of releases: the list, one release with its evidence, two beside each other."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.errors import ValidationFailedError
from mop.releases.gates.report import GateDocument
from mop.releases.models import Policy
from mop.releases.presentation import badge_of, counts, groups
from mop.releases.release_models import LiveSlot, Release
from mop.releases.release_states import ReleaseState
from mop.releases.requests.deciding import approval_obstacle, current_evidence
from mop.releases.requests.evidence import Evidence, changes_between
from mop.releases.requests.forms import ApprovalForm, ReleaseFilter
from mop.releases.requests.presentation import changes_of, gate_counts, steps_of
from mop.releases.requests.selectors import (
    ENDED,
    LIVE,
    WAITING,
    filtered,
    get_release,
    overtaking,
    slots_of,
    visible_releases,
)
from mop.releases.rules import is_admin_of_release
from mop.releases.selectors import services
from mop.ui.extensions import RELEASE_SECTIONS
from mop.ui.paging import keyset_page

PAGE_SIZE = 25
SERVICES_SHOWN = 6


@require_GET
def releases_page(request: HttpRequest) -> HttpResponse:
    """What is live of each service, and every release that the person may see."""
    user = user_of(request)
    form = ReleaseFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    seen = visible_releases(user)
    found = filtered(
        seen,
        service=asked.get("service", ""),
        state=asked.get("state", ""),
        taxonomy=asked.get("taxonomy", ""),
        search=asked.get("search", "").strip(),
    )
    page = keyset_page(found, field="pk", descending=True, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    shown = list(services()[:SERVICES_SHOWN])
    slots: dict[int, list[LiveSlot]] = {}
    for slot in LiveSlot.objects.filter(service__in=shown).select_related("taxonomy", "live__revision"):
        slots.setdefault(slot.service_id, []).append(slot)
    context = {
        "form": form,
        "page": page,
        "rows": [(release, gate_counts(release)) for release in page.rows],
        "services": [(service, slots.get(service.pk, [])) for service in shown],
        "groups": [("", "All"), (WAITING, "Waiting"), (LIVE, "Live"), (ENDED, "Ended")],
        "is_filtered": any(asked.values()),
    }
    return render(request, "releases/releases.html", context)


@require_GET
def release_page(request: HttpRequest, number: int) -> HttpResponse:
    """One release: its evidence, what is live, and what the person may do."""
    return show_release(request, get_release(user_of(request), number))


def show_release(request: HttpRequest, release: Release, approval: ApprovalForm | None = None) -> HttpResponse:
    """The page of a release; `approval` is a form that was sent and refused."""
    user = user_of(request)
    is_open = release.state == ReleaseState.REQUESTED and may(user, "releases.see_how_it_stands", release)
    now = current_evidence(release) if is_open else None
    document = now.document if now else (release.evidence_at_decision or release.evidence_at_request)
    gates = GateDocument.from_dict(document["gates"])
    wanted = {one.slot for one in release.tasks.all()}
    slots = [slot for slot in slots_of(release.service) if (slot.taxonomy_id, slot.modality) in wanted]
    form = approval or _approval(now)
    decides = release.state == ReleaseState.REQUESTED and bool(is_admin_of_release(user, release))
    obstacle = approval_obstacle(release, user) if release.state == ReleaseState.REQUESTED else ""
    unmet = [one for one in document["preconditions"] if not one["holds"]]
    blocks = release.service.policy == Policy.BLOCK
    approves = decides and form is not None and not obstacle and not unmet and not (blocks and now and now.failing)
    context = {
        "release": release,
        "state": release.get_state(),
        "steps": steps_of(release),
        "trail": [
            ("Releases", reverse("releases:releases")),
            (release.service.name, reverse("releases:service", args=[release.service.name])),
            (f"Release {release.pk}", ""),
        ],
        "badge": badge_of(gates.result),
        "counts": counts(gates),
        "groups": groups(gates),
        "preconditions": document["preconditions"],
        "unmet": unmet,
        "findings": document["findings"],
        "replaces": document["replaces"],
        "difference": changes_of(document["difference"]),
        "overtaking": overtaking(release),
        "frozen": now is None,
        "evidence": now,
        "changes": changes_between(release.evidence_at_request, document) if now else [],
        "slots": slots,
        "canary": next((slot for slot in slots if slot.canary_id == release.pk), None),
        "events": list(release.events.all()),
        "actions": _actions(user, release, slots),
        "decides": decides,
        "approves": approves,
        "refusals": form.non_field_errors() if form and not approves else [],
        "obstacle": obstacle,
        "blocks": blocks,
        "approval": form,
        "sections": RELEASE_SECTIONS.shown(request, release),
        "details_url": _details(release),
        "model": release.revision.model if release.revision else None,
    }
    return render(request, "releases/release.html", context, status=422 if form and form.errors else 200)


@require_GET
def compare_page(request: HttpRequest) -> HttpResponse:
    """What differs between two releases: versions, tasks, how conditions came out."""
    user = user_of(request)
    first, second = (get_release(user, _number(request, name)) for name in ("first", "second"))
    documents = [one.evidence_at_decision or one.evidence_at_request for one in (first, second)]
    results = [
        {(row.measure, row.threshold, row.task, row.gate): row for row in GateDocument.from_dict(one["gates"]).rows}
        for one in documents
    ]
    names = sorted(set(results[0]) | set(results[1]))
    context = {
        "first": first,
        "second": second,
        "trail": [("Releases", reverse("releases:releases")), (f"Releases {first.pk} and {second.pk}", "")],
        "rows": [(name, *(_shown(result.get(name)) for result in results)) for name in names],
        "findings": [(one["findings"]["severities"], one["findings"]["scanned_on"]) for one in documents],
        "documents": documents,
    }
    return render(request, "releases/compare.html", context)


def _shown(row: Any) -> Any:
    return None if row is None else badge_of(row.result)


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not text.isdecimal():
        message = "Give the numbers of two releases."
        raise ValidationFailedError(message, fields={name: [message]})
    return int(text)


def _approval(now: Evidence | None) -> ApprovalForm | None:
    if now is None:
        return None
    return ApprovalForm(is_failing=bool(now.failing), initial={"evidence": now.digest})


def _details(release: Release) -> str:
    if release.revision is None:
        return ""
    return reverse("registry:revision", args=[release.revision.model.name, release.revision.version])


def _actions(user: User, release: Release, slots: list[LiveSlot]) -> list[dict[str, str]]:
    """What the person may do with the release as it stands, but for the decision."""
    found = []
    state = release.get_state()
    is_canary = any(slot.canary_id == release.pk for slot in slots)

    def add(label: str, name: str, look: str = "") -> None:
        found.append({"label": label, "url": reverse(f"releases:{name}", args=[release.pk]), "look": look})

    if may(user, "releases.decide", release):
        if state == ReleaseState.APPROVED:
            add("Make it live", "released", "primary")
            add("Change the canary" if is_canary else "Start a canary", "canary")
            if is_canary:
                add("End the canary", "end_canary")
        if state == ReleaseState.RELEASED:
            add("Roll back…", "rollback", "danger")
            add("Retire…", "retire", "danger")
    if state in (ReleaseState.REQUESTED, ReleaseState.APPROVED) and may(user, "releases.withdraw", release):
        add("Withdraw…", "withdraw")
    return found
