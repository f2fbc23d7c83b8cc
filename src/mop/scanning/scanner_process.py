"""Scanners that share one process as long as nothing ends it; each goes on behind what ended it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mop.scanning.findings import SCANNER_ENDED, ScanReport, Severity, not_seen_whole
from mop.scanning.scanner import Subject
from mop.scanning.shared_files import SharedFiles

ENDS_MAX = 20
"""How many files may end a scanner before it is given up."""
_LINE_BYTES = 64 * 1024**2
_TOLD_BYTES = 512 * 1024**2
_PATIENCE_SECONDS = 600.0
"""For a file by the clock, besides what it may take of the processor: a busy machine or slow storage takes its time."""
_END_SECONDS = 3.0

_OUT_OF_TIME = (-signal.SIGXCPU, 128 + signal.SIGXCPU)
"""How a process ends that used up what `deadline.end_this_process_after` left it, alone and in the cage."""

Cage = Callable[[list[str]], list[str]]


class ScannerProcess:
    """Follows the job's process, and starts it anew when it ended too early.

    Nothing that the process writes is trusted beyond its form. One that a file has taken over can tell wrong things of
    the scanner at work and of those behind it in this process, never of one that has ended or runs in
    another process.

    Attributes:
        reports: what was told so far.
        ended: scanners that ran to their end.
        incomplete: why a scanner did not, by its name.
        looked: files and packages that are done with, by scanner.
    """

    def __init__(
        self,
        subject: Subject,
        scanners: Sequence[str],
        *,
        log: Callable[[str], None],
        progress: Callable[[str, str], None] | None,
        shared: Mapping[str, SharedFiles] | None = None,
    ) -> None:
        self.reports: list[ScanReport] = []
        self.ended: list[str] = []
        self.incomplete: dict[str, str] = {}
        self.looked: dict[str, set[str]] = {name: set() for name in scanners}
        self._subject = subject
        self._waiting = list(scanners)
        self._log = log
        self._progress = progress
        self._shared = {name: files for name, files in (shared or {}).items() if name in scanners}
        self._process: asyncio.subprocess.Process | None = None
        self._ends = dict.fromkeys(scanners, 0)
        self._told: set[bytes] = set()
        self._bytes_left = _TOLD_BYTES
        self._has_begun = False
        self._looking: str | None = None
        self._ended_at: str | None = None

    async def run(self, cage: Cage) -> None:
        """Run every scanner, to its end or to the end of patience with it."""
        while self._waiting:
            ended = len(self.ended)
            reason, stuck = await self._run_once(cage)
            if not self._waiting:
                return
            # what others left in a process, or the host, may have ended it: a file is judged by a process of its own
            if not stuck and (len(self.ended) > ended or self._is_first_end()):
                self._log(f"scanner {self._waiting[0]} begins again in a process of its own: {reason}")
                continue
            self._blame(reason, stuck=stuck)

    def _is_first_end(self) -> bool:
        """Whether no process ended yet over the file at work."""
        before, self._ended_at = self._ended_at, self._looking
        return self._looking is not None and self._looking != before

    def give_up(self, reason: str) -> None:
        """The time is over: what no scanner has ended with is not seen whole."""
        if self._waiting and self._looking is not None:
            self._end_with(self._looking, reason, severity=Severity.MEDIUM)
        for scanner in self._waiting:
            self.incomplete[scanner] = reason
            self._log(f"scanner {scanner} did not finish: {reason}")
        self._waiting.clear()

    async def _run_once(self, cage: Cage) -> tuple[str, bool]:
        """Start the job and follow it to its end; why it ended, and whether it had to be ended."""
        self._has_begun, self._looking = False, None
        process = await asyncio.create_subprocess_exec(
            *cage([sys.executable, "-I", "-m", "mop.scanning.job"]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
            start_new_session=True,
        )
        stuck = False
        try:
            scanners = {name: sorted(self.looked[name]) for name in self._waiting}
            shared = [name for name in self._waiting if name in self._shared]
            request = json.dumps({"subject": self._subject.to_dict(), "scanners": scanners, "shared": shared})
            self._process = process
            stuck = not await self._follow(process, request.encode() + b"\n", keeps_asking=bool(shared))
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await _end(process)
            _, errors = await process.communicate()
        if stuck:
            return "it took longer than it may", True
        if process.returncode in _OUT_OF_TIME:
            return "it takes more processor time than its size is worth", False
        return _last_line(errors, process.returncode), False

    async def _follow(self, process: asyncio.subprocess.Process, request: bytes, *, keeps_asking: bool) -> bool:
        """Hand over the request and take lines until the last; False when none came for too long."""
        if process.stdin is None or process.stdout is None:
            raise AssertionError("the process was started with pipes")
        with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its status tells
            process.stdin.write(request)
            await process.stdin.drain()
        if not keeps_asking:
            process.stdin.close()
        while self._bytes_left > 0:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), self._patience())
            except TimeoutError:
                return False
            except ValueError:  # a line beyond all measure
                return True
            if not line:
                return True
            self._bytes_left -= len(line)
            self._take(line)
        return True

    def _patience(self) -> float:
        limits, size = self._subject.limits, 0
        if self._subject.model is not None and self._looking is not None:
            with suppress(OSError, ValueError):
                size = (self._subject.model / self._looking).lstat().st_size
        return limits.seconds_at_most(size) + _PATIENCE_SECONDS

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or len(message) != 1:  # written by what a file did to the scanner
            return
        ((kind, value),) = message.items()
        if kind == "begins":
            self._has_begun = self._waiting[:1] == [value]
        elif not self._has_begun:
            return
        elif kind == "take" and isinstance(value, list):
            self._give(value)
        elif kind == "looking" and isinstance(value, str) and self._may_look_at(value):
            self._looking = value
            if self._progress:
                self._progress(self._waiting[0], value)
        elif kind == "report":
            self._report(line, value)
        elif kind == "ended" and value == self._waiting[0]:
            self._has_begun, self._looking = False, None
            self.ended.append(self._waiting.pop(0))
            self._log(f"scanner {value} has looked at everything")

    def _give(self, wanted: list[Any]) -> None:
        files = self._shared.get(self._waiting[0])
        given = files.take(self, wanted) if files else []
        if self._process is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError, ConnectionResetError, RuntimeError):  # it died, or its input is closed
                self._process.stdin.write(json.dumps(given).encode() + b"\n")

    def _may_look_at(self, path: str) -> bool:
        files = self._shared.get(self._waiting[0])
        return files is None or files.has(self, path)

    def _report(self, line: bytes, value: Any) -> None:
        try:
            report = ScanReport.from_dict(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            return
        if not _is_well_formed(report, self._waiting[0]):
            return
        digest = hashlib.sha256(line).digest()
        if digest not in self._told:  # a scanner that starts anew may tell again what is of no single file
            self._told.add(digest)
            self.reports.append(report)
        if self._looking is not None:
            self.looked[self._waiting[0]].add(self._looking)
            self._looking = None

    def _blame(self, reason: str, *, stuck: bool) -> None:
        """The scanner broke off: the file at work is not scanned; when there is none, the scanner is not complete.

        What ends a process blocks. One that says nothing for too long by the clock, which is no measure of a file,
        leaves the scan incomplete: it is repeated.
        """
        scanner = self._waiting[0]
        if self._looking is not None:
            self._log(f"scanner {scanner} did not come to the end of {self._looking}: {reason}")
            if stuck:
                self.incomplete[scanner] = f"at {self._looking}, {reason}"
            self._end_with(self._looking, reason, severity=Severity.MEDIUM if stuck else Severity.CRITICAL)
            self._ends[scanner] += 1
            if self._ends[scanner] < ENDS_MAX:
                return
            reason = f"{ENDS_MAX} files ended it"
        self.incomplete[scanner] = reason
        self._waiting.pop(0)
        self._log(f"scanner {scanner} did not finish: {reason}")

    def _end_with(self, path: str, reason: str, *, severity: Severity) -> None:
        hint = "Save the file in a simpler or smaller form; if it is ordinary, report this to the operator."
        self.reports.append(
            not_seen_whole(self._waiting[0], path, reason, hint=hint, rule=SCANNER_ENDED, severity=severity)
        )
        self.looked[self._waiting[0]].add(path)
        self._looking = None


def _is_well_formed(report: ScanReport, scanner: str) -> bool:
    texts = [text for file in report.files for text in (file.path, *file.reasons)]
    for one in report.findings:
        texts += (one.rule, one.path, one.message, one.hint, one.position)
    own = all(one.scanner == scanner and isinstance(one.details, dict) for one in report.findings)
    return own and all(isinstance(text, str) for text in texts)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End what still runs: first so that the cage takes down what it set up, then for good."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):  # asyncio's own way of signalling can take the child's status from its watcher
        os.kill(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_line(errors: bytes, status: int | None) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    text = lines[-1] if lines else f"it ended with status {status}"
    return "".join(character if character.isprintable() else "?" for character in text)[:300]
