"""The world in which every address is asked in every role: people, and what each area adds in its tests' folder.

An area whose addresses have parameters or take bodies has a file `tests/<area>/permission_part.py` with a `PART`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.test import Client

from mop.accounts.models import Team, User
from mop.areas.permissions import OTHER_ROLES, Row
from mop.areas.registry import registered
from mop.areas.scopes import READING_METHODS
from support.browsing import Session
from support.factories import make_task, make_team, make_token, make_user

TESTS = Path(__file__).parents[1]
PARAMETER = re.compile(r"\{(\w+)\}|<(?:\w+:)?(\w+)>")
EVERY_OTHER = "every other role"
"""Somebody who is all of OTHER_ROLES at once: where they may no more than a user, nobody of them does."""


@dataclass(frozen=True)
class World:
    """Somebody in each role, a team of the owner's, and a second owner of what the owner has."""

    people: dict[str, User | None]
    tokens: dict[str, str]
    team: Team
    owner: User
    coowner: User
    task: Any
    _filled: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)

    def fill(self, row: Row) -> str:
        """The row's address with this world's names, looked up once: what they name stays."""
        key = (row.method, row.path, row.object)
        if key not in self._filled:
            self._filled[key] = self._fill(row)
        return self._filled[key]

    def _fill(self, row: Row) -> str:
        wanted = {_name(found) for found in PARAMETER.finditer(row.path)}
        names: dict[str, object] = {}
        for part in _parts_for(row):
            if wanted <= names.keys():
                break  # what the other areas know is looked up in the database too
            names = {**part.names(self, row), **names}
        return PARAMETER.sub(lambda found: str(names[_name(found)]), row.path)

    def body(self, row: Row) -> Any:
        """A body that is right."""
        if row.method in READING_METHODS:
            return None
        address = (row.method, row.path)
        bodies = (part.bodies(self, row) for part in _parts_for(row))
        return next((found[address] for found in bodies if address in found), None)

    def form(self, row: Row) -> Mapping[str, str]:
        """What a page's form sends; where its fields do not matter for who may, it is not filled in: 422."""
        forms = (form for part in parts().values() for address, form in part.forms.items() if address == row.path)
        return next(forms, {"none_of_its_fields": "1"})

    def holders(self, role: str) -> list[User]:
        """Whoever has one of OTHER_ROLES: the one who has it alone, and the one who has them all."""
        return [user for name in (role, EVERY_OTHER) if (user := self.people[name]) is not None]

    def become(self, role: str) -> None:
        """Give to somebody of OTHER_ROLES what only one person can have; the caller takes it back by a rollback."""
        for name in OTHER_ROLES if role == EVERY_OTHER else (role,):
            for part in parts().values():
                if name in part.becoming and (user := self.people[role]) is not None:
                    part.becoming[name](user)

    def client(self, role: str) -> tuple[Client, str]:
        """A client in that role, and the token it sends."""
        return self._sessions[role].client(), self.tokens.get(role, "")

    def sign_in(self) -> None:
        """Everybody who sends no token."""
        for role, user in self.people.items():
            self._sessions[role] = Session(None if role in self.tokens else user)


def _nothing(_world: World, _row: Row) -> dict[Any, Any]:
    return {}


@dataclass(frozen=True)
class Part:
    """What an area adds to the world.

    Attributes:
        prepare: makes its objects; those of the areas below stand already.
        names: values of the parameters in its addresses.
        bodies: what its operations take, by method and address.
        forms: what forms of its pages send where that decides who may.
        share: gives what the owner has to those of OTHER_ROLES, too; all objects stand.
        becoming: for a role of OTHER_ROLES what one person alone can have.
    """

    prepare: Callable[[World], object] = lambda _world: None
    names: Callable[[World, Row], Mapping[str, object]] = _nothing
    bodies: Callable[[World, Row], Mapping[tuple[str, str], Any]] = _nothing
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    share: Callable[[World], object] = lambda _world: None
    becoming: Mapping[str, Callable[[User], object]] = field(default_factory=dict)


@functools.cache
def parts() -> dict[str, Part]:
    """The parts of all areas by their names, from below to above."""
    return {
        area.name: import_module(f"{area.name}.permission_part").PART
        for area in registered()
        if (TESTS / area.name / "permission_part.py").is_file()
    }


def _parts_for(row: Row) -> list[Part]:
    """The row's own area first, for another one may give a name to something else; then from above to below."""
    own = _areas()[row.method, row.path, row.object]
    others = [part for name, part in parts().items() if name != own]
    return [*(part for name, part in parts().items() if name == own), *others[::-1]]


@functools.cache
def _areas() -> dict[tuple[str, str, str], str]:
    """The names of the areas whose rows they are."""
    return {
        (row.method, row.path, row.object): area.name
        for area in registered()
        if area.permissions
        for row in (*area.permissions.load().api, *area.permissions.load().pages)
    }


def _name(found: re.Match[str]) -> str:
    return found[1] or found[2]


def make_world() -> World:
    """Everything, in the database of the test."""
    team = make_team("the team")
    owner = make_user("owner", teams=(team,))
    people = {
        "anonymous": None,
        "user": make_user("user"),
        "team member": make_user("member", teams=(team,)),
        "owner": owner,
        "administrator": make_user("root", is_administrator=True),
        "read token": owner,
        "write token": owner,
        **{role: make_user(role.replace(" ", "-")) for role in (*OTHER_ROLES, EVERY_OTHER)},
    }
    world = World(
        people=people,
        tokens={f"{scope} token": make_token(owner, scope=scope) for scope in ("read", "write")},
        team=team,
        owner=owner,
        coowner=make_user("coowner", teams=(team,)),
        task=make_task("moderation"),
    )
    for part in parts().values():
        part.prepare(world)
    for part in parts().values():
        part.share(world)
    world.sign_in()
    return world
