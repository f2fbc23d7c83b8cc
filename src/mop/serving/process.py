"""One model process as the front sees it: spawned, spoken to, timed, killed with all it started, reaped."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Protocol

import orjson

from mop.errors import (
    DeploymentCrashedError,
    InvalidModelOutputError,
    InvalidRequestError,
    ModelStructureError,
    ModelWrapperAmbiguousError,
    ModelWrapperNotFoundError,
    MopError,
    UserScriptException,
    from_dict,
)
from mop.serving.calls import Batch, Call
from mop.serving.config import MIB, ServiceConfig
from mop.serving.disclosure import WITHHELD, Disclosure
from mop.serving.exits import DURING_INIT, end_error, late_error
from mop.serving.frames import (
    Answers,
    FrameProtocol,
    Listed,
    read_listed,
    read_result,
    run_frame,
    series_frame,
    settings_frame,
    withdraw_frame,
)
from mop.serving.model_process import AT_WORK, FAILED, LISTED, READY, RESULT, TELL_SECONDS
from mop.serving.parent_death import die_with
from mop.serving.service_log import LineSplitter, ServiceLog

LINES_IN_ERROR = 15
READ_BYTES = 1 << 16
# the sandbox's supervisor gets this long to end and remove what it made; killed itself, it leaves a control group, and
# without a cage what the model started apart
KILL_AFTER_S = 3.0
EXIT_AFTER_S = 1.0  # a process that closed its channel is about to end, or never will
BOOT_FRAME_BYTES = MIB


class ProcessOwner(Protocol):
    """Who is told what a model process does."""

    def process_ready(self, process: ModelProcess) -> None:
        """It loaded the model."""

    def process_answered(self, process: ModelProcess, batch: Batch, answers: Answers | Listed) -> None:
        """It answered a batch: one answer per item."""

    def process_overdue(self, process: ModelProcess) -> None:
        """Its oldest batch is past the request deadline."""

    def process_ended(self, process: ModelProcess, error: MopError) -> None:
        """It is gone; `batches` holds what it was working on."""


class ModelProcess:
    """One boot of one model process; made on the thread of the event loop, which the parent-death signal follows."""

    def __init__(self, name: str, config: ServiceConfig, log: ServiceLog, owner: ProcessOwner) -> None:
        self.name = name
        self.ready = False
        self.ending = False
        self.batches: dict[int, Batch] = {}
        self.load = 0
        self._batching = config.batch.enabled
        self._capacity = 1 if self._batching else config.threads
        self._config = config
        self._log = log
        self._owner = owner
        self._numbers = 0
        self._loop = asyncio.get_running_loop()
        self._error: MopError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._splitter = LineSplitter(self._write_line)
        self._channel = FrameProtocol(self._on_frame, self._on_lost, self._frame_limit)
        self._socket: socket.socket | None = None
        self._popen: subprocess.Popen[bytes] | None = None
        self._output = -1
        self._pidfd = -1
        self.ended = asyncio.Event()

    async def start(self) -> None:
        """Spawn it; what follows is told to the owner."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            self._popen = _spawn(self._config.command, theirs)
        except OSError as error:
            ours.close()
            self._end(DeploymentCrashedError(f"The model process could not be started: {error}."))
            return
        finally:
            theirs.close()
        self._socket = ours
        self._output = _output_descriptor(self._popen)
        self._pidfd = os.pidfd_open(self._popen.pid)
        self._loop.add_reader(self._output, self._read_output)
        self._loop.add_reader(self._pidfd, self._on_exit)
        self._timer = self._loop.call_later(self._config.init_deadline_s, self._on_init_deadline)
        await self._loop.create_unix_connection(lambda: self._channel, sock=ours)
        settings = {
            "max_response_bytes": self._config.max_response_bytes,
            "init_deadline_s": self._config.init_deadline_s,
        }
        self._channel.write(settings_frame(orjson.dumps(settings)))

    @property
    def free(self) -> bool:
        """Whether it can take another batch now."""
        return self.ready and not self.ending and len(self.batches) < self._capacity

    @property
    def takes_reserve(self) -> bool:
        """Whether a batch can be put behind the one it works on, so that it need not wait for the next."""
        return self._batching and self.ready and not self.ending and len(self.batches) == 1

    @property
    def working_since(self) -> float:
        """When it began what it works on, in seconds of time.perf_counter()."""
        return next(iter(self.batches.values())).started

    @property
    def reserve(self) -> Batch | None:
        """The batch behind the one it works on, if it can be withdrawn."""
        if not self._batching or len(self.batches) < 2:  # noqa: PLR2004 - the running one and the reserve
            return None
        last = next(reversed(self.batches.values()))
        return last if last.entries else None

    def withdraw_reserve(self) -> list[tuple[Call, int]]:
        """The entries of the reserve; the process is told to leave it out."""
        number, batch = next(reversed(self.batches.items()))
        self._channel.write(withdraw_frame(number))
        return batch.withdraw()

    def run(self, batch: Batch) -> None:
        """Hand a batch over."""
        self._numbers = (self._numbers + 1) & 0xFFFFFFFF
        batch.begin(time.perf_counter())
        self.batches[self._numbers] = batch
        self.load += batch.size
        if batch.series_of:
            bodies = [body for _, body in batch.items()]
            form = batch.entries[0][0].form
            self._channel.write(*series_frame(self._numbers, form, bodies, most=batch.series_of))
        else:
            self._channel.write(*run_frame(self._numbers, batch.items()))
        if self._timer is None:
            self._timer = self._loop.call_later(self._config.request_deadline_s, self._check_deadline)

    def terminate(self, error: MopError | None = None) -> None:
        """Kill it and all it started; `error` is what the owner hears, instead of its exit status."""
        if self.ending:
            return
        self.ending = True
        self._error = self._error or error
        self._end_politely()

    def _end_politely(self) -> None:
        """SIGTERM first: the sandbox's supervisor then ends all that the model started, and tidies up."""
        self._cancel_timer()
        if self._popen is None or self._popen.returncode is not None:
            return
        self._popen.send_signal(signal.SIGTERM)
        self._timer = self._loop.call_later(KILL_AFTER_S, self.kill)

    def kill(self) -> None:
        """SIGKILL for the whole process group, now."""
        if self._popen is not None and self._popen.returncode is None:
            _kill_group(self._popen.pid)

    def _frame_limit(self) -> int:
        if not self.ready:
            return BOOT_FRAME_BYTES
        return BOOT_FRAME_BYTES + self._config.max_response_bytes * max(1, self.load)

    def _on_frame(self, kind: int, body: memoryview) -> None:
        if self.ending:
            return
        if kind in (RESULT, LISTED) and self.ready:
            self._on_result(body, read_result if kind == RESULT else read_listed)
        elif kind == AT_WORK and self.ready:
            self._on_at_work(body)
        elif kind == READY and not self.ready:
            self._read_output()
            self._cancel_timer()
            self.ready = True
            self._owner.process_ready(self)
        elif kind == FAILED and not self.ready:
            self._on_failed(body)
        else:
            self._misused(f"a frame of kind {kind}")

    def _on_at_work(self, body: memoryview) -> None:
        """Another batch of a series begins: its deadline counts from now."""
        number = next(iter(self.batches), -1)
        if int.from_bytes(body, "big") != number or not self.batches[number].go_on(time.perf_counter()):
            self._misused("a word about something that was not asked")

    def _on_result(
        self, body: memoryview, read: Callable[[memoryview], tuple[int, Answers] | tuple[int, Listed]]
    ) -> None:
        try:
            number, answers = read(body)
        except ValueError as error:
            self._misused(str(error))
            return
        batch = self.batches.get(number)
        if batch is None or len(answers) not in ((batch.size,) if batch.entries else (0, batch.size)):
            self._misused("a result for something that was not asked")
            return
        if isinstance(answers, Listed) and not batch.series_of:
            self._misused("a list for what was no list")
            return
        del self.batches[number]
        self.load -= batch.size
        if self._batching and self.batches:
            next(iter(self.batches.values())).begin(time.perf_counter())
        self._owner.process_answered(self, batch, answers)

    def _on_failed(self, body: memoryview) -> None:
        try:
            self._error = model_error(orjson.loads(body))
        except ValueError as error:
            self._misused(str(error))

    def _on_lost(self, misuse: str | None) -> None:
        """Without a channel the process is of no use; its exit, if it is on its way, tells more."""
        if misuse is not None:
            self._misused(misuse)
        elif not self.ending:
            self._cancel_timer()
            self._timer = self._loop.call_later(EXIT_AFTER_S, self._end_politely)
            self.ending = True

    def _misused(self, what: str) -> None:
        message = f"The model process wrote into MOP's channel: {what}."
        hint = "Let the model's code leave descriptors alone that it did not open."
        error = self._config.disclosure.of(DeploymentCrashedError(message, hint=hint))
        self._log.write("front", error.message)
        self.terminate(error)

    def _on_init_deadline(self) -> None:
        self._timer = None
        self._read_output()
        lines = self._log.tail(self.name, LINES_IN_ERROR)
        self.terminate(late_error(self._config.init_deadline_s, lines=lines))

    def _check_deadline(self) -> None:
        """Runs at most once per deadline, not once per batch."""
        self._timer = None
        if not self.batches or self.ending:
            return
        oldest = next(iter(self.batches.values()))
        begun = oldest.told + (TELL_SECONDS if oldest.series_of else 0)  # what is told late may have begun as late
        left = begun + self._config.request_deadline_s - time.perf_counter()
        if left > 0:
            self._timer = self._loop.call_later(left + 0.001, self._check_deadline)
            return
        self._owner.process_overdue(self)

    def _read_output(self) -> None:
        try:
            data = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._splitter.feed(data)
        else:
            self._loop.remove_reader(self._output)

    def _on_exit(self) -> None:
        """The leader is a zombie: its group is still ours to kill, then it is reaped."""
        popen = self._popen
        if popen is None:
            return
        _kill_group(popen.pid)
        if self._socket is not None and not self.ending:
            self._channel.read_rest(self._socket.fileno())
        status = popen.wait()
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._loop.remove_reader(self._output)
        _drain(self._output, self._splitter.feed)
        self._splitter.close()
        if popen.stdout is not None:
            popen.stdout.close()
        self._cancel_timer()
        self._channel.close()
        self._end(self._error or self._end_error(status))

    def _end_error(self, status: int) -> MopError:
        when = "during inference" if self.ready else DURING_INIT
        if self._config.disclosure is Disclosure.NAMES:
            # by its status a model could also choose the error
            self._log.write("front", f"{self.name} ended {when}")
            return DeploymentCrashedError(WITHHELD)
        self._log.write("front", f"{self.name} ended with status {status} {when}")
        return end_error(status, when=when, lines=self._log.tail(self.name, LINES_IN_ERROR))

    def _write_line(self, line: str) -> None:
        if self._config.disclosure is Disclosure.FULL:
            self._log.write(self.name, line)

    def _end(self, error: MopError) -> None:
        self.ending = True
        self._owner.process_ended(self, self._config.disclosure.of(error))
        self.ended.set()  # what the owner does about it comes before what those do who wait for the end

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def model_error(data: object) -> MopError:
    """The error that a model process reported; one that it may not report counts as its script's."""
    data = (
        {name: value for name, value in data.items() if name != "source"}
        if isinstance(data, dict)
        else {"message": str(data)}
    )
    if data.get("name") not in MODEL_ERRORS:
        data = {**data, "name": UserScriptException.__name__}
    return from_dict(data)


MODEL_ERRORS = frozenset(
    error.__name__
    for error in (
        InvalidModelOutputError,
        InvalidRequestError,
        ModelStructureError,
        ModelWrapperAmbiguousError,
        ModelWrapperNotFoundError,
        UserScriptException,
    )
)


def _spawn(command: tuple[str, ...], channel: socket.socket) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    return subprocess.Popen(
        command,
        stdin=channel.fileno(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: die_with(parent),  # noqa: PLW1509 - it takes no lock that another thread may hold
    )


def _output_descriptor(popen: subprocess.Popen[bytes]) -> int:
    if popen.stdout is None:
        raise RuntimeError("the process was spawned without a pipe for its output")
    os.set_blocking(popen.stdout.fileno(), False)
    return popen.stdout.fileno()


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _drain(descriptor: int, feed: Callable[[bytes], None]) -> None:
    """What the dead process had still written, 1 MiB at most."""
    for _ in range(MIB // READ_BYTES):
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            return
        feed(data)
