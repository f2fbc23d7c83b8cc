"""Groups of models: who sees which, and every change of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value

from mop.accounts.models import Team, User
from mop.audit.services import Actor, record
from mop.errors import ConflictError, NotFoundError, ValidationFailedError
from mop.registry.actions import Action
from mop.registry.editing import begin_edit
from mop.registry.group_models import GROUP_NAME_MAX, GroupEntry, GroupShare, HiddenGroup, ModelGroup
from mop.registry.models import Model, ModelTag
from mop.ui.merging import united

MODELS_MAX = 1000
GROUPS_MAX = 100
SHARES_MAX = 100
SHOWN_COUNT_MAX = 100
"""Up to which pages count models."""


class _CountOf(Subquery):
    """How many rows a queryset has, which may be cut."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def visible_groups(user: User, *, counted_to: int | None = None) -> QuerySet[ModelGroup]:
    """The user's own groups and those shared with them or a team of theirs, by name.

    Each has `is_listed` (the user did not remove it from their list) and `model_count`, of models that the user sees.

    Args:
        user: who asks.
        counted_to: where counting ends, for pages that show many groups; one more says that there are more.
    """
    shared = GroupShare.objects.filter(group=OuterRef("pk")).filter(Q(user=user) | Q(team__members=user))
    hidden = HiddenGroup.objects.filter(group=OuterRef("pk"), user=user)
    owned = Model.owners.through.objects.filter(model_id=OuterRef("model_id"), user_id=user.pk)
    entries = GroupEntry.objects.filter(group=OuterRef("pk")).order_by().values("pk")
    seen = entries if user.is_administrator else entries.filter(Q(model__is_public=True) | Q(Exists(owned)))
    counted = seen if counted_to is None else seen[: counted_to + 1]
    return (
        ModelGroup.objects.filter(Q(owner=user) | Exists(shared))
        .select_related("owner")
        .annotate(is_listed=~Exists(hidden), model_count=_CountOf(counted))
        .order_by("name", "pk")
    )


def get_group(user: User, group_id: int) -> ModelGroup:
    """A group that the user may see.

    Raises:
        NotFoundError: there is none.
    """
    group = visible_groups(user).filter(pk=group_id).first()
    if group is None:
        raise NotFoundError(f"There is no group {group_id} that you may see.")
    return group


@dataclass(frozen=True)
class OwnGroup:
    """A group of the user's, and whether a model is in it."""

    pk: int
    name: str
    holds: bool


@dataclass(frozen=True)
class Belongings:
    """Names that stand on a model's page, each list by name. Of the owners only the username is read."""

    tags: list[str]
    groups: list[OwnGroup]
    owners: list[User]


def belongings_of(user: User, model: Model) -> Belongings:
    """A model's tags and owners, and the user's own groups. One query; rules about the model then need none."""
    holds = Exists(GroupEntry.objects.filter(group=OuterRef("pk"), model=model))
    tags = ModelTag.objects.filter(model=model).order_by()
    groups = ModelGroup.objects.filter(owner=user).order_by()
    parts: tuple[list[tuple[str, int, bool]], ...] = ([], [], [])
    for part, key, name, is_in in united(
        [
            tags.annotate(holds=Value(value=True)).values_list("pk", "name", "holds"),
            groups.annotate(holds=holds).values_list("pk", "name", "holds"),
            model.owners.order_by().annotate(holds=Value(value=True)).values_list("pk", "username", "holds"),
        ]
    ):
        parts[part].append((name, key, bool(is_in)))
    tagged, own, owning = (sorted(rows) for rows in parts)
    model.__dict__["known_ownership"] = {user.pk: any(key == user.pk for _, key, _ in owning)}
    return Belongings(
        tags=[name for name, *_ in tagged],
        groups=[OwnGroup(key, name, is_in) for name, key, is_in in own],
        owners=[User.from_db(None, ("id", "username"), (key, name)) for name, key, _ in owning],
    )


@transaction.atomic
def create_group(*, actor: Actor, user: User, name: str) -> ModelGroup:
    """A new, empty group of the user's.

    Raises:
        ValidationFailedError: the user has a group of that name, or the name is no name.
        ConflictError: the user has too many groups.
    """
    if ModelGroup.objects.filter(owner=user).count() >= GROUPS_MAX:
        raise ConflictError(f"You have {GROUPS_MAX} groups, which is the most.", hint="Delete one first.")
    with _unless_taken():
        group = ModelGroup.objects.create(name=_clean_name(name), owner=user)
    _record(actor, group, Action.GROUP_CREATED)
    return group


