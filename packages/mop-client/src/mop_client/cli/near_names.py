"""Names on the server: which one was meant, and which ones begin as somebody types."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mop.errors import MopError
from mop_client.cli.failures import CommandError

if TYPE_CHECKING:
    from mop_client.cli.client import Server

SHOWN = 3
LOOKED_AT = 200
CUTOFF = 0.6
# the list that a name in an address stands in, with the field that holds it
_LISTS = {
    "models": "name",
    "tasks": "name",
    "datasets": "name",
    "revisions": "version",
    "teams": "name",
    "users": "username",
    "services": "name",
    "golden-sets": "name",
}


def near(name: str, known: Iterable[str]) -> list[str]:
    """The known names that are most like one that is not known, the likest first."""
    by_lower = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=SHOWN, cutoff=CUTOFF)
    return [by_lower[one] for one in found if by_lower[one] != name]


def suggestion(server: Server, path: tuple[str, ...]) -> str:
    """`Did you mean toxicity?` for an address that the server does not know; empty where no name is near.

    The address is read from its end: of models/NAME/revisions/VERSION the version is asked for first, then the model.
    """
    for place in range(len(path) - 2, -1, -1):
        if path[place] not in _LISTS:
            continue
        known = names(server, path[: place + 1])
        wrong = path[place + 1]
        if known and wrong not in known:
            found = near(wrong, known)
            return f"Did you mean {' or '.join(found)}?" if found else ""
    return ""


def names(server: Server, path: tuple[str, ...], *, search: str | None = None) -> list[str]:
    """Up to LOOKED_AT names of a list, newest or first ones; none where it cannot be read."""
    kind = path[-1]
    given = {"search": search} if kind != "revisions" else {}
    status = {"status": "all"} if kind in {"models", "datasets"} else {}
    try:
        page = server.get(*path, limit=LOOKED_AT, **given, **status)
    except (MopError, CommandError):
        return []
    items = page if isinstance(page, list) else page["items"]  # short lists come whole
    return [str(item[_LISTS[kind]]) for item in items]
