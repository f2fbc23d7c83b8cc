"""Following a revision through the pipeline until it is decided, also over restarts of the server."""

from __future__ import annotations

import time
from typing import Any, Protocol

from mop.errors import NotAllowedError
from mop_client.cli.client import Server
from mop_client.cli.failures import ServerUnreachableError

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 180.0
TAIL_LINES = 12
WAITING = "toBeRetried"
_BUILD = ("created", "data", "environment")
_DEPLOYMENT = ("endpoint", "deployment")


class View(Protocol):
    """Shows what is followed. Texts come from the server and from models: they are hostile to terminals."""

    def passed(self, event: dict[str, Any]) -> None:
        """A status is over; the event has its `seconds`."""

    def stands(self, seconds: float | None, revision: dict[str, Any], /) -> None:
        """Where the revision stands now, for how long; None at the end."""

    def lines(self, kind: str, items: list[dict[str, Any]], /) -> None:
        """Further lines of the build or the deployment log."""

    def lost(self, reason: str) -> None:
        """The server does not answer; it is asked again."""

    def found(self) -> None:
        """The server answers again."""

    def close(self) -> None:
        """Nothing more is shown."""


def follow(server: Server, name: str, version: str, view: View, *, through_retries: bool) -> dict[str, Any]:
    """Show every status of the newest attempt, with its log, until the revision is decided.

    Args:
        server: where it is.
        name: of the model.
        version: of the model.
        view: shows it; it is closed at the end.
        through_retries: also wait while the revision waits to be tried again, and follow the next attempt.

    Returns:
        The revision when it is final, or waits in toBeRetried.

    Raises:
        MopError: what the server refused.
        ServerUnreachableError: it did not answer for three minutes.
    """
    follower = _Follower(Patient(server, view), ("models", name, "revisions", version), view)
    try:
        while True:
            revision = follower.look()
            if revision["is_final"] or (revision["status"] == WAITING and not through_retries):
                return revision
            time.sleep(POLL_SECONDS)
    finally:
        view.close()


class ConnectionView(Protocol):
    """Shows whether the server answers."""

    def lost(self, reason: str) -> None:
        """The server does not answer; it is asked again."""

    def found(self) -> None:
        """The server answers again."""


class Patient:
    """Asks again for a while when the server does not answer: it may be restarting."""

    def __init__(self, server: Server, view: ConnectionView) -> None:
        self._server = server
        self._view = view

    def get(self, *path: str, **params: Any) -> Any:
        """The JSON of a GET.

        Raises:
            ServerUnreachableError: it did not answer for three minutes.
        """
        since = time.monotonic()
        told = False
        while True:
            try:
                answer = self._server.get(*path, **params)
            except ServerUnreachableError as error:
                if time.monotonic() - since > PATIENCE_SECONDS:
                    raise
                if not told:
                    self._view.lost(error.message)
                told = True
                time.sleep(POLL_SECONDS)
                continue
            if told:
                self._view.found()
            return answer


class _Follower:
    """What was seen so far of one revision."""

    def __init__(self, server: Patient, path: tuple[str, ...], view: View) -> None:
        self._server = server
        self._path = path
        self._view = view
        self._last_passed = 0
        self._reads_logs = True
        self._last_line: dict[str, int] = {}
        self._revision: dict[str, Any] = {}

    def look(self) -> dict[str, Any]:
        """Ask once and show what is new; gives the revision."""
        timeline = self._server.get(*self._path, "events", after=self._last_passed)
        moved = timeline["status"] != self._revision.get("status") or any(
            not event["is_current"] for event in timeline["items"]
        )
        if moved or timeline["status"] == "created":  # its place in the queue
            self._revision = self._server.get(*self._path)
        while self._revision["status"] != timeline["status"]:  # it moved between the two answers
            timeline = self._server.get(*self._path, "events", after=self._last_passed)
            self._revision = self._server.get(*self._path)
        self._read_log(timeline["status"])
        newest = max((event["attempt"] for event in timeline["items"]), default=0)
        for event in timeline["items"]:
            if event["is_current"]:
                continue
            self._last_passed = event["id"]
            if event["attempt"] == newest:
                self._view.passed(event)
        current = next((event for event in timeline["items"] if event["is_current"]), None)
        self._view.stands(current["seconds"] if current else None, self._revision)
        return self._revision

    def _read_log(self, status: str) -> None:
        """Further lines of the log that the status writes; owners and administrators may read it."""
        if not self._reads_logs:
            return
        kinds: tuple[str, ...] = ("build", "deployment")  # at the end, whichever it was
        if status.startswith(_DEPLOYMENT):
            kinds = ("deployment",)
        elif status.startswith(_BUILD):
            kinds = ("build",)
        try:
            for kind in kinds:
                self._read_kind(kind)
        except NotAllowedError:
            self._reads_logs = False

    def _read_kind(self, kind: str) -> None:
        path = (*self._path, "logs", kind)
        if kind not in self._last_line:  # what was written long ago is not shown
            total = self._server.get(*path, limit=1)["total"]
            self._last_line[kind] = max(total - TAIL_LINES, 0)
        page = self._server.get(*path, after=self._last_line[kind])
        self._last_line[kind] = page["last"]
        if page["items"]:
            self._view.lines(kind, page["items"])
