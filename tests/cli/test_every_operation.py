"""What the API can do, the command line can do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cli.commands import REPOSITORY
from cli.test_reference import commands_of
from mop.cli.main import command_tree
from support.addresses import operations

COMMANDS = REPOSITORY / "packages" / "mop-client" / "src" / "mop_client"
SEVERAL, ONE = ".*", "[^/]+"
CHANGES = {"post", "put", "patch", "delete"}
# changes whose address a command puts together, with that command; or why there is none
OTHERWISE = {
    "DELETE /models/{name}": "mop model delete",
    "DELETE /tasks/{task}/dsat-access/{access_id}": "mop dsat access",
    "POST /models/{name}/revisions/{version}/evaluations/{task}/{dataset}/publish": "mop evaluation publish",
    "POST /models/{name}/revisions/{version}/evaluations/{task}/{dataset}/rerun": "mop evaluation rerun",
    "POST /models/{name}/revisions/{version}/evaluations/{task}/{dataset}/verify": "mop evaluation verify",
    "POST /models/{name}/revisions/{version}/evaluations/{task}/{dataset}/withdraw": "mop evaluation withdraw",
    "POST /models/{name}/revisions/{version}/regression/closed": "mop regression close",
    "POST /models/{name}/revisions/{version}/regression/fixed": "mop regression fix",
    "POST /notifications/{notification_id}/read": "none: `mop notification read` marks all, as nobody reads one there",
    "POST /services/{service}/cases": "none: a service reports by its token in its own program, not by hand",
    "POST /services/{service}/releases/{number}/bundle": "mop bundle pull",
    "POST /tasks/{task}/dsat-access": "mop dsat access",
    "PUT /models/{name}/revisions/{version}/allowed-hosts": "mop model allowed-hosts",
    "PUT /models/{name}/revisions/{version}/sample": "mop model sample",
    "PUT /services/{service}/gate": "mop service gate",
    "PUT /tasks/{task}/gate": "mop task gate",
}


def _asked() -> Iterator[tuple[str, str]]:
    """Method and address of every call of the server, as a pattern; one that names nothing is left out."""
    for path in [*(COMMANDS / "cli").glob("*.py"), COMMANDS / "folder_commands.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
                parts = [_pattern(one) for one in node.args]
                if any(part not in {SEVERAL, ONE} for part in parts):
                    yield node.func.attr.upper(), "/" + "/".join(parts)


def _pattern(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant):
        return re.escape(str(argument.value))
    return SEVERAL if isinstance(argument, ast.Starred) else ONE


def test_every_change_that_the_api_offers_has_a_command():
    asked = {*_asked()}
    missing = [
        f"{method} {path}"
        for method, path in operations()
        if method.lower() in CHANGES
        and not any(one == method and re.fullmatch(pattern, path) for one, pattern in asked)
    ]
    assert sorted(missing) == sorted(OTHERWISE)


def test_the_commands_that_are_named_exist():
    commands = {path for path, _ in commands_of(command_tree())}
    assert {one for one in OTHERWISE.values() if not one.startswith("none: ")} <= commands
