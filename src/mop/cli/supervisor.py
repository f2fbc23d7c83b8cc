"""Keeps the processes of an installation alive, and stops them together. Runs on Linux, in the main thread.

A part that dies is started again after 1, 2, 4 ... 30 seconds, one that was asked to leave is not; a part that dies
before everything was ready once ends the whole, because it would only fail again. Children die with this process: the
kernel signals them when the thread that started them ends, so they are started from the main thread alone.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mop.cli.failures import PartFailedError
from mop_client.cli.output import say

PR_SET_PDEATHSIG = 1
BACKOFF_MAX = 30.0
STEADY_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Part:
    """One long-lived child process.

    Attributes:
        name: for messages.
        argv: its command line.
        death_signal: what the kernel sends it when the supervisor dies.
        ready_line: what it writes on its stdout when it is ready; empty when it is known otherwise.
        may_leave: it is not started again when it ends with status 0, as somebody asked it to.
    """

    name: str
    argv: tuple[str, ...]
    death_signal: signal.Signals = signal.SIGTERM
    ready_line: str = ""
    may_leave: bool = False


@dataclass
class Supervisor:
    """Runs parts until told to stop.

    Args:
        parts: the processes.
        env: their environment; None is this process's.
    """

    parts: Sequence[Part]
    env: Mapping[str, str] | None = None
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _announced: dict[str, asyncio.Event] = field(default_factory=dict)
    _was_ready: bool = False

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Start the parts and do `work`; when it ends, fails or is cancelled, stop the parts.

        Raises:
            PartFailedError: a part ended before `ready()` was called.
        """
        keepers = [asyncio.create_task(self._keep(part)) for part in self.parts]
        worker = asyncio.ensure_future(work())
        try:
            await asyncio.wait([worker, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for task in (*keepers, worker):  # a part's failure says more than that of the work that needed it
                if task.done():
                    await task
        finally:
            self._stopping.set()
            worker.cancel()
            await asyncio.shield(self._stop(keepers))

    async def announced(self) -> None:
        """Return when every part with a ready line has written it once."""
        for part in self.parts:
            if part.ready_line:
                await self._announcement(part).wait()

    def ready(self) -> None:
        """From now on a part that dies is started again."""
        self._was_ready = True

    async def _keep(self, part: Part) -> None:
        delay = 1.0
        while not self._stopping.is_set():
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                *part.argv,
                env=self.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if part.ready_line else sys.stderr,  # our stdout is for the address
                preexec_fn=dies_with_us(part.death_signal),
            )
            self._running[part.name] = process
            await self._relay(part, process)
            status = await process.wait()
            del self._running[part.name]
            if self._stopping.is_set():
                return
            if not self._was_ready:
                raise PartFailedError(f"The {part.name} ended with status {status} while it was starting.")
            if part.may_leave and status == 0:
                say(f"the {part.name} ended as it was asked to; the other parts go on")
                await self._stopping.wait()
                return
            if time.monotonic() - began > STEADY_SECONDS:
                delay = 1.0
            say(f"the {part.name} ended with status {status}; starting it again in {delay:.0f} s")
            try:
                await asyncio.wait_for(self._stopping.wait(), delay)
            except TimeoutError:
                delay = min(delay * 2, BACKOFF_MAX)

    async def _relay(self, part: Part, process: asyncio.subprocess.Process) -> None:
        """Pass a part's stdout on to stderr until it ends, and notice its ready line."""
        if process.stdout is None:
            return
        async for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            if line == part.ready_line:
                self._announcement(part).set()
            else:
                say(line)

    def _announcement(self, part: Part) -> asyncio.Event:
        return self._announced.setdefault(part.name, asyncio.Event())

    async def _stop(self, keepers: Sequence[asyncio.Task[None]]) -> None:
        for process in self._running.values():
            process.terminate()
        _, late = await asyncio.wait(keepers, timeout=STOP_SECONDS)
        for process in self._running.values():
            process.kill()
        if late:
            await asyncio.wait(late)


def dies_with_us(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """What a child does before it becomes its program: ask the kernel for a signal when we die."""
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: after fork nothing may be loaded any more

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the parent may have blocked the signals that end our children
        # a Ctrl-C at the terminal reaches us; we stop the parts in order
        os.setpgid(0, 0)

    return ask


def python(*arguments: str) -> tuple[str, ...]:
    """The command line of a module of our own interpreter."""
    return (sys.executable, *arguments)
