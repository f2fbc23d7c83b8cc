"""docs/first-gate.md: every command is run, in its order, and ends and says what the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Mop
from mop.accounts.models import User
from mop.catalog.models import Task
from support.evaluation_results import add_version, approved_dataset, evaluate, verified
from support.factories import make_model, make_task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("engine_database")]
PAGE = Path(__file__).parents[2] / "docs" / "first-gate.md"
FILE = "conditions.txt"
BLOCK = re.compile(r"^```(console|gate)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def measured(user: User) -> Task:
    """A task of the person's, with two datasets and two versions that were measured on them."""
    task = make_task("hate in text", owners=[user])
    for name in ("chat-en", "forum-en"):
        approved_dataset(task, name=name)
    model = make_model("toxicity", owner=user, tasks=(task,))
    evaluate(verified(model.revisions.get()), skill=0.6)
    evaluate(add_version(model, "v1.1.0"), skill=0.97)
    return task


def commands(block: str) -> Iterator[tuple[list[str], str]]:
    """Each command of a block, and what the page says that it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        yield shlex.split(command), said


def plain(text: str) -> str:
    """Without what differs between two runs: numbers that were measured, and the width of columns."""
    lines = (re.sub(r"\d\.\d+", "N", " ".join(line.split())) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def test_every_command_of_the_tutorial_says_what_the_page_says(
    measured: Task, mop: Mop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    ends = []
    for kind, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "gate":
            Path(FILE).write_text(block, encoding="utf-8")
            continue
        for words, said in commands(block):
            if words == ["echo", "$?"]:
                assert said.strip() == str(ends[-1]), f"after {words}"
                continue
            assert words[0] == "mop"
            done = mop(*words[1:])
            ends.append(done.code)
            assert plain(done.out + done.err) == plain(said), f"{words}\n{done.out}{done.err}"
    assert sorted(set(ends)) == [0, 1, 3, 64]
