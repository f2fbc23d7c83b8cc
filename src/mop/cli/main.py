"""The command `mop`. Every command imports what it needs when it runs, so that `mop --help` is instant."""

from __future__ import annotations

import sys
from collections.abc import Collection

import typer

from mop.areas.area import Commands
from mop.areas.references import Ref
from mop.areas.registry import register_installed, registered
from mop.cli.app import app
from mop_client.cli.running import group_of, run_commands

# commands of the installation itself; the others are those that areas declare
INSTALLATION = (
    Commands(Ref("mop_client.folder_commands:app"), order=5),
    Commands(Ref("mop_client.cli.login:app"), order=80),
    Commands(Ref("mop_client.cli.completion:app"), order=85),
    Commands(Ref("mop.cli.up:app"), order=90),
    Commands(Ref("mop.cli.worker:app"), order=100),
    Commands(Ref("mop.cli.doctor:app"), order=120),
    Commands(Ref("mop.cli.settings:app"), order=130),
    Commands(Ref("mop.cli.demo:app"), order=180),
)


def main() -> None:
    """Run `mop` with the process's arguments and exit with one of the codes of docs/cli.md."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code."""
    return run_commands(command_tree, arguments)


def command_tree(words: Collection[str] | None = None) -> typer.core.TyperGroup:
    """Every command, of the installation and of its areas, in the order of the help.

    Args:
        words: of the command line. A command that none of them names cannot run, and has its help alone: reading the
            options of all commands takes half the time of `mop --help`. None reads all.
    """
    register_installed()
    declared = (commands for area in registered() for commands in area.commands)
    tree = group_of(app, words)
    for commands in sorted((*INSTALLATION, *declared), key=lambda commands: commands.order):
        group = tree.commands[commands.group] if commands.group else tree
        if not isinstance(group, typer.core.TyperGroup):
            raise TypeError(f"`mop {commands.group}` is no group of commands")
        group.commands.update(group_of(commands.app.load(), words).commands)
    return tree
