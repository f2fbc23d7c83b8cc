from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cli.commands import MOP, environment, mop
from mop.errors import EnvironmentBuildError, ValidationFailedError
from mop_client.cli.options import one_of
from mop_client.cli.output import error_lines, printable, say

HEAVY = (
    "asyncio",
    "ssl",
    "tempfile",
    "django",
    "httpx",
    "rich.console",
    "dbos",
    "yaml",
    "azure",
    "mop.hosting.tools",
    "mop.serving",
    "ninja",
)


def test_each_field_that_is_not_valid_is_told_once():
    one = ValidationFailedError("name: Taken.", fields={"name": ["Taken."]})
    assert error_lines(one) == ["ValidationFailedError: name: Taken."]
    two = ValidationFailedError("name: Taken.; url: No.", fields={"url": ["No."], "name": ["Taken."]})
    assert error_lines(two) == ["ValidationFailedError: Some fields are not valid", "  name: Taken.", "  url: No."]


def test_help_imports_nothing_heavy(tmp_path: Path):
    script = (
        "import sys; from mop.cli.main import run; run(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment(tmp_path, {})
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"])
def test_no_escape_codes_into_a_pipe_whatever_forces_them(tmp_path: Path, name: str):
    shown = mop("--help", home=tmp_path, **{name: "1"})
    refused = mop("model", "nonsense", home=tmp_path, **{name: "1"})
    assert "\x1b" not in shown.out + shown.err + refused.out + refused.err


def on_a_terminal(tmp_path: Path, **env: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*MOP, "--help"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment(tmp_path, {"TERM": "xterm"} | env)
    )
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # the other side is closed: the process ended
        pass
    finally:
        os.close(ours)
        process.wait()
    return text.decode()


def test_colours_on_a_terminal_unless_no_color_says_otherwise(tmp_path: Path):
    assert "\x1b[" in on_a_terminal(tmp_path)
    assert "\x1b[" not in on_a_terminal(tmp_path, NO_COLOR="1")


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]):
    assert printable("a\x1b[2Jb\r\u202e\tc") == "a\ufffd[2Jb\ufffd\ufffd\tc"
    say("told by a server: \x1b[2J")
    assert capsys.readouterr().err == "told by a server: \ufffd[2J\n"


def test_a_message_of_several_lines_is_shown_as_lines_and_steers_no_terminal():
    error = EnvironmentBuildError(
        "six 1.0 could not be built:\nTraceback\r\n  hint: \x1b[2J", hint="Choose\nanother.", also=["one\ntwo"]
    )
    assert error_lines(error) == [
        "EnvironmentBuildError: six 1.0 could not be built:",
        "    Traceback",
        "      hint: \ufffd[2J",
        "  also: one",
        "    two",
        "  hint: Choose",
        "    another.",
    ]


@pytest.mark.parametrize("text", ["PerRPS", "per-rps", "PERRPS", "per_rps"])
def test_options_take_any_letter_case(text: str):
    assert one_of(("off", "PerRPS", "PerConcurrency"))(text) == "PerRPS"
