"""Who may do what: the rows of all areas, which tests check and docs/permissions.md shows.

`python tests/support/permission_table.py` writes docs/permissions.md anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mop.areas.permissions import OTHER_ROLES, ROLES, Permissions, Row
from mop.areas.registry import register_installed, registered
from mop.areas.scopes import READING_METHODS

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"


def api_rows() -> list[Row]:
    """What is asked of the API, below /api/v1."""
    return [row for permissions in _declared() for row in permissions.api]


def page_rows() -> list[Row]:
    """What is asked of every other address."""
    return [row for permissions in _declared() for row in permissions.pages]


def _declared() -> list[Permissions]:
    return [area.permissions.load() for area in registered() if area.permissions]


def render() -> str:
    """The document."""
    return "\n".join(
        [
            "# Who may do what",
            "",
            "What one may not see answers 404; what one sees but may not do answers 403; nobody signed in answers",
            "401 (a page leads to the sign-in page instead). The tests check every address of API and portal in",
            "every role; an address without a row fails them. This page is written from the rows of the areas.",
            "",
            "- *user*: anyone signed in. *team member*: belongs to the model's team, is no owner. *owner*: owns the",
            "  models. An administrator sees everything, reassigns owners and allows hosts, and changes nothing else",
            "  of others' models.",
            "- *task owner*, *dataset owner*, *DSAT submitter*, *service admin*: a user who is that for the task,",
            "  dataset, case or service of the address, and owns nothing else. The owner of the table is all of them.",
            "- *read token*, *write token*: personal access tokens of the owner, for everything. *read scope*, *write",
            "  scope*: what a token needs to read or to write there, which is answered as the two columns say; a token",
            "  without it gets 403 before anything is looked up. *any*: every token. [Access tokens](tokens.md) tells",
            "  more. Pages take no tokens.",
            "- *private*, *public*: a model without, with a public version. *the-team*: a body that names the owner's",
            "  team; *own-team*: one that names none. *shared*: a group of the owner's that their team is shown; other",
            "  groups of the owner's are shown to nobody in the table.",
            "- 302 is a page's answer to a form that was taken, 422 to one whose fields are not valid: both may.",
            "",
            "## API (below /api/v1)",
            "",
            *_section(api_rows(), scoped=True),
            "",
            "## Pages",
            "",
            *_section(page_rows()),
            "",
        ]
    )


def _section(rows: Iterable[Row], *, scoped: bool = False) -> list[str]:
    head = ["method", "address", "object", *ROLES, *OTHER_ROLES, *(("read scope", "write scope") if scoped else ())]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        cells = [row.method, f"`{row.path}`", "" if row.object == "-" else row.object]
        scopes = _scopes(row) if scoped else ()
        statuses = [*row.expected.values(), *(row.other(role) for role in OTHER_ROLES)]
        lines.append(f"| {' | '.join([*cells, *map(str, statuses), *scopes])} |")
    return lines


def _scopes(row: Row) -> tuple[str, str]:
    if row.scope is None:
        return "", ""
    needed = f"`{row.scope.needed(row.method)}`" if row.scope.needed(row.method) else "any"
    return (needed, "") if row.method in READING_METHODS else ("", needed)


if __name__ == "__main__":
    register_installed()
    DOCUMENT.write_text(render(), encoding="utf-8")
