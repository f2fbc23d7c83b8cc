"""How a followed revision is shown: drawn on a terminal, a line per change elsewhere, or as lines of JSON."""

from __future__ import annotations

import collections
import datetime as dt
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from mop.errors import from_dict
from mop_client.cli.output import console, printable, say, stage_line, wants_colour
from mop_client.words import REVISION_PATH

if TYPE_CHECKING:
    from rich.console import Console, RenderResult

    from mop_client.cli.watching import View

TONES = {"verified": "green", "verifyFailed": "red", "vulnerable": "red", "toBeRetried": "yellow"}
LOG_LINES = 5
LONG_SECONDS = 10
FRAMES_A_SECOND = 8
ROWS_BESIDE_LOG = 15
GIB = 1024**3


def open_view(title: str, *, as_json: bool) -> View:
    """The view for this process's output."""
    if as_json:
        return JsonView()
    return LiveView(title) if wants_colour(sys.stderr) else LineView()


class JsonView:
    """One JSON object a line on stdout, `event` tells its kind."""

    def __init__(self) -> None:
        self._shown: dict[str, object] = {}

    def passed(self, event: dict[str, Any]) -> None:
        """`passed`: a status is over."""
        print_line("passed", **{key: event[key] for key in ("status", "attempt", "at", "seconds", "detail")})

    def stands(self, _seconds: float | None, revision: dict[str, Any], /) -> None:
        """`status`: where it stands now, when that changed."""
        standing = {key: revision[key] for key in ("status", "attempt", "queue", "retry_at", "error")}
        if standing != self._shown:
            print_line("status", **standing)
        self._shown = standing

    def lines(self, kind: str, items: list[dict[str, Any]], /) -> None:
        """`log`: a line of a log."""
        for item in items:
            print_line("log", log=kind, number=item["number"], at=item["at"], text=item["text"])

    def lost(self, reason: str) -> None:
        """`connection`: the server does not answer."""
        print_line("connection", state="lost", reason=reason)

    def found(self) -> None:
        """`connection`: it answers again."""
        print_line("connection", state="found")

    def close(self) -> None:
        """Nothing is open."""


class LineView:
    """A line on stderr for each change; the end of the log when it went wrong."""

    def __init__(self) -> None:
        self._told = ("", "")
        self._attempt = 0
        self._log: collections.deque[str] = collections.deque(maxlen=LOG_LINES * 2)
        self._revision: dict[str, Any] = {}

    def passed(self, event: dict[str, Any]) -> None:
        """The status with its duration."""
        if event["attempt"] > self._attempt > 0:
            say(f"attempt {event['attempt']}")
        self._attempt = event["attempt"]
        say(stage_line(printable(event["status"]), event["seconds"], printable(event["detail"])))

    def stands(self, seconds: float | None, revision: dict[str, Any], /) -> None:
        """What it waits for, when that changed; once, that a status takes long of which nothing more is known."""
        self._revision = revision
        note = queue_note(revision)
        if revision["retry_at"]:
            error = from_dict(revision["error"] or {})
            note = printable(f"{error.name}: {' '.join(error.message.split())}; tries again at {revision['retry_at']}")
        is_long = (seconds or 0) >= LONG_SECONDS
        if not note and is_long:
            note = f"over {LONG_SECONDS} s so far"
        if note and (note, revision["status"]) != self._told:
            say(f"{revision['status']}  {note}")
        self._told = (note, revision["status"])

    def lines(self, _kind: str, items: list[dict[str, Any]], /) -> None:
        """Keep the last ones."""
        self._log.extend(printable(item["text"]) for item in items)

    def lost(self, reason: str) -> None:
        """Say so once."""
        say(f"the server does not answer; asking again ({printable(reason)})")

    def found(self) -> None:
        """Say so."""
        say("the server answers again")

    def close(self) -> None:
        """The end of the log, when the model is at fault."""
        if self._revision.get("status") == "verifyFailed":
            for line in self._log:
                say(f"  | {line}")


