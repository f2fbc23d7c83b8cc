"""docs/seed.md names pages, commands and tests that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import resolve

from mop.cli.main import command_tree

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "seed.md").read_text(encoding="utf-8")


def rows() -> Iterator[tuple[str, list[str], list[str], list[str]]]:
    """What is said, and the pages, commands and tests of each row."""
    for line in re.findall(r"^\| (?!what the guide says|---)(.*) \|$", PAGE, flags=re.MULTILINE):
        says, pages, commands, tests = line.split(" | ")
        named = (re.findall(r"`([^`]+)`", cell) for cell in (pages, commands, tests))
        yield says, *named


def test_every_row_has_a_page_a_command_and_a_test():
    found = list(rows())
    assert len(found) > 90
    assert [says for says, *named in found if not all(named)] == []


@pytest.mark.parametrize("address", sorted({page for _, pages, _, _ in rows() for page in pages}))
def test_each_page_exists(address: str):
    path = address.replace("/help/NAME/", "/help/errors/")
    assert resolve(path)


def test_each_command_exists():
    tree = command_tree()
    for words in sorted({command for _, _, commands, _ in rows() for command in commands}):
        found = tree
        for word in words.split()[1:]:
            assert word in getattr(found, "commands", {}), f"there is no command {words}"
            found = found.commands[word]  # type: ignore[assignment] # a command or a group
        assert not hasattr(found, "commands"), f"{words} is a group of commands"


def test_each_test_exists():
    for named in sorted({test for _, _, _, tests in rows() for test in tests}):
        file, _, name = named.partition("::")
        path = ROOT / file
        assert path.is_file(), f"there is no {file}"
        assert name.startswith("test_"), f"{named} names no test"
        assert f"def {name}(" in path.read_text(encoding="utf-8"), f"there is no {named}"
