"""The list of models: what of each a person sees, filters, order and pages.

A person sees all versions of models that they own, and of others the public ones. A page is therefore put together
from two legs; each follows an index of its own columns (`registry/summaries.py`):

    owned models    all_newest_status, all_is_living, all_updated_at ...           administrators: every model
    other models    public_newest_status, public_is_living, public_updated_at ...  of those with a public version

A filter that few models pass (up to FEW) becomes a list of their ids, one that many pass is asked of each row along the
index: the first page is full soon. So neither needs to look at all models.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Prefetch, Q, QuerySet, Value

from mop.accounts.models import Team, User
from mop.registry.group_models import GroupEntry
from mop.registry.groups import SHOWN_COUNT_MAX
from mop.registry.models import Model, ModelTag, TaskConnection
from mop.registry.search_index import matching
from mop.registry.selectors import get_model
from mop.registry.statuses import PublishStatus, RevisionStatus
from mop.registry.unsettled import with_work_on_newest
from mop.ui.merging import Leg, counted, id_list, merged_page, united

ALL, MINE, RUNNING = "all", "mine", "running"
FEW = 1000
COUNT_MAX = 1000
COUNT_MAX_FILTERED = 100
SORTS = {
    "name": "name",
    "team": "team__name",
    "status": "{sight}newest_status",
    "created": "created_at",
    "updated": "{sight}updated_at",
}
_SIGHTS = ("all_", "public_")
_LIVE = tuple(status.value for status in RevisionStatus if status.is_live)


@dataclass(frozen=True, kw_only=True)
class ModelQuery:
    """What of the models is asked for.

    Attributes:
        search: part of the name or description, case-insensitive.
        status: a status of the newest version; `running` for all that live; `all`; empty for models with a version
            that is neither outdated nor failed.
        group: id of a group that the person may see, or `mine` for models that they created or own.
        team, task, tag: names.
        sort: one of SORTS; a leading `-` turns it round; what is unknown sorts by name.
    """

    search: str = ""
    status: str = ""
    group: str = ""
    team: str = ""
    task: str = ""
    tag: str = ""
    sort: str = "name"

    @property
    def is_filtered(self) -> bool:
        """Whether something besides the group limits the models."""
        return bool(self.search or self.status or self.team or self.task or self.tag)

    @property
    def descends(self) -> bool:
        """Whether the order is turned round."""
        return self.sort.startswith("-")

    def column(self, sight: str) -> str:
        """The column of the order, as one sight has it."""
        return SORTS.get(self.sort.removeprefix("-"), "name").format(sight=sight)


@dataclass(frozen=True)
class ListedModel:
    """A model as one person sees it in a list: with the newest version that they see, and the newest verified one.

    `is_worked_on` says whether an area works on that newest version; only pages of a list know.
    """

    model: Model
    newest_id: uuid.UUID
    newest_version: str
    newest_status: RevisionStatus
    usable_version: str
    usable_publish_status: str
    updated_at: dt.datetime
    is_owned: bool
    is_worked_on: bool

    @property
    def pk(self) -> int:
        """The model's."""
        return self.model.pk


@dataclass(frozen=True)
class ModelPage:
    """Models of a list, and the cursors of the pages around them; empty where there is none."""

    rows: list[ListedModel]
    previous: str
    following: str


@dataclass(frozen=True)
class Counts:
    """How many models a list has, and how many of each status its default leaves out; `more`: at least so many.

    `everything` and `own` are for the menu of groups, whatever the filters: all models, and those that the person owns
    or created; one more than SHOWN_COUNT_MAX means that there are more.
    """

    total: int
    total_is_more: bool
    hidden: dict[str, int] = field(default_factory=dict)
    hidden_is_more: bool = False
    everything: int = 0
    own: int = 0


