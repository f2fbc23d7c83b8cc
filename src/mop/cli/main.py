"""The command `mop`. Every command imports what it needs when it runs, so that `mop --help` is instant."""

from __future__ import annotations

import copy
import os
import sys
import traceback
from collections.abc import Collection

import typer
from typer.main import get_command_name
from typer.models import CommandInfo

from mop.areas.area import Commands
from mop.areas.references import Ref
from mop.areas.registry import register_installed, registered
from mop.cli.app import app
from mop.cli.completion import begin, is_completing
from mop.cli.exit_codes import ExitCode, of_error
from mop.cli.failures import CommandError
from mop.cli.output import print_error, printable, say, wants_colour
from mop.errors import MopError

# commands of the installation itself; the others are those that areas declare
INSTALLATION = (
    Commands(Ref("mop.cli.model_folder:app"), order=5),
    Commands(Ref("mop.cli.login:app"), order=80),
    Commands(Ref("mop.cli.completion:app"), order=85),
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
    _unset_colour_forcing()
    try:
        # in this mode an Exit comes back as its code, and errors come to the handlers below
        if is_completing():
            begin()
        words = None if is_completing() else set(arguments)
        result = command_tree(words).main(args=arguments, prog_name="mop", standalone_mode=False)
        code = result if isinstance(result, int) else ExitCode.DONE
    except typer.TyperException as error:
        code = _show_usage_error(error)
    except (typer.Abort, KeyboardInterrupt):
        say("interrupted")
        code = ExitCode.INTERRUPTED
    except SystemExit as error:
        code = _show_refusal(error)
    except CommandError as error:
        say(printable(error.message))
        say(f"  hint: {error.hint}")
        code = error.exit_code
    except MopError as error:
        print_error(error)
        code = of_error(error)
    except Exception as error:  # noqa: BLE001 - the last handler: a bug becomes exit code 70 and a short message
        code = _show_bug(error, debug="--debug" in arguments)
    return int(code)


def command_tree(words: Collection[str] | None = None) -> typer.core.TyperGroup:
    """Every command, of the installation and of its areas, in the order of the help.

    Args:
        words: of the command line. A command that none of them names can not run, and has its help alone: reading the
            options of all commands takes half the time of `mop --help`. None reads all.
    """
    register_installed()
    declared = (commands for area in registered() for commands in area.commands)
    tree = _group_of(app, words)
    for commands in sorted((*INSTALLATION, *declared), key=lambda commands: commands.order):
        group = tree.commands[commands.group] if commands.group else tree
        if not isinstance(group, typer.core.TyperGroup):
            raise TypeError(f"`mop {commands.group}` is no group of commands")
        group.commands.update(_group_of(commands.app.load(), words).commands)
    return tree


def _group_of(commands: typer.Typer, words: Collection[str] | None) -> typer.core.TyperGroup:
    commands.rich_markup_mode = "rich" if wants_colour(sys.stdout) else None
    return typer.main.get_group(commands if words is None else _named(commands, words))


def _named(commands: typer.Typer, words: Collection[str]) -> typer.Typer:
    """These commands, without the options of those that no word names."""
    named = copy.copy(commands)
    named.registered_commands = [_with_help_alone(one, words) for one in commands.registered_commands]
    named.registered_groups = []
    for group in commands.registered_groups:
        below = copy.copy(group)
        if group.typer_instance is not None:
            below.typer_instance = _named(group.typer_instance, words)
        named.registered_groups.append(below)
    return named


def _with_help_alone(command: CommandInfo, words: Collection[str]) -> CommandInfo:
    if command.callback is None or (command.name or get_command_name(command.callback.__name__)) in words:
        return command

    def nothing() -> None:
        raise RuntimeError(f"{nothing.__name__} was not read")

    nothing.__name__, nothing.__doc__ = command.callback.__name__, command.callback.__doc__
    short = copy.copy(command)
    short.callback = nothing
    return short


def _show_usage_error(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "mop"
    say(f"{path}: {printable(error.format_message())}")
    say(f"Try `{path} --help`.")
    return ExitCode.USAGE


def _show_refusal(error: SystemExit) -> int:
    """Settings and host checks refuse to go on with a text for people."""
    if isinstance(error.code, str):
        say(printable(error.code))
        return ExitCode.USAGE
    return error.code or ExitCode.DONE


def _show_bug(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    else:
        say(f"internal error: {type(error).__name__}: {printable(str(error))[:500]}")
        say("Run it again as `mop --debug ...` for the traceback, and report it as CONTRIBUTING.md says.")
    return ExitCode.INTERNAL


def _unset_colour_forcing() -> None:
    # Typer takes these as "this is a terminal" and writes escape codes into files and CI logs
    if not wants_colour(sys.stdout):
        for name in ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):
            os.environ.pop(name, None)
