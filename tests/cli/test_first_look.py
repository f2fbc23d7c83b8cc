"""What somebody meets who does not know MOP yet: lists with nothing in them, names that do not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.commands import Result, mop_here
from cli.conftest import Mop
from cli.test_reference import commands_of
from mop.cli.main import command_tree
from mop.errors import CATALOGUE, NotFoundError
from mop.registry.models import Model
from mop_client.cli.near_names import LISTED_BY, listing
from mop_client.cli.output import print_columns, print_fields, print_list
from support.addresses import operations
from support.factories import make_task

EMPTY = [
    "model list",
    "model list --search nothing-like-it",
    "group list",
    "dataset list",
    "webhook list",
    "notification list",
    "dsat list",
    "dsat imports",
    "service list",
    "release list",
    "task list --search nothing-like-it",
    "task leaderboard hate",
    "golden-set list hate",
]
OF_A_MODEL = ["model waivers toxicity", "model checks toxicity", "evaluation list toxicity v1.0.0"]


def commands() -> set[str]:
    return {path for path, _ in commands_of(command_tree())}


def named(text: str) -> list[str]:
    """The commands that a text names, without their arguments."""
    known = commands()
    quoted = re.findall(r"`(mop [^`]+)`", text)
    return [next((one for one in known if f"{given} ".startswith(f"{one} ")), f"unknown: {given}") for given in quoted]


def assert_says_what_to_do(result: Result) -> None:
    """Nothing but words on stderr, whose commands exist."""
    assert (result.code, result.out) == (0, ""), result
    assert result.err.count("\n") == 1
    assert not [one for one in named(result.err) if one.startswith("unknown")]


@pytest.mark.parametrize("line", EMPTY)
def test_an_empty_list_says_so_and_what_makes_an_entry_appear(line: str, mop: Mop):
    make_task("hate")
    assert_says_what_to_do(mop(*line.split()))
    document = mop(*line.split(), "--json").json
    assert not (document if isinstance(document, list) else document["items"])


@pytest.mark.parametrize("line", OF_A_MODEL)
def test_an_empty_list_of_a_model_says_so_too(line: str, mop: Mop, model: Model):
    assert_says_what_to_do(mop(*line.split()))


def test_an_error_of_the_catalogue_says_what_to_do_where_nothing_is_found(mop: Mop, model: Model):
    for line, command in [
        ("model show nothing-like-it", "mop model list"),
        ("model show toxicity --version nothing-like-it", "mop model show"),
        ("dataset show nothing-like-it", "mop dataset list"),
        ("task show nothing-like-it", "mop task list"),
        ("webhook log 999", "mop webhook list"),
        ("webhook replay 999 7", "mop webhook list"),
        ("release show 999", "mop release list"),
        ("model cancel-check toxicity 11111111-1111-4111-8111-111111111111", "mop model checks"),
        ("model cancel-check nothing-like-it 11111111-1111-4111-8111-111111111111", "mop model list"),
        ("guide show nothing-like-it", "mop guide list"),
    ]:
        result = mop(*line.split())
        assert result.code == 64
        assert named(result.err.partition("hint: ")[2]) == [command], result.err


def test_every_address_with_a_name_has_a_command_that_lists_such_names():
    for _, path in operations():
        parts = ["x y" if part.startswith("{") else part for part in path.strip("/").split("/")]
        if "x y" in parts:
            found = named(listing(tuple(parts), "There is no 'x y'."))
            assert len(found) == 1, path
            assert not found[0].startswith("unknown"), path


def test_every_command_that_lists_names_exists():
    assert not [one for one in named(" ".join(f"`{one}`" for one in LISTED_BY.values())) if one.startswith("unknown")]


def test_a_name_with_a_space_is_quoted_for_the_shell():
    found = listing(("tasks", "hate in text", "golden-sets", "nsfw"), "It has no golden set 'nsfw'.")
    assert found == "`mop golden-set list 'hate in text'` shows what there is."


def test_what_is_not_found_has_a_hint_in_the_catalogue():
    assert CATALOGUE["NotFoundError"] is NotFoundError
    assert NotFoundError("There is no task.").hint == NotFoundError.default_hint != ""


def test_a_field_that_names_what_is_not_there_leads_to_the_list_too(mop: Mop, model: Model):
    result = mop("model", "list", "--group", "nothing-like-it")
    assert named(result.err.partition("hint: ")[2]) == ["mop group list"]
    within = ("dataset", "create", "file:///x", "--modality", "Text", "--label", "x", "--task", "nothing-like-it")
    assert named(mop(*within).err.partition("hint: ")[2]) == ["mop task list"]
    result = mop("model", "cancel-check", "toxicity", "17")
    assert named(result.err.partition("hint: ")[2]) == ["mop model checks"]


def test_a_token_that_does_not_work_leads_to_signing_in(mop: Mop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOP_TOKEN", "mop_wrong")
    assert named(mop("model", "list").err) == ["mop login"]


def test_a_group_with_a_model_that_is_not_there_is_not_made(mop: Mop):
    assert mop("group", "create", "for the meeting", "nothing-like-it").code == 64
    assert mop("group", "list", "--json").json == []


def test_a_folder_without_files_is_not_called_clean(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    result = mop_here(capsys, "scan", str(tmp_path))
    assert (result.code, result.out) == (64, "")


def test_a_document_is_told_in_words_on_stdout(capsys: pytest.CaptureFixture[str]):
    print_fields({"is_held": False, "tags": ["a", "b"], "comment": "", "ended_at": None, "id": 7}, without=("id",))
    assert capsys.readouterr().out == "FIELD    VALUE\nis held  no\ntags     a, b\n"


def test_a_document_without_fields_and_a_table_without_rows_print_no_head(capsys: pytest.CaptureFixture[str]):
    print_fields({"comment": None})
    print_columns(("DATASET", "BEST"), [])
    print_list(("ID", "NAME"), [], empty="No groups.")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "No groups.\n")
