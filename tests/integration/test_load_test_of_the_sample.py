"""The text sample with its real packages: both load tests in the shape that they have by default, with short steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mop.loadtest.steps import default_targets
from support.installation import Installation, Submitted, running_installation
from support.waiting import wait_for

SAMPLE = Path(__file__).parents[2] / "samples" / "text-moderation"
pytestmark = [pytest.mark.sandbox, pytest.mark.index, pytest.mark.timeout(600), pytest.mark.second_tier]
CLASSES = ("successful", "user_failed", "system_failed")


def ended(mop: Installation, revision: Submitted, strategy: str) -> dict[str, Any]:
    """The run of this strategy, when it has ended."""

    def look() -> dict[str, Any] | None:
        tests = mop.call("GET", f"{revision.path}/load-test")["tests"]  # of the newest run, if there is one already
        over = [test for test in tests if test["strategy"] == strategy and test["state"] in {"finished", "failed"}]
        return over[0] if over else None

    return wait_for(look, seconds=180, what="the load test ended", note=lambda: mop.story(revision))


def assert_sound(test: dict[str, Any], strategy: str) -> None:
    """Steps by default, one after the other, each with numbers that agree with each other."""
    assert (test["strategy"], test["error"]) == (strategy, None)
    steps = test["steps"]
    targets = default_targets(1000)
    assert [step["target"] for step in steps] == list(targets[: len(steps)])
    assert len(steps) >= 3
    whole = [step for step in steps if not step["failures"]]
    assert len(whole) >= len(steps) - 1  # the one after which it ends may have failed
    for step in whole:
        requests = step["requests"]
        latency = step["latency_ms"]
        assert requests["total"] == sum(requests[name] for name in CLASSES) > 0
        assert 0 < latency["p50"] <= latency["p90"] <= latency["p95"] <= latency["p99"] <= latency["max"]
        assert sum(count for _, count in step["histogram"]) == requests["successful"]


def test_the_text_sample_with_both_strategies():
    with running_installation(file_roots=SAMPLE.parent, load_test_step_seconds=1, load_test_warm_up_seconds=0.2) as mop:
        mop.start_worker()
        revision = mop.submit(
            SAMPLE,
            connections=[{"task": "profanity", "customized_name": "profanity"}],
            load_test_option="PerConcurrency",
        )
        mop.wait(revision, "verified", seconds=300)
        by_clients = ended(mop, revision, "PerConcurrency")
        assert_sound(by_clients, "PerConcurrency")
        assert by_clients["ended"] in {"plateau", "failing", "finished"}
        best = max(step["rps"] for step in by_clients["steps"])
        body = {"option": "PerRPS", "budget": 10}
        mop.call("POST", f"{revision.path}/load-test", body, status=201)
        by_rate = ended(mop, revision, "PerRPS")
        assert_sound(by_rate, "PerRPS")
        assert by_rate["ended"] in {"budget", "failing"}
        for step in by_rate["steps"]:
            if step["target"] < best / 4 and not step["failures"]:
                assert step["requests"]["total"] == step["target"]  # of one second
        assert by_rate["conditions"]["payload_sha256"] == by_clients["conditions"]["payload_sha256"]
