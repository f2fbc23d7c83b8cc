"""`mop completion`: the script by which a shell completes commands, options, and names that the server knows.

A completer runs while somebody types. It asks the server once, waits two seconds at most, and says nothing when
anything fails.
"""

import contextlib
import enum
import os
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mop_client.cli.client import Server

app = typer.Typer()

VARIABLE = "_MOP_COMPLETE"
SECONDS = 2.0


class Shell(str, enum.Enum):
    """The shells that `mop` knows."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(shell: Annotated[Shell, typer.Argument(help="The shell that the script is for.")]) -> None:
    """Print the script that completes commands, options and names in a shell.

    bash: mop completion bash > ~/.local/share/bash-completion/completions/mop.
    zsh: mop completion zsh > "${fpath[1]}/_mop".
    fish: mop completion fish > ~/.config/fish/completions/mop.fish.
    """
    from typer._completion_shared import get_completion_script

    print(get_completion_script(prog_name="mop", complete_var=VARIABLE, shell=shell.value))


def is_completing() -> bool:
    """Whether a shell asks what could follow."""
    return VARIABLE in os.environ


def begin() -> None:
    """Let Typer answer the shells."""
    from typer._completion_classes import completion_init

    completion_init()


def models(incomplete: str) -> list[str]:
    """Names of models."""
    return _names("models", incomplete)


def tasks(incomplete: str) -> list[str]:
    """Names of tasks."""
    return _names("tasks", incomplete)


def datasets(incomplete: str) -> list[str]:
    """Names of datasets."""
    return _names("datasets", incomplete)


def versions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Versions of the model that stands in the command line."""
    from mop_client.cli.near_names import names

    # an option that still lacks its value ends the reading of the line: the name is then left among the words
    model = (
        ctx.params.get("name")
        or ctx.params.get("model")
        or next((word for word in ctx.args if not word.startswith("-")), None)
    )
    found = []
    with _server() as server:
        if server is not None and isinstance(model, str):
            found = names(server, ("models", model, "revisions"))
    return [name for name in found if name.startswith(incomplete)]


def services(incomplete: str) -> list[str]:
    """Names of downstream services."""
    return _of_list(("services",), "name", incomplete)


def groups(incomplete: str) -> list[str]:
    """Names of groups."""
    return _of_list(("groups",), "name", incomplete)


def teams(incomplete: str) -> list[str]:
    """Names of teams."""
    return _of_list(("teams",), "name", incomplete)


def users(incomplete: str) -> list[str]:
    """User names, after two letters."""
    items = []
    with _server() as server:
        if server is not None:
            items = server.get("people", search=incomplete)["items"]
    return [item["username"] for item in items if item["username"].startswith(incomplete)]


def instance_types(incomplete: str) -> list[str]:
    """Names of machine sizes."""
    return _of_list(("instance-types",), "name", incomplete)


def taxonomies(incomplete: str) -> list[str]:
    """Names of taxonomies."""
    return _of_list(("taxonomies",), "name", incomplete)


def _names(kind: str, incomplete: str) -> list[str]:
    from mop_client.cli.near_names import names

    found = []
    with _server() as server:
        if server is not None:
            found = names(server, (kind,), search=incomplete or None)
    return [name for name in found if name.startswith(incomplete)]


def _of_list(path: tuple[str, ...], field: str, incomplete: str) -> list[str]:
    items = []
    with _server() as server:
        if server is not None:
            found = server.get(*path)
            items = found["items"] if isinstance(found, dict) else found
    return [item[field] for item in items if item[field].startswith(incomplete)]


@contextlib.contextmanager
def _server() -> "Iterator[Optional[Server]]":
    """The server that the caller signed in to; None where nobody did. What fails inside is not told: somebody types."""
    from mop.errors import MopError
    from mop_client.cli.client import Server
    from mop_client.cli.credentials import load_credentials
    from mop_client.cli.failures import CommandError

    try:
        server: Optional[Server] = Server(load_credentials(), seconds=SECONDS)
    except MopError:
        server = None
    with contextlib.suppress(MopError, CommandError):
        yield server
    if server is not None:
        server.close()
