from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cli.commands import REPOSITORY
from mop.cli.main import command_tree
from mop_client.cli.exit_codes import ExitCode

PAGE = (REPOSITORY / "docs" / "cli.md").read_text()

Commands = dict[str, dict[str, str]]


def commands_of(group: Any, path: str = "mop") -> Iterator[tuple[str, dict[str, str]]]:
    """Every command with its options and their help."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{path} {name}")
        else:
            yield f"{path} {name}", {_names(one): one.help or "" for one in command.params if one.name != "help"}


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))


def documented() -> Commands:
    """The same, as docs/cli.md tells it."""
    sections = re.split(r"^### ", PAGE.partition("## Commands")[2], flags=re.MULTILINE)[1:]
    return {
        section.partition("\n")[0]: dict(re.findall(r"^\| (`.*?) \| (.*?) ?\|$", section, flags=re.MULTILINE))
        for section in sections
    }


def test_docs_list_every_command_with_every_option():
    assert documented() == dict(commands_of(command_tree()))


@pytest.mark.parametrize("words", [[], ["model"], ["model", "list"], ["run", "x"]])
def test_a_command_that_the_command_line_does_not_name_keeps_name_and_help(words: list[str]):
    def told(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, bool, list[str]]]:
        for name, command in group.commands.items():
            here = (*path, name)
            named = bool(words) and {*here} <= {*words}
            options = [one.name for one in command.params] if named else []
            yield here, command.get_short_help_str(), command.hidden, options
            if hasattr(command, "commands"):
                yield from told(command, here)

    assert list(told(command_tree(words))) == list(told(command_tree()))


def test_every_command_with_a_result_gives_it_as_json_too():
    """Without are those that go on until they are ended, ask for a password, or print a script or a file."""
    without = {name for name, options in commands_of(command_tree()) if "`--json`" not in options}
    serving = {"mop up", "mop worker", "mop demo", "mop run", "mop serve-release"}
    assert without == {*serving, "mop login", "mop createuser", "mop completion", "mop model card"}


def test_docs_list_every_exit_code():
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)} == set(ExitCode)


def test_the_product_s_commands_are_there():
    commands = dict(commands_of(command_tree()))
    alone = {"up", "worker", "demo", "createuser", "login", "doctor", "check", "run"}
    of_models = {"create", "list", "show", "watch", "logs", "retry", "cancel", "delete"}
    assert {f"mop {name}" for name in alone} | {f"mop model {name}" for name in of_models} <= set(commands)