class ModelList:
    """The models that a person may see and that a query asks for. Two queries a page; one more narrows them first."""

    def __init__(self, user: User, query: ModelQuery) -> None:
        self._user = user
        self._query = query
        self._narrow()

    def page(self, *, cursor: str, size: int) -> ModelPage:
        """One page."""
        query = self._query
        legs = [Leg(self._shown(number, rows), query.column(_SIGHTS[number])) for number, rows in enumerate(self._legs)]
        keys = merged_page(legs, descending=query.descends, cursor=cursor, size=size)
        models = with_work_on_newest(Model.objects.select_related("team", "created_by")).prefetch_related(
            "owners", Prefetch("connections", TaskConnection.objects.select_related("task", "taxonomy"))
        )
        found = {model.pk: model for model in models.filter(pk__in=keys.legs)}
        shown = [(found[key], _SIGHTS[leg]) for key, leg in keys.legs.items() if key in found]
        if not shown:
            return ModelPage([], "", "")
        previous, following = keys.cursors(*(_value(*shown[place], query) for place in (0, -1)))
        rows = [_listed(model, sight, is_owned=model.is_owned_by(self._user)) for model, sight in shown]
        return ModelPage(rows, previous, following)

    def counts(self) -> Counts:
        """How many there are, counted up to a bound. One query."""
        limit = COUNT_MAX_FILTERED if self._is_dense else COUNT_MAX
        legs = list(enumerate(self._legs))
        pieces = [
            self._shown(number, rows).order_by().values_list(f"{_SIGHTS[number]}newest_status")[: limit + 1]
            for number, rows in legs
        ]
        if not self._query.status:
            pieces += [
                rows.filter(**{f"{_SIGHTS[number]}is_living": False})
                .order_by()
                .values_list(f"{_SIGHTS[number]}newest_status")[: COUNT_MAX_FILTERED + 1]
                for number, rows in legs
            ]
        *found, owned, created, others = counted([*pieces, *self._menu()])
        own = sum(owned.values()) + sum(created.values())
        everything = sum(others.values()) + (0 if self._user.is_administrator else sum(owned.values()))
        total = sum(sum(part.values()) for part in found[: len(legs)])
        hidden: dict[str, int] = {}
        for part in found[len(legs) :]:
            for status, count in part.items():
                hidden[status] = hidden.get(status, 0) + count
        return Counts(
            total=min(total, limit),
            total_is_more=total > limit,
            hidden=hidden,
            hidden_is_more=sum(hidden.values()) > COUNT_MAX_FILTERED,
            everything=min(everything, SHOWN_COUNT_MAX + 1),
            own=min(own, SHOWN_COUNT_MAX + 1),
        )

    def _menu(self) -> list[QuerySet[Any, Any]]:
        """What the menu counts: owned models, models created but not owned, all models or those of others."""
        user = self._user
        through = Model.owners.through.objects.filter(user=user)
        seen = Model.objects.all() if user.is_administrator else Model.objects.filter(is_public=True)
        not_owned = seen.exclude(pk__in=through.values("model_id"))
        found = [through, not_owned.filter(created_by=user), seen if user.is_administrator else not_owned]
        return [
            rows.order_by().values_list(Value("", output_field=CharField()))[: SHOWN_COUNT_MAX + 1] for rows in found
        ]

    def _narrow(self) -> None:
        """Make the legs, with all filters but that of the status."""
        user, query = self._user, self._query
        owned = Model.owners.through.objects.filter(user=user)
        wanted: list[tuple[QuerySet[Any, Any], Q | Exists]] = []  # ids of what passes a filter; the filter for a row
        if not user.is_administrator or query.group == MINE:
            wanted.append((owned.values_list("model_id"), Exists(owned.filter(model=OuterRef("pk")))))
        filters = _filters(query)
        united_ids = united([ids.order_by()[: FEW + 1] for ids, _ in [*wanted, *filters]])
        passed: list[set[int]] = [set() for _ in (*wanted, *filters)]
        for number, key in united_ids:
            passed[number].add(key)

        models = Model.objects.all()
        self._is_dense = False
        few: set[int] | None = None
        for keys, (_, asked) in zip(passed[len(wanted) :], filters, strict=True):
            if len(keys) <= FEW:
                few = keys if few is None else few & keys
            else:
                models = models.filter(asked)
                self._is_dense = True
        if few is not None:
            models = models.filter(pk__in=id_list(few))

        self._owned_ids = passed[0] if wanted else set()
        owns = Q()
        if wanted:
            owns = Q(pk__in=id_list(self._owned_ids)) if len(self._owned_ids) <= FEW else Q(wanted[0][1])
        mine = models if query.group != MINE else models.filter(Q(created_by=user))
        if user.is_administrator:
            self._legs = [models if query.group != MINE else models.filter(owns | Q(created_by=user))]
        else:
            self._legs = [models.filter(owns), mine.filter(is_public=True).exclude(owns)]

    def _shown(self, number: int, rows: QuerySet[Model]) -> QuerySet[Model]:
        """A leg with the filter of the status."""
        sight, status = _SIGHTS[number], self._query.status
        if not status:
            return rows.filter(**{f"{sight}is_living": True})
        if status == ALL:
            return rows
        if status == RUNNING:
            return rows.filter(**{f"{sight}newest_status__in": _LIVE})
        return rows.filter(**{f"{sight}newest_status": status})


