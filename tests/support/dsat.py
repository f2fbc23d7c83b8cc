"""DSAT cases for tests, made by the real services."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from mop.accounts.models import Team, User
from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.dsat.access import grant_team
from mop.dsat.models import Case
from mop.dsat.services import add_case
from support.factories import ACTOR, make_user

TEXT = "Your lasagne was criminal, I could murder a second plate."


def make_case(task: Task, *, submitter: User | None = None, text: str = TEXT, **given: Any) -> Case:
    """A case of a text task, by a submitter of its own unless a service reported it."""
    if submitter is None and not given.get("reported_by_service"):
        submitter = make_user()
    given.setdefault("expected_label", task.labels[0])
    return add_case(
        task=task,
        content=given.pop("content", {"text": text}),
        actor=actor_of(submitter) if submitter else ACTOR,
        submitter=submitter,
        **given,
    )


def let_team_read(task: Task, *members: User, team: Team) -> None:
    """Let a team read the cases of a task, with these members."""
    for member in members:
        member.teams.add(team)
    grant_team(actor=ACTOR, task=task, team=team)


def picture(colour: str = "red", size: tuple[int, int] = (4, 3), kind: str = "PNG") -> str:
    """A small image, base64."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()
