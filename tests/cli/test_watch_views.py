"""How a followed revision looks: frames of the terminal's view, at several sizes."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from rich.console import Console

from mop_client.cli.watch_views import LineView, LiveView, clock, queue_note, retry_note
from mop_client.words import REVISION_PATH

REVISION: dict[str, Any] = {
    "status": "created",
    "attempt": 1,
    "is_final": False,
    "queue": None,
    "retry_at": None,
    "error": None,
    "granted": {},
    "warnings": [],
}
FAULT = {"name": "StorageUnavailableError", "message": "no \x1b[31manswer", "hint": "", "place": None, "also": []}


def passed(status: str, *, attempt: int = 1, detail: str = "") -> dict[str, Any]:
    return {"status": status, "attempt": attempt, "seconds": 1.25, "detail": detail, "id": 1, "at": ""}


def frame(view: LiveView, *, columns: int = 60, rows: int = 24) -> list[str]:
    console = Console(width=columns, height=rows, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(view)
    return capture.get().splitlines()


@pytest.fixture
def view():
    view = LiveView("toxicity v1")
    yield view
    view.close()


def test_a_waiting_revision_shows_its_place_and_what_lies_ahead(view: LiveView):
    queue = {"place": 2, "waiting": 5, "instance_type": "Standard_F4s_v2"}
    view.stands(3.0, REVISION | {"queue": queue})
    shown = frame(view)
    assert shown[0].startswith("toxicity v1  watched for 0:0")
    assert "created" in shown[1]
    assert shown[2] == "    place 2 of 5 for Standard_F4s_v2"
    assert [line[2:] for line in shown[3:]] == [*REVISION_PATH[1:]]


def test_the_running_stage_shows_its_time_and_the_end_of_its_log(view: LiveView):
    view.passed(passed("created"))
    view.passed(passed("dataDownloaded", detail="4 files"))
    view.lines("build", [{"text": f"line {number} \x1b[2J"} for number in range(9)])
    view.stands(9.0, REVISION | {"status": "environmentCreating"})
    shown = frame(view)
    assert "dataDownloaded           1.2 s  4 files" in shown[2]
    assert "environmentCreating      9." in shown[3]
    assert shown[4:9] == [f"    line {number} \N{REPLACEMENT CHARACTER}[2J" for number in range(4, 9)]
    view.lines("deployment", [{"text": "booting"}])
    view.stands(0.0, REVISION | {"status": "deploymentCreating"})
    assert [line for line in frame(view) if line.startswith("    ")] == ["    booting"]


@pytest.mark.parametrize(("columns", "rows"), [(20, 6), (40, 12), (60, 24), (200, 50)])
def test_a_frame_never_leaves_the_terminal(view: LiveView, columns: int, rows: int):
    for status in REVISION_PATH[:6]:
        view.passed(passed(status, detail="a long detail " * 20))
    view.lines("deployment", [{"text": "x" * 500}] * 9)
    view.stands(5.0, REVISION | {"status": "deploymentCreating"})
    shown = frame(view, columns=columns, rows=rows)
    assert max(map(len, shown)) <= columns
    if rows > 12:
        assert len(shown) < rows


def test_the_countdown_and_the_cause_of_a_retry_and_then_the_next_attempt(view: LiveView):
    retry_at = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=65)).isoformat()
    waiting = REVISION | {"status": "toBeRetried", "retry_at": retry_at, "error": FAULT}
    view.passed(passed("created"))
    view.stands(1.0, waiting)
    shown = "\n".join(frame(view))
    assert "tries again in 1:0" in shown
    assert "    StorageUnavailableError: no \N{REPLACEMENT CHARACTER}[31manswer" in shown
    view.stands(0.0, REVISION | {"attempt": 2})
    shown = "\n".join(frame(view, columns=100))
    assert "toxicity v1, attempt 2" in shown
    assert "attempt 1: StorageUnavailableError" in shown


def test_the_last_frame_marks_the_stage_that_failed_and_keeps_its_log(view: LiveView):
    for status in REVISION_PATH[:7]:
        view.passed(passed(status))
    view.lines("deployment", [{"text": "Traceback"}])
    view.stands(None, REVISION | {"status": "verifyFailed", "is_final": True, "granted": granted()})
    view.close()
    shown = frame(view)
    (fell,) = [line for line in shown if "deploymentCreating" in line]
    assert fell[0] == next(line for line in shown if "verifyFailed" in line)[0] != shown[1][0]
    assert "    Traceback" in shown
    assert shown[-1] == "sandbox level 1, 2 CPUs, 8.0 GiB"


def test_a_lost_server_is_told_until_it_answers(view: LiveView):
    view.stands(1.0, REVISION)
    view.lost("refused")
    assert frame(view, columns=100)[-1] == "the server does not answer; asking again (refused)"
    view.found()
    assert "does not answer" not in "\n".join(frame(view))


def test_lines_say_what_changes_once(capsys: pytest.CaptureFixture[str]):
    view = LineView()
    queue = {"place": 2, "waiting": 5, "instance_type": "F4"}
    for place in (2, 2, 1):
        view.stands(1.0, REVISION | {"queue": queue | {"place": place}})
    view.lost("refused")
    view.found()
    view.passed(passed("created"))
    view.passed(passed("created", attempt=2))
    view.close()
    assert capsys.readouterr().err.splitlines() == [
        "created  place 2 of 5 for F4",
        "created  place 1 of 5 for F4",
        "the server does not answer; asking again (refused)",
        "the server answers again",
        "created                  1.2 s",
        "attempt 2",
        "created                  1.2 s",
    ]


def test_a_status_that_takes_long_gives_one_sign_of_life(capsys: pytest.CaptureFixture[str]):
    view = LineView()
    for seconds in (1.0, 9.0, 11.0, 30.0):
        view.stands(seconds, REVISION)
    assert capsys.readouterr().err.splitlines() == [f"{REVISION['status']}  over 10 s so far"]


def test_notes_are_empty_where_nothing_is_waited_for():
    assert (queue_note(REVISION), retry_note(REVISION)) == ("", "")
    over = REVISION | {"retry_at": "2020-01-01T00:00:00Z"}
    assert retry_note(over) == "tries again now"
    assert [clock(seconds) for seconds in (0, 59.9, 60, 3723)] == ["0:00", "0:59", "1:00", "1:02:03"]


def granted() -> dict[str, Any]:
    return {"level": 1, "cpus": 2.0, "memory_bytes": 8 * 1024**3, "parts": ["bubblewrap"]}
