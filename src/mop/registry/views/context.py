"""What the pages of a model and of its revisions show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.forms import UsernameForm
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.errors import CATALOGUE, ModelFault, ModelUrlForbiddenError, ModelUrlNotFoundError, MopError
from mop.registry.groups import belongings_of
from mop.registry.history import chosen_columns, history_of
from mop.registry.listing import listed_model
from mop.registry.models import Model, Revision
from mop.registry.selectors import (
    QueuePlace,
    get_model,
    get_revision,
    keep_ownership,
    queue_place,
    visible_revisions,
    with_ownership,
)
from mop.registry.statuses import REVISION_LIFECYCLE
from mop.registry.timelines import attempts, phases, usual_range
from mop.registry.told import tell_revision, told_timeline
from mop.registry.trails import below_models
from mop.registry.unsettled import is_worked_on, with_work
from mop.ui.extensions import (
    MODEL_SECTIONS,
    MODEL_TABS,
    REVISION_CARDS,
    REVISION_COLUMNS,
    REVISION_SECTIONS,
    Fact,
)
from mop.ui.forms import as_json
from mop.ui.fragments import Action, Live
from mop.ui.paging import keyset_page

PAGE_VERSIONS = 25


def model_context(request: HttpRequest, name: str) -> dict[str, Any]:
    """A model's information, connected tasks and versions, and what the user may do with it.

    Raises:
        NotFoundError: the user sees no such model.
    """
    history = history_context(request, name)
    model = history["model"]
    return {
        "trail": [(model.team.name, ""), *below_models((model.name, ""))],
        "tabs": MODEL_TABS.shown("registry:model", name=model.name),
        "owner_form": UsernameForm(),
        "sections": MODEL_SECTIONS.shown(request, model),
        **facts_context(request, model, history["columns"].facts, owners=history["owners"]),
        **history,
    }


def facts_context(
    request: HttpRequest, model: Model, known: Sequence[Fact] | None = None, *, owners: Sequence[User] | None = None
) -> dict[str, Any]:
    """The key facts in the head of a model's page; `known` and `owners` are what its version history brought along."""
    user = user_of(request)
    if owners is None:
        prefetch_related_objects([model], "owners")
        owners = list(model.owners.all())
    return {
        "model_facts": REVISION_COLUMNS.shown(request, (), of=model).facts if known is None else known,
        "listed": listed_model(user, model),
        "owners": sorted(owners, key=lambda owner: owner.username),
        "may_change_owners": may(user, "registry.change_owners", model),
    }


def history_context(request: HttpRequest, name: str) -> dict[str, Any]:
    """A model and a page of its version history, as both stand in one moment, and whose the model is.

    Raises:
        NotFoundError: the user sees no such model.
    """
    user = user_of(request)
    page = keyset_page(
        with_work(visible_revisions(user)).select_related("model__created_by").filter(model__name=name),
        field="created_at",
        descending=True,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_VERSIONS,
    )
    model = page.rows[0].model if page.rows else get_model(user, name)
    belongings = belongings_of(user, model)
    for row in page.rows:
        row.model = model  # of which it is known whether the person owns it
    columns = REVISION_COLUMNS.shown(request, page.rows, of=model)
    sees_logs, may_change = may(user, "registry.view_logs", model), may(user, "registry.change_model", model)
    opened, chosen = request.GET.get("version", ""), chosen_columns(request.session)
    table = history_of(page.rows, columns, chosen=chosen, opened=opened, sees_logs=sees_logs)
    moves = columns.is_live or any(row.get_status().is_live or is_worked_on(row) for row in page.rows)
    return {
        "model": model,
        "tags": belongings.tags,
        "model_groups": belongings.groups,
        "owners": belongings.owners,
        "page": page,
        "table": table,
        "columns": columns,
        "selected": request.GET.get("details", "") or request.GET.get("load-test", ""),
        "may_change": may_change,
        "history": Live(
            id="history",
            url=reverse("registry:live_history", args=[model.name]),
            query=request.GET.urlencode(),
            seconds=3,
            is_final=not moves,
            state=[
                [[row.pk, row.status, row.note, row.publish_status] for row in page.rows],
                [columns.state, opened, [column.key for column in table.columns]],
            ],
            result="registry/components/history.html",
        ),
    }


