"""Try it with a real worker and a real process in the cage: the answer, what is left of it, and its worker's death."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.installation import Installation, Submitted
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox
SECONDS = 90.0
SECRET = "darn-quaxolotl"
# prints what it gets, and raises it when told
TALKATIVE = "print('seen', item['text'], flush=True); assert 'raise' not in item['text'], item['text']"


def start(mop: Installation, revision: Submitted, text: str) -> dict[str, Any]:
    started: dict[str, Any] = mop.call("POST", f"{revision.path}/try", {"text": text}, status=202)
    return started


def ended(mop: Installation, revision: Submitted, started: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        path = f"{revision.path}/try/{started['id']}"
        shown = mop.api.get(path, headers={"X-MOP-Try-Key": started["key"]}).json()
        return shown if shown["is_final"] else None

    return wait_for(look, seconds=SECONDS, what="the try ended", note=lambda: mop.output("w1")[-4000:])


def traces_of(mop: Installation, text: str) -> list[Path]:
    """Files of the installation in which a text stands: databases, logs, stores."""
    return [
        path
        for path in sorted(mop.root.rglob("*"))
        if path.is_file() and not path.is_relative_to(mop.folders) and text.encode() in path.read_bytes()
    ]


def test_a_try_answers_in_both_formats_and_leaves_nothing(mop: Installation):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "talkative", inference=TALKATIVE))
    mop.wait(revision, "verified")
    started = start(mop, revision, f"some {SECRET} darn")
    shown = ended(mop, revision, started)
    assert shown["state"] == "answered", shown
    answer = shown["answer"]
    (label,) = answer["labels"]
    assert (label["taxonomy"], label["predicted"], label["scores"]) == ("bad words", ["yes"], {"no": 0.0, "yes": 1.0})
    assert answer["faults"] == []
    assert answer["model"]["input"] == {"text": f"some {SECRET} darn"}
    assert answer["model"]["output"] == {"bad": True}
    assert answer["mop"]["seconds"] > 0
    raised = ended(mop, revision, start(mop, revision, f"raise {SECRET}"))
    assert raised["answer"]["mop"]["error"]["name"] == "UserScriptException"
    assert SECRET not in str(raised["answer"]["mop"]["error"])
    mop.stop_workers()
    mop.assert_idle()
    assert traces_of(mop, SECRET) == []
    assert mop.call("GET", f"{revision.path}/try/{started['id']}")["answer"] is None, "without the key"


@pytest.mark.second_tier
def test_a_try_whose_worker_is_killed_is_to_be_sent_again(mop: Installation):
    worker = mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "killed"))
    mop.wait(revision, "verified")
    mop.arm("before trial answered")
    started = start(mop, revision, f"some {SECRET}")
    wait_for(lambda: worker.poll() is not None, seconds=SECONDS, what="the worker is killed")
    mop.start_worker()
    shown = ended(mop, revision, started)
    assert (shown["state"], shown["error"]["name"], shown["answer"]) == ("undecided", "HostLostError", None)
    assert ended(mop, revision, start(mop, revision, "again"))["state"] == "answered"
    mop.stop_workers()
    assert traces_of(mop, SECRET) == []
