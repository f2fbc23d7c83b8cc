"""What gates and releases show on pages of tasks and versions."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.releases.presentation import badge_of
from mop.releases.requests.selectors import visible_releases
from mop.releases.selectors import current_gate, current_report
from mop.releases.services import conditions_of

RELEASES_SHOWN = 5


def gate_of_task(request: HttpRequest, task: Task) -> SafeString:
    """The conditions of a task."""
    gate = current_gate(task)
    context = {
        "owner": task,
        "gate": gate,
        "conditions": [str(condition) for condition in conditions_of(gate)],
        "may_change": may(user_of(request), "releases.change_task_gate", task),
    }
    return render_to_string("releases/components/task_gate.html", context, request=request)


def gates_of_revision(request: HttpRequest, revision: Revision) -> SafeString:
    """How a verified version came out of its tasks' gates when it was last judged."""
    if revision.get_status() != RevisionStatus.VERIFIED:
        return SafeString("")
    report = current_report(revision, None)
    context = {
        "revision": revision,
        "report": report,
        "badge": badge_of(report.result) if report else None,
        "conditions": len(report.document["rows"]) if report else 0,
    }
    return render_to_string("releases/components/revision_gates.html", context, request=request)


def releases_of_revision(request: HttpRequest, revision: Revision) -> SafeString:
    """The newest releases of a verified version, and the way to request one."""
    if revision.get_status() != RevisionStatus.VERIFIED:
        return SafeString("")
    user = user_of(request)
    found = list(visible_releases(user).filter(revision=revision)[:RELEASES_SHOWN])
    may_request = may(user, "releases.request", revision)
    if not found and not may_request:
        return SafeString("")
    context = {"revision": revision, "releases": found, "may_request": may_request}
    return render_to_string("releases/components/revision_releases.html", context, request=request)