def get_listed_model(user: User, name: str) -> ListedModel:
    """A visible model by name, as a list shows it.

    Raises:
        NotFoundError: there is none that the user may see.
    """
    return listed_model(user, get_model(user, name))


def listed_model(user: User, model: Model) -> ListedModel:
    """A model that the person may see, as a list shows it."""
    is_owned = model.is_owned_by(user)
    return _listed(model, _SIGHTS[0] if is_owned or user.is_administrator else _SIGHTS[1], is_owned=is_owned)


def _filters(query: ModelQuery) -> list[tuple[QuerySet[Any, Any], Q | Exists]]:
    """For each filter that has a table or an index of its own: ids of models that pass it, and the filter for a row."""
    own = OuterRef("pk")
    filters: list[tuple[QuerySet[Any, Any], Q | Exists]] = []
    if query.search:
        filters.append(matching(query.search, FEW + 1))
    if query.team:
        # asked of each row: joined, the database sorts every model of the team instead of following the order's index
        teams = Team.objects.filter(pk=OuterRef("team_id"), name=query.team)
        filters.append((Model.objects.filter(team__name=query.team).values_list("pk"), Exists(teams)))
    if query.task:
        connections = TaskConnection.objects.filter(task__name=query.task)
        filters.append((connections.values_list("model_id"), Exists(connections.filter(model=own))))
    if query.tag:
        tags = ModelTag.objects.filter(name=query.tag)
        filters.append((tags.values_list("model_id"), Exists(tags.filter(model=own))))
    if query.group and query.group != MINE:
        entries = GroupEntry.objects.filter(group_id=int(query.group))
        filters.append((entries.values_list("model_id"), Exists(entries.filter(model=own))))
    return filters


def _listed(model: Model, sight: str, *, is_owned: bool) -> ListedModel:
    usable = getattr(model, f"{sight}usable_version")
    # versions are unique in a model: where the newest usable version is public, it is the newest public usable one
    publish = PublishStatus.PUBLIC if usable == model.public_usable_version else PublishStatus.PRIVATE
    return ListedModel(
        model=model,
        newest_id=getattr(model, f"{sight}newest_id"),
        newest_version=getattr(model, f"{sight}newest_version"),
        newest_status=RevisionStatus(getattr(model, f"{sight}newest_status")),
        usable_version=usable,
        usable_publish_status=publish.value if usable else "",
        updated_at=getattr(model, f"{sight}updated_at"),
        is_owned=is_owned,
        is_worked_on=bool(getattr(model, f"{sight}worked_on", False)),
    )


def _value(model: Model, sight: str, query: ModelQuery) -> Any:
    value: Any = model
    for part in query.column(sight).split("__"):
        value = getattr(value, part)
    return value
