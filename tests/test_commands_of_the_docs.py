"""Commands in the examples of README and docs exist, with every option that is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mop.cli.main import command_tree
from mop_client import commands as client_commands

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def examples(page: Path) -> Iterator[str]:
    """Lines of fenced blocks that begin with the command, and commands in the text."""
    text = page.read_text(encoding="utf-8")
    for whole in re.findall(r"`(mop [a-z][^`]*)`", FENCED.sub("", text)):
        yield " ".join(whole.split())
    for block in FENCED.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.match(r"\s*(?:[$] )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(mop [a-z].*)", line)
            if found and "─" not in line:  # a drawing
                yield found[1]


def faults(example: str, tree: Any) -> Iterator[str]:
    """What of an example no command knows."""
    plain = re.sub(r"\s#.*|\s*[|&;>].*", "", example)  # a comment, or what the shell does with the output
    words = re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", plain).split()
    found = tree
    rest = words[1:]
    while rest and hasattr(found, "commands"):
        word = rest.pop(0)
        if word.startswith("-"):
            continue
        if word not in found.commands:
            yield f"{example}: there is no command {word}"
            return
        found = found.commands[word]
    known = {name for one in found.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    for word in rest:
        if word.startswith("-") and word != "-" and word.partition("=")[0] not in known:
            yield f"{example}: {word} is no option"


def test_commands_of_examples_exist_with_their_options():
    tree = command_tree()
    found = {page.name: [fault for line in examples(page) for fault in faults(line, tree)] for page in PAGES}
    assert {name: list_ for name, list_ in found.items() if list_} == {}
    assert sum(1 for page in PAGES for _ in examples(page)) > 40


def test_the_clients_guide_names_each_of_its_commands():
    section = (ROOT / "docs" / "client.md").read_text(encoding="utf-8").split("## Commands")[1].split("```")[0]
    assert set(re.findall(r"`(?:mop )?([a-z-]+)`", section)) - {"mop"} == set(client_commands.command_tree().commands)
