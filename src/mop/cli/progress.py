"""Shows long work while it runs: a spinner or a bar on a terminal, one line per stage everywhere."""

from __future__ import annotations

import collections
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mop_client.cli.output import console, printable, say, stage_line, wants_colour

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.status import Status

    from mop.onboarding.verification import StageResult

LINES_KEPT = 20


class StageProgress:
    """A listener of `verify_folder` and `serve_folder` that writes to stderr.

    Args:
        verbose: write every log line; otherwise the last ones of a stage that failed.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._lines: collections.deque[str] = collections.deque(maxlen=LINES_KEPT)
        self._spinner: Status | None = None

    def stage_started(self, name: str) -> None:
        """Show that a stage runs."""
        self._lines.clear()
        if wants_colour(sys.stderr):
            self._spinner = console().status(name)
            self._spinner.start()

    def stage_ended(self, result: StageResult) -> None:
        """Show how a stage ended."""
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None
        say(stage_line(result.name, result.seconds, result.result))
        if result.result == "failed" and not self._verbose:
            for line in self._lines:
                say(f"  | {line}")

    def log(self, stage: str, line: str) -> None:
        """Write or keep one log line."""
        text = printable(line)
        if self._verbose:
            say(f"{stage} | {text}")
        else:
            self._lines.append(text)


class ByteProgress:
    """A listener of backup and restore: a bar on a terminal, a line per phase elsewhere."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the bar from now on."""
        if wants_colour(sys.stderr):
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description:<10}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console(), transient=True)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()

    def phase(self, name: str, total_bytes: int) -> None:
        """A phase of so many bytes begins; 0 where that is not known."""
        if self._bar is None:
            say(f"{name}: {total_bytes:,} bytes" if total_bytes else name)
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total_bytes or None)

    def done(self, count: int) -> None:
        """So many bytes more are done."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)
