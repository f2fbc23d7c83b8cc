from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.commands import mop_here
from mop.cli.app import app
from mop.errors import (
    CATALOGUE,
    DiskFullError,
    InvalidRequestError,
    MopError,
    NotFoundError,
    PackageIndexUnavailableError,
    UserScriptException,
)
from mop_client.cli.exit_codes import of_error, of_result

AddCommand = Callable[[str, BaseException], None]


@pytest.fixture
def command() -> Iterator[AddCommand]:
    """Adds a command to the tree for one test."""
    before = list(app.registered_commands)

    def add(name: str, error: BaseException) -> None:
        @app.command(name)
        def fail() -> None:
            raise error

    yield add
    app.registered_commands[:] = before


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("--nonsense",),
        ("check",),
        ("check", "/no/such/folder"),
        ("check", "/", "--nonsense"),
        ("check", "/", "--sample", "{"),
        ("check", "/", "--sample", "@/no/such/file"),
        ("check", "/", "--task", "/no/such/file"),
        ("run", "/", "--port", "99999"),
        ("run", "/", "--uds", "/x", "--port", "1"),
        ("run", "/", "--batch-max", "2", "--batch-idle", "3"),
        ("up", "--port", "x"),
        ("model", "nonsense"),
        ("model", "create", "file:///x"),
        ("model", "create", "file:///x", "--task", "t", "--load-test", "PerHaps"),
        ("model", "list", "--status", "fine"),
        ("model", "logs", "name", "kernel"),
        ("login", "--url", "ftp://x", "--token-stdin"),
    ],
)
def test_wrong_usage_is_64_and_leaves_stdout_empty(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
):
    monkeypatch.setenv("MOP_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MOP_TOKEN", "mop_x")
    result = mop_here(capsys, *arguments)
    assert (result.code, result.out) == (64, "")
    assert result.err
    assert "Traceback" not in result.err


def test_the_help_is_on_stdout_and_0(capsys: pytest.CaptureFixture[str]):
    for arguments in ((), ("--help",), ("model",), ("model", "--help"), ("check", "--help")):
        result = mop_here(capsys, *arguments)
        assert (result.code, result.err) == (0, "")
        assert "Usage: mop" in result.out


def test_the_version(capsys: pytest.CaptureFixture[str]):
    assert mop_here(capsys, "--version").out.startswith("mop 0.")


def test_a_bug_is_70_with_a_short_message_and_a_traceback_only_with_debug(
    capsys: pytest.CaptureFixture[str], command: AddCommand
):
    command("explode", RuntimeError("the \x1b[31mreactor"))
    short = mop_here(capsys, "explode")
    assert (short.code, short.out) == (70, "")
    assert "RuntimeError: the \N{REPLACEMENT CHARACTER}[31mreactor" in short.err
    assert "Traceback" not in short.err
    assert "Traceback" in mop_here(capsys, "--debug", "explode").err


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str], command: AddCommand):
    command("interrupted", KeyboardInterrupt())
    assert mop_here(capsys, "interrupted").code == 130


def test_a_refusing_text_is_64(capsys: pytest.CaptureFixture[str], command: AddCommand):
    command("refuse", SystemExit("MOP_DEBUG: 'x' is not true or false"))
    result = mop_here(capsys, "refuse")
    assert (result.code, result.err) == (64, "MOP_DEBUG: 'x' is not true or false\n")


def test_an_expected_failure_shows_name_message_place_and_hint(capsys: pytest.CaptureFixture[str], command: AddCommand):
    command("fail", UserScriptException("KeyError: 'x'", place="src/inference.py:7", hint="Fix it."))
    result = mop_here(capsys, "fail")
    assert result.code == 1
    assert result.err == "UserScriptException: KeyError: 'x'\n  at:   src/inference.py:7\n  hint: Fix it.\n"


@pytest.mark.parametrize(
    ("status", "warnings", "code"),
    [
        ("verified", [], 0),
        ("verified", ["single and batch answers differ"], 1),
        ("verifyFailed", [], 1),
        ("vulnerable", ["w"], 2),
        ("toBeRetried", [], 3),
        ("undecided", ["w"], 3),
        ("cancelled", [], 3),
        ("environmentCreating", [], 3),
    ],
)
def test_the_code_of_a_result(status: str, warnings: list[str], code: int):
    assert of_result(status, warnings) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserScriptException("x"), 1),
        (PackageIndexUnavailableError("x"), 3),
        (DiskFullError("x"), 70),
        (NotFoundError("x"), 64),
        (InvalidRequestError("x"), 64),
    ],
)
def test_the_code_of_an_error(error: MopError, code: int):
    assert of_error(error) == code


def test_every_error_of_the_catalogue_has_one_of_the_codes():
    assert {of_error(error("x")) for error in CATALOGUE.values()} <= {1, 3, 64, 70}
