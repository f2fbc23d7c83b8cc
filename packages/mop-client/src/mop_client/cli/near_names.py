"""Names on the server: which one was meant, and which ones begin as somebody types."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
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
# the command that lists what an address names last; names before it stand in braces. Of two lists of one name the one
# below another has that in front
LISTED_BY = {
    "alerts": "mop alert list",
    "containers": "mop gateway container list {services}",
    "contract-runs": "mop model checks {models}",
    "datasets": "mop dataset list --status all",
    "datasets/owners": "mop dataset show {datasets}",
    "deliveries": "mop webhook log {webhooks}",
    "dsat": "mop dsat list",
    "dsat-access": "mop dsat access {tasks}",
    "dsat-imports": "mop dsat imports",
    "evaluations": "mop evaluation list {models} {revisions}",
    "golden-sets": "mop golden-set list {tasks}",
    "groups": "mop group list",
    "guides": "mop guide list",
    "instance-types": "mop instance-type list --retired",
    "invitations": "mop user invitations",
    "members": "mop team show {teams}",
    "models": "mop model list --status all",
    "models/owners": "mop model show {models}",
    "models/tasks": "mop model tasks {models}",
    "notifications": "mop notification list",
    "quotas": "mop team show {teams}",
    "releases": "mop release list",
    "revisions": "mop model show {models}",
    "services": "mop service list",
    "services/tokens": "mop service token list {services}",
    "services/webhooks": "mop service webhook list {services}",
    "sessions": "mop session list",
    "source-prefixes": "mop source-prefix list",
    "tasks": "mop task list",
    "tasks/datasets": "mop task requests {tasks}",
    "taxonomies": "mop taxonomy list",
    "teams": "mop team list",
    "tokens": "mop token list",
    "users": "mop user list",
    "waivers": "mop model waivers {models}",
    "webhooks": "mop webhook list",
}
# fields of requests that name something of such a list
_FIELDS = {
    "connections": "tasks",
    "dataset": "datasets",
    "group": "groups",
    "instance_type": "instance-types",
    "service": "services",
    "task": "tasks",
    "tasks": "tasks",
    "taxonomies": "taxonomies",
    "taxonomy": "taxonomies",
    "team": "teams",
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


def listing(path: tuple[str, ...], message: str) -> str:
    """`mop task list shows what there is.` for an address that the server does not know; empty where nothing lists it.

    Args:
        path: the parts of the address.
        message: the server's. Of several names in the address it tells the last one that it looked for.
    """
    if "no user " in message:
        return f"`{LISTED_BY['users']}` shows who there is, to administrators."
    named = [place for place in range(len(path) - 1) if _command(path, place)]
    told = [place for place in named if re.search(rf"(?<!\w){re.escape(path[place + 1])}(?!\w)", message)] or named
    return f"`{_command(path, told[-1])}` shows what there is." if told else ""


def listing_of_fields(fields: Mapping[str, Sequence[str]]) -> str:
    """The same for fields of a request that name what is not there."""
    wrong = [name.rpartition(".")[2] for name, messages in fields.items() if "here is no " in messages[0]]
    kinds = [_FIELDS[name] for name in wrong if name in _FIELDS]
    commands = dict.fromkeys(LISTED_BY[kind] for kind in kinds)
    return " ".join(f"`{command}` shows what there is." for command in commands)


def _command(path: tuple[str, ...], place: int) -> str:
    kind = path[place]
    above = f"{path[place - 2]}/{kind}" if place > 1 else ""
    command = LISTED_BY.get(above) or LISTED_BY.get(kind, "")
    given = {path[number]: shlex.quote(path[number + 1]) for number in range(0, place, 2)}
    try:
        return command.format_map(given)
    except KeyError:  # it is asked for at another address
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