@transaction.atomic
def rename_group(*, actor: Actor, group: ModelGroup, name: str, edition: int | None = None) -> None:
    """Give a group another name.

    Raises:
        ValidationFailedError: its owner has a group of that name, or the name is no name.
        EditConflictError: somebody renamed it since the person saw this edition.
    """
    cleaned = _clean_name(name)
    begin_edit(group, edition)
    with _unless_taken():
        ModelGroup.objects.filter(pk=group.pk).update(name=cleaned)
    _record(actor, group, Action.GROUP_RENAMED, name=cleaned)


@transaction.atomic
def delete_group(*, actor: Actor, group: ModelGroup) -> None:
    """Remove a group for everybody. Its models stay."""
    _record(actor, group, Action.GROUP_DELETED)
    group.delete()


@transaction.atomic
def add_to_group(*, group: ModelGroup, models: Iterable[Model]) -> int:
    """Put models into a group; those in it stay. Returns how many came.

    Raises:
        ConflictError: the group would hold too many.
    """
    list(ModelGroup.objects.select_for_update(no_key=True).filter(pk=group.pk).values_list("pk"))
    present = set(GroupEntry.objects.filter(group=group).values_list("model_id", flat=True))
    coming = {model.pk for model in models} - present
    if len(present) + len(coming) > MODELS_MAX:
        raise ConflictError(
            f"{group} would hold {len(present) + len(coming)} models; {MODELS_MAX} is the most.",
            hint="Make another group, or filter the list by team, task or tag instead.",
        )
    GroupEntry.objects.bulk_create([GroupEntry(group=group, model_id=key) for key in coming])
    return len(coming)


@transaction.atomic
def remove_from_group(*, group: ModelGroup, models: Iterable[Model]) -> int:
    """Take models out of a group. Returns how many went."""
    keys = [model.pk for model in models]
    return GroupEntry.objects.filter(group=group, model_id__in=keys).delete()[0]


@transaction.atomic
def share_group(*, actor: Actor, group: ModelGroup, user: User | None = None, team: Team | None = None) -> GroupShare:
    """Show a group to a person or a team; gives the share that stands if they are shown it already.

    Raises:
        ConflictError: the person owns it, or it is shared with too many.
    """
    if user is not None and user.pk == group.owner_id:
        raise ConflictError(f"{user.username} owns this group.", hint="Name somebody else, or a team.")
    # of two people who share it at once with the same ones, the second waits here and finds the first's share
    list(ModelGroup.objects.select_for_update(no_key=True).filter(pk=group.pk).values_list("pk"))
    found = GroupShare.objects.filter(group=group, user=user, team=team).first()
    if found:
        return found
    if GroupShare.objects.filter(group=group).count() >= SHARES_MAX:
        raise ConflictError(f"This group is shared with {SHARES_MAX} people and teams, which is the most.")
    share = GroupShare.objects.create(group=group, user=user, team=team)
    _record(actor, group, Action.GROUP_SHARED, **{"user" if user else "team": str(user or team)})
    return share


@transaction.atomic
def unshare_group(*, actor: Actor, share: GroupShare) -> None:
    """Show a group no longer to whom the share names."""
    _record(actor, share.group, Action.GROUP_UNSHARED, **{"user" if share.user_id else "team": str(share)})
    share.delete()


def get_share(group: ModelGroup, share_id: int) -> GroupShare:
    """A share of a group.

    Raises:
        NotFoundError: there is none.
    """
    share = GroupShare.objects.select_related("user", "team", "group").filter(group=group, pk=share_id).first()
    if share is None:
        raise NotFoundError(f"Group {group.pk} has no share {share_id}.")
    return share


def list_group(*, user: User, group: ModelGroup, is_listed: bool) -> None:
    """Put a group into the user's list, or take it out. Nobody else sees a difference."""
    if is_listed:
        HiddenGroup.objects.filter(group=group, user=user).delete()
    else:
        HiddenGroup.objects.get_or_create(group=group, user=user)


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    problem = ""
    if not cleaned or not cleaned.isprintable():
        problem = "Give the group a name of printable characters."
    elif len(cleaned) > GROUP_NAME_MAX:
        problem = f"The name of a group has {GROUP_NAME_MAX} characters at most."
    if problem:
        raise ValidationFailedError(f"name: {problem}", fields={"name": [problem]})
    return cleaned


@contextmanager
def _unless_taken() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        message = "The owner of this group has another one of that name."
        raise ValidationFailedError(f"name: {message}", fields={"name": [message]}) from error


def _record(actor: Actor, group: ModelGroup, action: Action, **data: str) -> None:
    record(
        actor=actor, action=action, object_type="group", object_id=group.pk, object_label=group.name, data=dict(data)
    )
