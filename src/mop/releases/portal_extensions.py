"""What gates and releases show on pages of tasks and versions."""

from __future__ import annotations

from django.db.models import FilteredRelation, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.releases.presentation import badge_of
from mop.releases.release_states import ReleaseState
from mop.releases.selectors import current_gate
from mop.releases.services import conditions_of

RELEASES_SHOWN = 5
_RELEASE_VALUES = ("releases__pk", "releases__state", "releases__state_changed_at", "releases__service__name")


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


def gates_and_releases(request: HttpRequest, revision: Revision) -> SafeString:
    """How a verified version came out of its tasks' gates when it was last judged, and its newest releases.

    One query. A person who sees a version sees its releases: it is public, or they own its model, or administer.
    """
    if revision.get_status() != RevisionStatus.VERIFIED:
        return SafeString("")
    current = Q(gate_reports__service=None, gate_reports__is_current=True)
    rows = list(
        Revision.objects.filter(pk=revision.pk)
        .annotate(report=FilteredRelation("gate_reports", condition=current))
        .order_by("-releases__pk")
        .values("report__result", "report__judged_at", "report__document", *_RELEASE_VALUES)[:RELEASES_SHOWN]
    )
    judged = rows[0] if rows and rows[0]["report__result"] else None
    may_request = may(user_of(request), "releases.request", revision)
    context = {
        "revision": revision,
        "report": judged,
        "badge": badge_of(judged["report__result"]) if judged else None,
        "judged_at": judged["report__judged_at"] if judged else None,
        "conditions": len(judged["report__document"]["rows"]) if judged else 0,
        "may_request": may_request,
        "releases": [
            {
                "number": row["releases__pk"],
                "service": row["releases__service__name"],
                "state": ReleaseState(row["releases__state"]),
                "changed_at": row["releases__state_changed_at"],
            }
            for row in rows
            if row["releases__pk"] is not None
        ],
    }
    names = ["revision_gates", "revision_releases"] if context["releases"] or may_request else ["revision_gates"]
    return mark_safe("".join(render_to_string(f"releases/components/{name}.html", context, request) for name in names))  # noqa: S308 - templates
