"""Who may do what: the rows that an area gives for its addresses.

A row is: method, address, object, then the status of the answer for each role of ROLES. Addresses of the API stand
below /api/v1. A page that leads to the sign-in page counts as 401. `private` and `public` tell whether the model that
the address names has a public revision; `-` stands for no object. Tests ask every address in every role, and fail for
an address without a row. Operations of the API also have a scope, which an access token needs; without one no token is
taken, and tests fail.

People who own something else than the model are answered as a user is. After the statuses a row names those of
OTHER_ROLES who are answered as the owner is, who is all of them: `task-owner DSAT-submitter`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mop.areas.scopes import RouteScope

ROLES = ("anonymous", "user", "team member", "owner", "administrator", "read token", "write token")
OTHER_ROLES = ("task owner", "dataset owner", "DSAT submitter", "service admin")
_OTHER_BY_WORD = {role.replace(" ", "-"): role for role in OTHER_ROLES}


@dataclass(frozen=True)
class Row:
    """What is asked of which object, and the status for each role.

    Attributes:
        expected: by ROLES.
        as_owner: those of OTHER_ROLES who are answered as the owner is; the others are as a user is.
        scope: what a token needs.
    """

    method: str
    path: str
    object: str
    expected: dict[str, int]
    as_owner: tuple[str, ...]
    scope: RouteScope | None = None

    def other(self, role: str) -> int:
        """The status for one of OTHER_ROLES."""
        return self.expected["owner" if role in self.as_owner else "user"]


@dataclass(frozen=True)
class Permissions:
    """The rows of an area: of its operations in the API and of its pages."""

    api: tuple[Row, ...] = ()
    pages: tuple[Row, ...] = ()


def rows(table: str, *, scope: RouteScope | None = None) -> tuple[Row, ...]:
    """The rows of a table: one a line, its columns separated by blanks.

    Args:
        table: the text.
        scope: what a token needs for these operations; pages take no tokens and have none.

    Raises:
        ValueError: a line has too few or too many columns, or a status that is no number.
        KeyError: it names a role that there is not.
    """
    return tuple(_row(line, scope) for line in table.strip().splitlines())


def _row(line: str, scope: RouteScope | None) -> Row:
    method, path, thing, *rest = line.split()
    statuses, others = rest[: len(ROLES)], rest[len(ROLES) :]
    expected = dict(zip(ROLES, map(int, statuses), strict=True))
    return Row(method, path, thing, expected, tuple(_OTHER_BY_WORD[word] for word in others), scope)
