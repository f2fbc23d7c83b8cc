"""From the names and gaps of an API body to what the services take."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mop.accounts.access import Caller
from mop.accounts.models import Team
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_team
from mop.accounts.services import ensure_team
from mop.catalog.selectors import get_instance_type, get_task
from mop.errors import NotFoundError, ValidationFailedError
from mop.registry.schemas import ConnectionIn, RevisionFields
from mop.registry.services import ConnectionInput, RevisionInput

_FIELDS = {field.name for field in dataclasses.fields(RevisionInput)}


def revision_input(body: RevisionFields, proposed: RevisionInput) -> RevisionInput:
    """The proposed version with what the body says instead; null means left out, except for the sample.

    Raises:
        ValidationFailedError: the instance type is unknown.
    """
    given = {name: value for name, value in body.dict(exclude_none=True).items() if name in _FIELDS}
    if "sample_post_data" in body.model_fields_set:
        given["sample_post_data"] = body.sample_post_data
    if body.instance_type is not None:
        with named_in("instance_type"):
            given["instance_type"] = get_instance_type(body.instance_type)
    return dataclasses.replace(proposed, **given)


def connection_inputs(items: Sequence[ConnectionIn]) -> list[ConnectionInput]:
    """The tasks to connect, each under its taxonomy's name unless the body names it.

    Raises:
        ValidationFailedError: a task is unknown; all of them are named.
    """
    found: list[ConnectionInput] = []
    unknown: list[str] = []
    for item in items:
        try:
            task = get_task(item.task)
        except NotFoundError as error:
            unknown.append(error.message)
            continue
        found.append(ConnectionInput(task=task, customized_name=item.customized_name or task.taxonomy.name))
    if unknown:
        raise ValidationFailedError(f"connections: {' '.join(unknown)}", fields={"connections": unknown})
    return found


def team_for(caller: Caller, name: str | None) -> Team:
    """The named team, or the caller's first.

    Raises:
        ValidationFailedError: the team is unknown.
        NotAllowedError: the caller does not belong to it.
    """
    if name is None:
        return ensure_team(actor=caller.actor, user=caller.user)
    with named_in("team"):
        team = get_team(caller.user, name)
    authorise(caller.user, "accounts.create_for_team", team, what=f"create things for team {team.name}")
    return team
