"""`mop gc`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cli.commands import Result, mop
from mop_client.cli.exit_codes import ExitCode

LONG_AGO = time.time() - 40 * 24 * 3600


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installation with an unfinished environment and an unpacked model of long ago."""
    folder = tmp_path / "installation"
    (folder / "environments" / "envs" / ("e" * 64) / "venv").mkdir(parents=True)
    model = folder / "models" / ("a" * 64)
    model.mkdir(parents=True)
    (model / "weights").write_bytes(b"w" * 100_000)
    marker = model.with_name(f"{model.name}.digest")
    marker.write_text(model.name)
    os.utime(marker, (LONG_AGO, LONG_AGO))
    return tmp_path


def gc(home: Path, *arguments: str, stdin: str = "") -> Result:
    return mop("gc", *arguments, home=home, stdin=stdin)


def folders(home: Path) -> list[str]:
    installation = home / "installation"
    found = [*installation.glob("environments/envs/*"), *installation.glob("models/*/")]
    return sorted(path.name[0] for path in found if path.is_dir())


def test_a_dry_run_shows_a_table_and_removes_nothing(home: Path):
    result = gc(home, "--dry-run")
    assert result.code == ExitCode.DONE, result.err
    assert [line.split()[:2] for line in result.out.splitlines()[1:3]] == [
        ["model", "aaaaaaaaaaaa"],
        ["leftover", "envs"],
    ]
    assert "unused for 40 days" in result.out
    assert "left alone: the artifact store" in result.out
    assert "2 in all" in result.out
    assert folders(home) == ["a", "e"]


def test_it_asks_before_anything_is_lost(home: Path):
    refused = gc(home, stdin="n\n")
    assert refused.code == ExitCode.INTERRUPTED
    assert "Remove 2 things?" in refused.err
    assert folders(home) == ["a", "e"]
    agreed = gc(home, stdin="y\n")
    assert agreed.code == ExitCode.DONE, agreed.err
    assert "freed 1" in agreed.err
    assert folders(home) == []


def test_limits_of_the_command_line_win_over_the_settings(home: Path):
    assert gc(home, "--yes", "--max-age", "50").code == ExitCode.DONE
    assert folders(home) == ["a"]
    assert gc(home, "--yes", "--max-age", "50", "--max-size", "0").code == ExitCode.DONE
    assert folders(home) == []


def test_as_json_it_removes_with_yes_and_tells_what(home: Path):
    assert gc(home, "--json").code == ExitCode.USAGE
    planned = gc(home, "--json", "--dry-run").json
    assert [(one["what"], "removed" in one) for one in planned["removals"]] == [("model", False), ("leftover", False)]
    done = gc(home, "--json", "--yes").json
    assert all(one["removed"] for one in done["removals"])
    assert done["bytes_freed"] >= 100_000
    assert gc(home, "--json", "--yes").json["removals"] == []
