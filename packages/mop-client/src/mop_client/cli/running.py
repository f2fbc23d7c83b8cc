"""Running one command line: errors become a message and an exit code. Typer reads only the commands that are named."""

import copy
import os
import sys
import traceback
from collections.abc import Collection
from typing import Any, Callable, Optional, cast

import typer
from typer.main import get_command_name
from typer.models import CommandInfo

from mop.errors import MopError
from mop_client.cli.completion import begin, is_completing
from mop_client.cli.exit_codes import ExitCode, of_error
from mop_client.cli.failures import CommandError
from mop_client.cli.output import print_error, printable, say, wants_colour

CommandTree = Callable[[Optional[Collection[str]]], Any]


def run_commands(tree: CommandTree, arguments: list[str]) -> int:
    """Run one command line and give its exit code.

    Args:
        tree: gives the group of all commands, of which those that no word names may have their help alone.
        arguments: without the program's name.
    """
    _unset_colour_forcing()
    usage_error = _usage_error()
    try:
        # in this mode an Exit comes back as its code, and errors come to the handlers below
        if is_completing():
            begin()
        words = None if is_completing() else set(arguments)
        result = tree(words).main(args=arguments, prog_name="mop", standalone_mode=False)
        code = result if isinstance(result, int) else ExitCode.DONE
    except usage_error as error:
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


def group_of(commands: typer.Typer, words: Optional[Collection[str]]) -> typer.core.TyperGroup:
    """The group of an app, without the options of commands that no word names; None: with all."""
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


def _usage_error() -> type[Exception]:
    """What Typer raises for a wrong command line; before version 0.26 it was Click's."""
    found = getattr(typer, "TyperException", None)
    if found is None:
        import click

        found = click.ClickException
    return cast("type[Exception]", found)


def _show_usage_error(error: Any) -> int:
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
