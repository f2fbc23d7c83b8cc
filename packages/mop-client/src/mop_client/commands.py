"""The command `mop` of the client: model folders, and what stands on a server. A server's package has its own.

Annotations are no texts in files with commands (no `from __future__ import annotations`): on Python 3.9 Typer does not
read the options in them otherwise.
"""

import importlib.util
import sys
from collections.abc import Collection
from importlib import import_module
from typing import Annotated, Optional

import typer

from mop_client.cli.help import show_help
from mop_client.cli.running import group_of, run_commands

app = typer.Typer(
    name="mop",
    help="MOP, the RAI Model Onboarding Pipeline: model folders, and what stands on a server.",
    pretty_exceptions_enable=False,
    add_completion=False,
)
# each with the group whose commands they are, if any, in the order of the help
COMMANDS = (
    ("mop_client.folder_commands", ""),
    ("mop_client.cli.model", ""),
    ("mop_client.cli.model_owners", "model"),
    ("mop_client.cli.model_tasks", "model"),
    ("mop_client.cli.model_try", "model"),
    ("mop_client.cli.model_findings", "model"),
    ("mop_client.cli.model_waivers", "model"),
    ("mop_client.cli.model_hosts", "model"),
    ("mop_client.cli.model_load_test", "model"),
    ("mop_client.cli.model_card", "model"),
    ("mop_client.cli.group", ""),
    ("mop_client.cli.notification", ""),
    ("mop_client.cli.alert", ""),
    ("mop_client.cli.webhook", ""),
    ("mop_client.cli.task", ""),
    ("mop_client.cli.task_list", "task"),
    ("mop_client.cli.task_edit", "task"),
    ("mop_client.cli.task_gate", "task"),
    ("mop_client.cli.task_results", "task"),
    ("mop_client.cli.taxonomy", ""),
    ("mop_client.cli.instance_type", ""),
    ("mop_client.cli.service", ""),
    ("mop_client.cli.service_token", "service"),
    ("mop_client.cli.service_webhook", "service"),
    ("mop_client.cli.dataset", ""),
    ("mop_client.cli.evaluation", ""),
    ("mop_client.cli.evaluation_changes", "evaluation"),
    ("mop_client.cli.golden_set", ""),
    ("mop_client.cli.regression", ""),
    ("mop_client.cli.dsat", ""),
    ("mop_client.cli.gate", ""),
    ("mop_client.cli.release", ""),
    ("mop_client.cli.bundle", ""),
    ("mop_client.cli.gateway", ""),
    ("mop_client.cli.token", ""),
    ("mop_client.cli.session", ""),
    ("mop_client.cli.team", ""),
    ("mop_client.cli.user", ""),
    ("mop_client.cli.guide", ""),
    ("mop_client.cli.login", ""),
    ("mop_client.cli.source_prefixes", ""),
    ("mop_client.cli.completion", ""),
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the client's version.")] = False,
) -> None:
    """Answer `--version`, or show the help when no command is given."""
    ctx.obj = {"debug": debug}
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"mop-client {version_of('mop-client')}")
    else:
        show_help(ctx)


def main() -> None:
    """The command `mop`: that of the server where one is installed beside this client."""
    if importlib.util.find_spec("mop") is not None and importlib.util.find_spec("mop.cli") is not None:
        from mop.cli.main import main as server_main

        server_main()
        return
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code."""
    return run_commands(command_tree, arguments)


def command_tree(words: Optional[Collection[str]] = None) -> typer.core.TyperGroup:
    """Every command that the client has; those that no word names have their help alone."""
    tree = group_of(app, words)
    for module, group in COMMANDS:
        place = tree.commands[group] if group else tree
        if not isinstance(place, typer.core.TyperGroup):
            raise TypeError(f"`mop {group}` is no group of commands")
        place.commands.update(group_of(import_module(module).app, words).commands)
    return tree