def details_context(request: HttpRequest, name: str, version: str) -> dict[str, Any]:
    """A revision's timeline, queue place, reason, warnings and facts, and what areas above know of it.

    Raises:
        NotFoundError: the user sees no such revision.
    """
    user = user_of(request)
    revision = get_revision(user, name, version, among=with_work(with_ownership(visible_revisions(user), user)))
    keep_ownership(revision, user)  # which every rule about it asks for
    tell_revision(user, revision)
    sections = REVISION_SECTIONS.shown(request, revision)
    status = revision.get_status()
    place = queue_place(revision)
    entries = told_timeline(user, revision)
    shown = phases(entries)
    moves = status.is_live or is_worked_on(revision) or any(section.is_live for section in sections)
    return {
        "model": revision.model,
        "revision": revision,
        "attempts": attempts(entries),
        "phases": shown,
        "usual": usual_range(shown) if status.is_live else None,
        "status": status,
        "actions": _actions(request, revision),
        "place": place,
        "sample": as_json(revision.sample_post_data) if revision.sample_post_data is not None else "",
        "sections": [section.html for section in sections if section.html.strip()],
        "source": _source(revision) if may(user, "registry.view_logs", revision) else [],
        "cards": REVISION_CARDS.shown(request, revision),
        "may_change": may(user, "registry.change_revision", revision),
        "may_view_hosts": may(user, "registry.view_allowed_hosts", revision),
        "may_change_hosts": may(user, "registry.change_allowed_hosts", revision),
        "live": Live(
            id="details-live",
            url=reverse("registry:live_details", args=[name, version]),
            seconds=2,
            is_final=not moves,
            state=[
                [revision.attempt, revision.status, revision.host, revision.retry_at, revision.error],
                [revision.warnings, revision.granted, revision.artifact_digest, revision.python_version],
                _place_state(place),
                [entry.detail for entry in entries],
                [section.html for section in sections],
            ],
            result="registry/components/details_live.html",
            look="details__live",
            announce=f"{name} {version} is {status.value}",
            moving="The pipeline runs",
        ),
    }


def details_panel(request: HttpRequest, name: str) -> SafeString:
    """The Details of `?details=VERSION`; without it the empty panel."""
    version = request.GET.get("details", "")
    details = details_context(request, name, version) if version else {}
    context = {"details": details, "model": details.get("model")}
    return render_to_string("registry/components/details_panel.html", context, request=request)


def _source(revision: Revision) -> list[tuple[int, str, bool]]:
    """The lines around the place that the error names, each with whether it is that place."""
    error = revision.error or {}
    here = str(error.get("place") or "").rpartition(":")[2]
    return [(number, text, str(number) == here) for number, text in error.get("source") or ()]


def _place_state(place: QueuePlace | None) -> list[int] | None:
    return [place.place, place.waiting] if place else None


def _actions(request: HttpRequest, revision: Revision) -> list[Action]:
    """What the user may do with the revision as it stands."""
    user, status = user_of(request), revision.get_status()
    where = [revision.model.name, revision.version]
    actions = []
    if may(user, "registry.change_revision", revision):
        if status in REVISION_LIFECYCLE.restarts:
            changed = _must_change(revision) and may(user, "registry.create_revision", revision.model)
            if changed:
                upgrade = reverse("registry:upgrade", args=[revision.model.name])
                actions.append(Action("upgrade", "Upgrade version", upgrade, "primary", icon="upload"))
            look = "quiet" if changed else "primary"
            actions.append(
                Action(
                    "retry",
                    "Retry the same files" if changed else "Retry",
                    reverse("registry:retry", args=where),
                    look,
                    is_post=True,
                )
            )
        if not status.is_final:
            actions.append(
                Action("cancel", "Cancel this run", reverse("registry:cancel", args=where), "danger", is_post=True)
            )
    if may(user, "registry.view_logs", revision):
        actions += [
            Action("build-log", "Build log", reverse("onboarding:log", args=[*where, "build"])),
            Action("deployment-log", "Deployment log", reverse("onboarding:log", args=[*where, "deployment"])),
        ]
    return actions


def _must_change(revision: Revision) -> bool:
    """Whether another try would end the same: the model's files are at fault, not what stands around them."""
    kind = CATALOGUE.get(str((revision.error or {}).get("name")), MopError)
    access = ModelUrlForbiddenError | ModelUrlNotFoundError  # fixed where the files are stored
    return issubclass(kind, ModelFault) and not issubclass(kind, access)
