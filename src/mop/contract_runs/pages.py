"""What the pages of connected tasks and samples show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.contract_runs.selectors import VersionState, connected_tasks, sample_runs
from mop.contract_runs.services import disconnection_obstacles
from mop.contract_runs.states import ContractRunState
from mop.registry.models import Model, Revision
from mop.registry.selectors import visible_revisions
from mop.registry.statuses import REVISION_LIFECYCLE, RevisionStatus
from mop.ui.fragments import Live

VERSIONS_SHOWN = 5
RUNS_SHOWN = 20
AGAIN = frozenset(
    {
        ContractRunState.NOT_CHECKED,
        ContractRunState.FAILED,
        ContractRunState.UNDECIDED,
        ContractRunState.CANCELLED,
    }
)


def tasks_context(request: HttpRequest, model: Model) -> dict[str, Any]:
    """The connected tasks with the states of the newest versions that the user sees, and what the user may do."""
    user = user_of(request)
    may_change = may(user, "contract_runs.change", model)
    with_errors = may(user, "contract_runs.view_errors", model)
    found = connected_tasks(model, visible_revisions(user), VERSIONS_SHOWN)
    connected, revisions = found.tasks, found.revisions
    obstacles = disconnection_obstacles(one.connection for one in connected) if may_change else {}
    rows = [
        {
            "connection": one.connection,
            "versions": [_shown(state, may_change=may_change, with_errors=with_errors) for state in one.versions],
            "obstacle": obstacles.get(one.connection.task_id, ""),
            "may_correct": may_change and not any(state.state == ContractRunState.PASSED for state in one.versions),
        }
        for one in connected
    ]
    states = [(one.connection.pk, [state.state for state in one.versions]) for one in connected]
    moves = any(state.is_live for _, of_task in states for state in of_task) or any(
        not revision.get_status().is_final for revision in revisions
    )
    return {
        "model": model,
        "task_rows": rows,
        "may_change_tasks": may_change,
        "can_add_task": may_change and found.can_add,
        "tasks_live": Live(
            id="connected-tasks-live",
            url=reverse("contract_runs:live_tasks", args=[model.name]),
            seconds=3,
            is_final=not moves,
            state=[states, [[str(revision.pk), revision.status] for revision in revisions]],
            result="contract_runs/components/tasks.html",
        ),
    }


def _shown(one: VersionState, *, may_change: bool, with_errors: bool) -> dict[str, Any]:
    may_check = may_change and one.state in AGAIN and one.revision.get_status() == RevisionStatus.VERIFIED
    return {
        "revision": one.revision,
        "state": one.state,
        "run": one.run if one.state.is_live else None,
        "error": one.error if with_errors else None,
        "may_check": may_check,
    }


def sample_context(user: User, revision: Revision) -> dict[str, Any]:
    """A version's newest attempt to change its sample, for owners; and whether it can be changed now."""
    may_change = may(user, "contract_runs.change", revision)
    status = revision.get_status()
    may_view = may(user, "contract_runs.view_errors", revision) and not status.is_live  # no run goes beside a pipeline
    runs = list(sample_runs(revision)[:RUNS_SHOWN]) if may_view else []
    run = runs[0] if runs else None
    changeable = status == RevisionStatus.VERIFIED or (status in REVISION_LIFECYCLE.restarts and status.is_final)
    return {
        "revision": revision,
        "model": revision.model,
        "run": run,
        "may_change_sample": may_change,
        "can_change_sample": may_change and changeable and not (run and run.get_state().is_live),
        "is_verified": status == RevisionStatus.VERIFIED,
        "runs": runs,
    }
