"""Things that tests need, made by the real services."""

from __future__ import annotations

import itertools
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from mop.accounts.models import Team, User
from mop.accounts.services import actor_of, add_member, create_team, create_user
from mop.accounts.token_services import create_token
from mop.audit.services import Actor
from mop.catalog.models import InstanceType, Task, Taxonomy
from mop.catalog.services import create_task
from mop.registry.models import Model, Revision
from mop.registry.services import ConnectionInput, RevisionInput, create_model
from mop.registry.statuses import PublishStatus
from mop.registry.summaries import refresh_summary

PASSWORD = "correct horse battery staple"
ACTOR = Actor.system("tests")
_numbers = itertools.count(1)


def count_on_from(number: int) -> None:
    """Names that are made up go on from a number, in a process beside what others made in the same installation."""
    global _numbers  # noqa: PLW0603 - of this process
    _numbers = itertools.count(number)


def make_user(username: str = "", *, is_administrator: bool = False, teams: tuple[Team, ...] = ()) -> User:
    """A user with `PASSWORD` and a personal team, in further teams."""
    user = create_user(
        actor=ACTOR,
        username=username or f"user{next(_numbers)}",
        password=PASSWORD,
        is_administrator=is_administrator,
    )
    for team in teams:
        add_member(actor=ACTOR, team=team, user=user)
    return user


def make_team(name: str = "") -> Team:
    """A shared team without members."""
    return create_team(actor=ACTOR, name=name or f"team {next(_numbers)}")


def make_token(user: User, *, scope: str = "write", scopes: tuple[str, ...] = ()) -> str:
    """The secret of a new token, for these scopes; without any for everything, to read or to write."""
    given = scopes or (f"all:{scope}",)
    _, secret = create_token(actor=actor_of(user), user=user, name=f"token {next(_numbers)}", scopes=given)
    return secret


def make_task(name: str = "", *, taxonomy: str = "Hate", modality: str = "Text", **fields: Any) -> Task:
    """A task that an administrator of its own defined; Categorical with the labels 0 and 1 unless told."""
    administrator = make_user(is_administrator=True)
    given = {"label_type": "Categorical", "labels": ["0", "1"], "owners": [administrator], "description": ""} | fields
    return create_task(
        actor=actor_of(administrator),
        user=administrator,
        name=name or f"task {next(_numbers)}",
        team=given.pop("team", None) or make_team(),
        modality=modality,
        taxonomy=Taxonomy.objects.get(name=taxonomy),
        **given,
    )


def make_revision_input(version: str = "v1.0.0", **fields: Any) -> RevisionInput:
    """A version of a folder that exists below the allowed root."""
    folder = settings.MOP_FILE_ROOTS[0] / "model"
    folder.mkdir(exist_ok=True)
    (folder / "inference.py").touch()
    given: dict[str, Any] = {
        "model_url": folder.as_uri(),
        "instance_type": InstanceType.objects.get(name="Standard_F4s_v2"),
    } | fields
    return RevisionInput(version=version, **given)


def make_model(
    name: str = "", *, owner: User | None = None, team: Team | None = None, tasks: tuple[Task, ...] = (), **fields: Any
) -> Model:
    """A model with its first revision in `created`; `fields` are the revision's."""
    user = owner or make_user()
    revision = create_model(
        actor=actor_of(user),
        user=user,
        name=name or f"model-{next(_numbers)}",
        description="",
        team=team or user.teams.get(),
        connections=[
            ConnectionInput(task=task, customized_name=task.taxonomy.name) for task in tasks or (make_task(),)
        ],
        revision=make_revision_input(**fields),
    )
    return revision.model


def publish(model: Model) -> None:
    """Make every revision of a model public, whatever its status."""
    put(Revision.objects.filter(model=model), publish_status=PublishStatus.PUBLIC)


def put(revisions: QuerySet[Revision], **fields: Any) -> None:
    """Give revisions these values, without the way there; their models' summaries follow."""
    models = set(revisions.values_list("model_id", flat=True))
    revisions.update(**fields)
    for model in models:
        refresh_summary(model)
