"""Kill -9 on both sides of the commit of every step of releases: people's and a gateway's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from support.forked import run_python
from support.prepared import copy_tables

HOST = "hooks.example"


@pytest.mark.chaos
@pytest.mark.second_tier
def test_whatever_is_killed_exactly_one_release_is_live_in_each_slot(tmp_path: Path):
    home = tmp_path / "home"
    copy_tables(home)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    own = {
        "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
        "MOP_HOME": str(home),
        "MOP_FILE_ROOTS": str(tmp_path),
        "MOP_SOURCE_PREFIXES": '[{"team": "*", "purpose": "models", "prefix": "*"}]',
        "MOP_WEBHOOK_HOSTS": HOST,
    }
    env = inherited | own
    done = run_python([sys.executable, "-m", "support.release_story"], env=env, cwd=tmp_path, timeout=400)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["faults"] for one in found["steps"]] == [[]] * len(found["steps"]), done.stderr
    assert all(one["killed"] for one in found["steps"]), (found["steps"], done.stderr)
    # before the commit nothing is changed, after it all is: a step that was killed twice was done once
    assert [one["changed"] for one in found["steps"]] == [False, True] * (len(found["steps"]) // 2)
    states = list(found["last"]["releases"].values())
    assert states == ["retired", "retired", "approved", "released"]
    assert [(slot[0], slot[2], slot[3]) for slot in found["last"]["slots"]] == [("Hate", 4, None), ("Sexual", 4, None)]
    assert found["again"] == [1, 1]
    assert "ConflictError: Release 1 is retired" in done.stderr
    assert found["is_same"]
