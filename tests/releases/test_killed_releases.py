"""Kill -9 on both sides of the commit of every step of releases: people's, a gateway's, and the making of a bundle."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from support.forked import run_python
from support.prepared import copy_tables

HOST = "hooks.example"


def story(module: str, folder: Path) -> Any:
    """What a module of `support` found on a home of its own."""
    home = folder / "home"
    copy_tables(home)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    own = {
        "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
        "MOP_HOME": str(home),
        "MOP_FILE_ROOTS": str(folder),
        "MOP_SOURCE_PREFIXES": json.dumps(
            [{"team": "*", "purpose": purpose, "prefix": "*"} for purpose in ("models", "datasets")]
        ),
        "MOP_WEBHOOK_HOSTS": HOST,
    }
    done = run_python([sys.executable, "-m", module], env=inherited | own, cwd=folder, timeout=400)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.chaos
@pytest.mark.second_tier
def test_whatever_is_killed_exactly_one_release_is_live_in_each_slot(tmp_path: Path):
    found, said = story("support.release_story", tmp_path)
    assert [one["faults"] for one in found["steps"]] == [[]] * len(found["steps"]), said
    assert all(one["killed"] for one in found["steps"]), (found["steps"], said)
    # before the commit nothing is changed, after it all is: a step that was killed twice was done once
    assert [one["changed"] for one in found["steps"]] == [False, True] * (len(found["steps"]) // 2)
    states = list(found["last"]["releases"].values())
    assert states == ["retired", "retired", "approved", "released"]
    assert [(slot[0], slot[2], slot[3]) for slot in found["last"]["slots"]] == [("Hate", 4, None), ("Sexual", 4, None)]
    assert found["again"] == [1, 1]
    assert "ConflictError: Release 1 is retired" in said
    assert found["is_same"]


@pytest.mark.chaos
@pytest.mark.second_tier
def test_a_bundle_whose_making_is_killed_is_made_once_and_told_of_once(tmp_path: Path):
    steps, said = story("support.bundle_story", tmp_path)
    assert [one["is_killed"] for one in steps] == [True, True, True, False], said
    assert [one["is_made"] for one in steps] == [False, False, True, True]
    assert [(one["events"], one["deliveries"]) for one in steps] == [(0, 0), (0, 0), (1, 1), (1, 1)]
    last = steps[-1]
    assert last["code"] == 0, said
    assert (steps[-2]["sha256"], steps[-2]["bytes"]) == (last["sha256"], last["bytes"])
