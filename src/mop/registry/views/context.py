"""What the pages of a model and of its revisions show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.forms import UsernameForm
from mop.accounts.requests import user_of
from mop.accounts.rules import may
from mop.registry.forms import DescriptionForm
from mop.registry.models import Model, Revision
from mop.registry.selectors import get_revision, queue_place, timeline, visible_revisions
from mop.registry.statuses import REVISION_LIFECYCLE
from mop.registry.timelines import attempts
from mop.ui.extensions import MODEL_TABS, REVISION_COLUMNS, REVISION_SECTIONS
from mop.ui.forms import as_json
from mop.ui.fragments import etag_of
from mop.ui.paging import keyset_page

PAGE_VERSIONS = 25


def model_context(request: HttpRequest, model: Model) -> dict[str, Any]:
    """A model's information, connected tasks and versions, and what the user may do with it."""
    user = user_of(request)
    return {
        "model": model,
        "owners": model.owners.order_by("username"),
        "connections": model.connections.select_related("task", "taxonomy"),
        "tabs": MODEL_TABS.shown("registry:model", name=model.name),
        "description_form": DescriptionForm(initial={"description": model.description}),
        "owner_form": UsernameForm(),
        "may_change_owners": may(user, "registry.change_owners", model),
        **history_context(request, model),
    }


def history_context(request: HttpRequest, model: Model) -> dict[str, Any]:
    """A page of the model's version history, and its ETag."""
    user = user_of(request)
    page = keyset_page(
        visible_revisions(user).filter(model=model),
        field="created_at",
        descending=True,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_VERSIONS,
    )
    columns = REVISION_COLUMNS.shown(request, page.rows)
    return {
        "model": model,
        "page": page,
        "columns": columns,
        "rows": [(row, columns.of(row)) for row in page.rows],
        "query": request.GET.urlencode(),
        "selected": request.GET.get("details", ""),
        "may_change": may(user, "registry.change_model", model),
        "may_view_logs": may(user, "registry.view_logs", model),
        "is_live": columns.is_live or any(row.get_status().is_live for row in page.rows),
        "etag": etag_of([[row.pk, row.status, row.note, row.publish_status] for row in page.rows] + columns.state),
    }


def details_context(request: HttpRequest, revision: Revision) -> dict[str, Any]:
    """A revision's timeline, queue place, reason, warnings and facts, what areas above know of it, and their ETag."""
    user = user_of(request)
    sections = REVISION_SECTIONS.shown(request, revision)
    status = revision.get_status()
    place = queue_place(revision)
    entries = timeline(revision)
    may_change = may(user, "registry.change_revision", revision)
    return {
        "model": revision.model,
        "revision": revision,
        "attempts": attempts(entries),
        "place": place,
        "sample": as_json(revision.sample_post_data) if revision.sample_post_data is not None else "",
        "sections": sections,
        "is_live": status.is_live,
        "may_change": may_change,
        "may_retry": may_change and status in REVISION_LIFECYCLE.restarts,
        "may_cancel": may_change and not status.is_final,
        "may_view_logs": may(user, "registry.view_logs", revision),
        "may_view_hosts": may(user, "registry.view_allowed_hosts", revision),
        "may_change_hosts": may(user, "registry.change_allowed_hosts", revision),
        "etag": etag_of(
            [
                [revision.attempt, revision.status, revision.host, revision.retry_at, revision.error],
                [revision.warnings, revision.granted, revision.artifact_digest, revision.python_version],
                [place.place, place.waiting] if place else None,
                [entry.detail for entry in entries],
                sections,
            ]
        ),
    }


def details_panel(request: HttpRequest, found: Model) -> SafeString:
    """The Details of `?details=VERSION`; without it the empty panel."""
    version = request.GET.get("details", "")
    details = None
    if version:
        details = details_context(request, get_revision(user_of(request), found.name, version))
    context = {"details": details, "model": found}
    return render_to_string("registry/components/details_panel.html", context, request=request)