class LiveView:
    """The whole pipeline, drawn over and over in its place on the terminal."""

    def __init__(self, title: str) -> None:
        from rich.live import Live

        self._title = printable(title)
        self._passed: dict[str, dict[str, Any]] = {}
        self._attempt = 0
        self._earlier: list[str] = []
        self._seconds: float | None = None
        self._revision: dict[str, Any] = {}
        self._log: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self._kind = ""
        self._trouble = ""
        self._asked_at = self._began_at = time.monotonic()
        self._closed = False
        self._lock = threading.RLock()  # frames are drawn by a thread of their own
        encoding = (sys.stderr.encoding or "").lower()
        self._marks = ("✔", "✘", "·", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") if encoding.startswith("utf") else ("+", "x", "-", "|/-\\")
        self._live = Live(self, console=console(), refresh_per_second=FRAMES_A_SECOND)
        self._live.start()

    def passed(self, event: dict[str, Any]) -> None:
        """Its duration stays beside it; a new attempt begins anew."""
        with self._lock:
            self._begin(event["attempt"])
            self._passed[event["status"]] = event

    def stands(self, seconds: float | None, revision: dict[str, Any], /) -> None:
        """The next frame shows it."""
        with self._lock:
            self._begin(revision["attempt"])
            self._seconds, self._revision, self._asked_at = seconds, revision, time.monotonic()

    def lines(self, kind: str, items: list[dict[str, Any]], /) -> None:
        """The last ones stand under the running stage."""
        with self._lock:
            if kind != self._kind:
                self._log.clear()
            self._kind = kind
            self._log.extend(printable(item["text"]) for item in items)

    def lost(self, reason: str) -> None:
        """Shown until it answers."""
        self._trouble = f"the server does not answer; asking again ({printable(reason)})"

    def found(self) -> None:
        """Gone with the next frame, and told above it."""
        self._trouble = ""
        self._live.console.print("the server answers again")

    def close(self) -> None:
        """The last frame stays."""
        self._closed = True
        self._live.stop()

    def __rich_console__(self, terminal: Console, _options: object) -> RenderResult:
        """The frame as it is now."""
        from rich.text import Text

        with self._lock:
            rows = self._rows(terminal.size.height)
        for text, style in rows:
            yield Text(text, style=style, no_wrap=True, overflow="ellipsis")

    def _begin(self, attempt: int) -> None:
        if self._attempt and attempt > self._attempt:
            error = self._revision.get("error")
            cause = f": {error['name']}: {error['message']}" if error else ""
            self._earlier.append(printable(f"attempt {self._attempt}{cause}"))
            self._passed.clear()
            self._log.clear()
        self._attempt = attempt

    def _rows(self, height: int) -> list[tuple[str, str]]:
        seconds = time.monotonic() - self._began_at
        attempt = f", attempt {self._attempt}" if self._attempt > 1 else ""
        rows = [(f"{self._title}{attempt}  watched for {clock(seconds)}", "bold")]
        rows += [(f"{self._marks[1]} {line}", "yellow") for line in self._earlier[-1:]]
        status = self._revision.get("status", "")
        ahead = [] if status not in REVISION_PATH else [*REVISION_PATH[REVISION_PATH.index(status) + 1 :]]
        done = [name for name in self._passed if name != status]
        for name in done:
            event = self._passed[name]
            fell = name == done[-1] and status in {"verifyFailed", "vulnerable"}
            mark, style = (self._marks[1], "red") if fell else (self._marks[0], "")
            rows.append((f"{mark} {stage_line(name, event['seconds'], printable(event['detail']))}", style))
        if status:
            rows += self._current(status, log_rows=max(min(LOG_LINES, height - ROWS_BESIDE_LOG), 0))
        if not self._closed and height > ROWS_BESIDE_LOG:
            rows += [(f"{self._marks[2]} {name}", "dim") for name in ahead]
        rows += [(note, "") for note in (grant_note(self._revision),) if note]
        return rows + ([(self._trouble, "yellow")] if self._trouble else [])

    def _current(self, status: str, *, log_rows: int) -> list[tuple[str, str]]:
        if self._revision["is_final"]:
            mark = self._marks[0] if status == "verified" else self._marks[1]
            log = self._log if status == "verifyFailed" else ()
            return [*((f"    {line}", "dim") for line in log), (f"{mark} {status}", TONES.get(status, ""))]
        frames = self._marks[3]
        mark = frames[int(time.monotonic() * FRAMES_A_SECOND) % len(frames)]
        seconds = self._seconds
        if seconds is not None and not self._closed:
            seconds += time.monotonic() - self._asked_at
        rows = [(f"{mark} {stage_line(status, seconds, '')}", TONES.get(status, "cyan"))]
        if note := queue_note(self._revision) or retry_note(self._revision):
            rows.append((f"    {note}", ""))
        if self._revision["error"]:
            error = from_dict(self._revision["error"])
            rows += [(printable(f"    {part}"), "") for part in f"{error.name}: {error.message}".splitlines()]
        lines = [*self._log][-log_rows:] if log_rows and not self._closed else []
        return rows + [(f"    {line}", "dim") for line in lines]


def print_line(event: str, **fields: Any) -> None:
    """One JSON object on a line of stdout."""
    print(json.dumps({"event": event, **fields}, ensure_ascii=False, default=str), flush=True)


def queue_note(revision: dict[str, Any]) -> str:
    """`place 2 of 5 for Standard_F4s_v2`; empty when it does not wait for a host."""
    queue = revision.get("queue")
    return printable(f"place {queue['place']} of {queue['waiting']} for {queue['instance_type']}") if queue else ""


def retry_note(revision: dict[str, Any]) -> str:
    """`tries again in 0:27`; empty when it does not wait for that."""
    if not revision.get("retry_at"):
        return ""
    left = (dt.datetime.fromisoformat(revision["retry_at"]) - dt.datetime.now(dt.UTC)).total_seconds()
    return f"tries again in {clock(left)}" if left > 0 else "tries again now"


def grant_note(revision: dict[str, Any]) -> str:
    """`sandbox level 1, 2 CPUs, 8.0 GiB`; empty until the host gave it."""
    granted = revision.get("granted")
    if not granted:
        return ""
    return f"sandbox level {granted['level']}, {granted['cpus']:g} CPUs, {granted['memory_bytes'] / GIB:.1f} GiB"


def clock(seconds: float) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
