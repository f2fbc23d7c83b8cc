"""What golden sets show on the pages of tasks and versions."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.golden_sets.selectors import newest_versions, runs_of
from mop.registry.models import Revision
from mop.ui.extensions import LiveSection


def golden_sets_of_task(request: HttpRequest, task: Task) -> SafeString:
    """The golden sets of a task."""
    context = {
        "task": task,
        "versions": list(newest_versions(task)),
        "may_change": may(user_of(request), "golden_sets.change", task),
    }
    return render_to_string("golden_sets/components/task_section.html", context, request=request)


def results_of_revision(request: HttpRequest, revision: Revision) -> LiveSection:
    """How a version does on the newest versions of its tasks' golden sets, in its Details."""
    found = [run for run in runs_of(revision) if run.version.is_newest]
    if not found:
        return LiveSection(SafeString(""), is_live=False)
    context = {"revision": revision, "runs": [(run, run.get_state()) for run in found]}
    html = render_to_string("golden_sets/components/revision_section.html", context, request=request)
    return LiveSection(html, is_live=any(run.get_state().is_live for run in found))
