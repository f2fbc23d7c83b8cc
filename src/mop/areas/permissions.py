"""Who may do what: the rows that an area gives for its addresses.

A row is: method, address, object, then the status of the answer for each role of ROLES. Addresses of the API stand
below /api/v1. A page that leads to the sign-in page counts as 401. `private` and `public` tell whether the model that
the address names has a public revision; `-` stands for no object. Tests ask every address in every role, and fail for
an address without a row. Operations of the API also have a scope, which an access token needs; without one no token is
taken, and tests fail.
"""

from __future__ import annotations

from dataclasses import dataclass

from mop.areas.scopes import RouteScope

ROLES = ("anonymous", "user", "team member", "owner", "administrator", "read token", "write token")


@dataclass(frozen=True)
class Row:
    """What is asked of which object, and the status for each role."""

    method: str
    path: str
    object: str
    expected: dict[str, int]
    scope: RouteScope | None = None


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
    """
    return tuple(_row(line, scope) for line in table.strip().splitlines())


def _row(line: str, scope: RouteScope | None) -> Row:
    method, path, thing, *statuses = line.split()
    return Row(method, path, thing, dict(zip(ROLES, map(int, statuses), strict=True)), scope)
