"""The Models list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Value
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.selectors import visible_teams
from mop.catalog.models import Task
from mop.errors import NotFoundError
from mop.registry.forms import STATUS_ALL, ModelFilterForm
from mop.registry.group_models import ModelGroup
from mop.registry.groups import SHOWN_COUNT_MAX, visible_groups
from mop.registry.listing import MINE, Counts, ListedModel, ModelList, ModelQuery
from mop.registry.statuses import CHAIN, RevisionStatus
from mop.ui.extensions import MODEL_COLUMNS
from mop.ui.fragments import LIVE_TEMPLATE, Live, live_answer
from mop.ui.merging import united
from mop.ui.middleware import is_fragment

PAGE_ROWS = (50, 25, 100)
OPTIONS_MAX = 200
HIDDEN_WORDS = {RevisionStatus.VERIFY_FAILED.value: "failed", RevisionStatus.OUTDATED.value: "outdated"}


@dataclass(frozen=True)
class GroupChoice:
    """The groups that the menu offers, and the one whose models are listed."""

    own: list[ModelGroup]
    shared: list[ModelGroup]
    current: ModelGroup | None
    key: str

    @property
    def label(self) -> str:
        """What the menu says."""
        if self.current:
            return self.current.name
        return "My own models" if self.key == MINE else "All models"


@require_GET
def models(request: HttpRequest) -> HttpResponse:
    """The list with its filters; htmx asks for the rows alone when a filter changes."""
    context = _context(request, user_of(request))
    return render(request, LIVE_TEMPLATE if is_fragment(request) else "registry/models.html", context)


@require_GET
def live_models(request: HttpRequest) -> HttpResponse:
    """The rows again while something runs."""
    context = _context(request, user_of(request))
    return live_answer(request, context["live"], context)


def _context(request: HttpRequest, user: User) -> dict[str, Any]:
    groups = _groups(user, request.GET.get("group", ""))
    teams, tasks = _options(user)
    form = ModelFilterForm(request.GET, teams=teams, tasks=tasks)
    query = _query(form, groups.key)
    models = ModelList(user, query)
    page = models.page(cursor=request.GET.get("cursor", ""), size=_size(request))
    counts = models.counts()
    columns = MODEL_COLUMNS.shown(request, page.rows)
    return {
        "form": form,
        "groups": groups,
        "page": page,
        "rows": [(row, _progress(row), columns.of(row)) for row in page.rows],
        "columns": columns.headings,
        "sort": query.sort,
        "query": query,
        "counts": counts,
        "hidden": _hidden(counts),
        "sizes": sorted(PAGE_ROWS),
        "size": _size(request),
        "statuses_url": f"?{_with(request, status=STATUS_ALL)}",
        "group_url": f"?{_only_group(groups.key)}",
        "is_groups_owner": groups.current is not None and groups.current.owner_id == user.pk,
        "live": Live(
            id="models",
            url=reverse("registry:live_models"),
            query=request.GET.urlencode(),
            seconds=3,
            is_final=not any(row.newest_status.is_live or row.is_worked_on for row in page.rows),
            state=[[_state(row) for row in page.rows], counts.total, counts.hidden, columns.state],
            result="registry/components/model_rows.html",
            moving="Statuses change",
        ),
    }


def _groups(user: User, key: str) -> GroupChoice:
    """Those in the user's list, and the one of the address, which may be out of it.

    Raises:
        NotFoundError: the address names a group that the user may not see.
    """
    groups = list(visible_groups(user, counted_to=SHOWN_COUNT_MAX))
    current = next((group for group in groups if str(group.pk) == key), None)
    if current is None and key not in {"", MINE}:
        raise NotFoundError("There is no such group that you may see.", hint="Choose another group of models.")
    listed: list[Any] = [group for group in groups if getattr(group, "is_listed")]  # noqa: B009 - annotated
    return GroupChoice(
        own=[group for group in listed if group.owner_id == user.pk],
        shared=[group for group in listed if group.owner_id != user.pk],
        current=current,
        key=key,
    )


def _options(user: User) -> tuple[list[str], list[str]]:
    """Names of teams and tasks to filter by. One query."""
    teams = visible_teams(user).filter(is_personal=False).values_list("name", Value(0)).order_by("name")
    tasks = Task.objects.values_list("name", Value(0)).order_by("name")
    found: tuple[list[str], list[str]] = ([], [])
    for number, name, _ in united([teams[:OPTIONS_MAX], tasks[:OPTIONS_MAX]]):
        found[number].append(name)
    return found


def _query(form: ModelFilterForm, group: str) -> ModelQuery:
    form.is_valid()  # a value that is none of the choices is left out
    given = form.cleaned_data
    return ModelQuery(
        group=group,
        sort=given.get("sort") or "-updated",
        **{name: given.get(name, "") for name in ("search", "status", "team", "task", "tag")},
    )


def _size(request: HttpRequest) -> int:
    return next((size for size in PAGE_ROWS if str(size) == request.GET.get("rows")), PAGE_ROWS[0])


def _progress(row: ListedModel) -> str:
    status = row.newest_status
    return f"{CHAIN.index(status) + 1}/{len(CHAIN)}" if status in CHAIN and status.is_live else ""


def _hidden(counts: Counts) -> str:
    """What the default filter leaves out, in words; empty where it leaves out nothing."""
    if counts.hidden_is_more:
        return f"more than {sum(counts.hidden.values()) - 1} failed or outdated"
    found = ((counts.hidden.get(status, 0), word) for status, word in HIDDEN_WORDS.items())
    return ", ".join(f"{count} {word}" for count, word in found if count).replace(" ", " more ", 1)


def _with(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    query.pop("cursor", None)
    for name, value in changes.items():
        query[name] = value
    return query.urlencode()


def _only_group(key: str) -> str:
    query = QueryDict(mutable=True)
    if key:
        query["group"] = key
    return query.urlencode()


def _state(row: ListedModel) -> list[Any]:
    model = row.model
    return [
        *(model.pk, model.description, row.newest_version, row.newest_status, row.usable_version),
        *(row.usable_publish_status, str(row.updated_at), [owner.pk for owner in model.owners.all()]),
        [connection.pk for connection in model.connections.all()],
    ]
