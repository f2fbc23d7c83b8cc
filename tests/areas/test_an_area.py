"""An area that is known by its `Area` alone is found everywhere: see `look`, which runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
LOOK_SECONDS = 120


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What a process of an installation with the area shows."""
    # with databases of its own, also where this run of the tests shares a server
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOP_TEST_")}
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); from areas.look import main; main()"],
        cwd=TESTS,
        env=inherited | {"PYTHONPATH": str(TESTS), "DJANGO_SETTINGS_MODULE": "areas.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LOOK_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_the_portal_has_its_page_for_those_who_are_signed_in(found: dict[str, Any]):
    assert "<h1>Greetings</h1><p>0 answered</p>" in found["page"]
    assert found["anonymous"].startswith("/accounts/login/")


def test_every_page_links_it_and_shows_what_it_puts_into_the_header(found: dict[str, Any]):
    for page in (found["page"], found["tasks"]):
        assert 'href="/greetings/"' in page
        assert '<p id="hello">Hello ada</p>' in page


def test_the_api_has_its_operations(found: dict[str, Any]):
    assert "/api/v1/greetings" in found["operations"]
    assert found["refused"] == 401


def test_the_command_line_has_its_command(found: dict[str, Any]):
    assert "Greet somebody." in found["help"]
    assert (found["exit"], found["greeted"]) == (0, "Hello Ada\n")


def test_a_worker_does_its_work_from_its_queue(found: dict[str, Any]):
    assert (found["result"], found["queue"]) == ("hello", "greetings")
    assert "greetings" in found["queues"]
    assert "greetings.count" in found["schedules"]


def test_its_work_is_enqueued_again_where_the_enqueue_may_be_lost(found: dict[str, Any]):
    assert found["swept"] == 1
    assert "worker.lost_enqueues" in found["schedules"]


def test_the_audit_log_has_its_actions(found: dict[str, Any]):
    assert found["audit"] == [["ada", "greeting.asked", "ada"], ["MOP greeter", "greeting.answered", "ada"]]


def test_people_are_told_by_its_kind_and_may_choose(found: dict[str, Any]):
    assert ["Hello ada", "Somebody is greeted"] in found["told"]
    assert "Somebody is greeted" in found["settings"]


def test_its_stage_stands_in_the_declared_order_and_applies_by_its_own_rule(found: dict[str, Any]):
    assert found["stages"] == [
        "onboard",
        "contract-runs",
        "load-test",
        "evaluation",
        "golden-sets",
        "regression",
        "gates",
        "greet",
    ]
    assert found["turns"] == [None, ["greetings", 1]]


def test_its_guard_keeps_a_revision_from_being_deleted(found: dict[str, Any]):
    assert "is being greeted" in found["refusal"]


def test_the_page_of_permissions_shows_its_rows(found: dict[str, Any]):
    assert "| POST | `/greetings` |  | 401 | 202 | 202 | 202 | 202 | 403 | 202 |" in found["document"]
    assert "| GET | `/greetings/` |  | 401 | 200 | 200 | 200 | 200 | 401 | 401 |" in found["document"]


def test_an_address_without_a_row_is_found(found: dict[str, Any]):
    assert found["missing"] == []
    assert found["missing_without_rows"] == ["GET /greetings", "POST /greetings", "/greetings/"]
