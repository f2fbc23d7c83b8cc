"""The clock of a load test: `time.perf_counter`, and wake-ups that are finer than an event loop's timers.

uvloop's timers count in milliseconds. A timer descriptor of Linux fires within some ten microseconds of any
nanosecond and is one more descriptor to the event loop, so nothing spins. Elsewhere the loop's timers have to do; the
generator's lag then shows what they cost.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
import sys
import time
from collections.abc import Callable

from mop.loadtest.exchange import NS

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1


class Agenda:
    """What is due when. Callbacks of the same time are called in the order of their entry."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def next(self) -> int | None:
        """When the first is due."""
        return self._entries[0][0] if self._entries else None

    def add(self, when: int, callback: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._entries, (when, self._count, callback))

    def pop_due(self, now: int) -> list[Callable[[], None]]:
        """Remove and return those that are due."""
        due = []
        while self._entries and self._entries[0][0] <= now:
            due.append(heapq.heappop(self._entries)[2])
        return due


class MonotonicClock:
    """The real time on the running event loop; `close` ends the wake-ups."""

    def __init__(self, *, fine: bool = sys.platform == "linux") -> None:
        self._agenda = Agenda()
        self._alarm: _TimerDescriptor | _LoopTimer = _TimerDescriptor(self._wake) if fine else _LoopTimer(self._wake)
        self._set: int | None = None

    now = staticmethod(time.perf_counter_ns)

    def call_at(self, when: int, callback: Callable[[], None]) -> None:
        """Call once at `when`, or as soon as possible after it."""
        self._agenda.add(when, callback)
        self._set_alarm()

    def _wake(self) -> None:
        self._set = None
        for callback in self._agenda.pop_due(self.now()):
            callback()
        self._set_alarm()

    def _set_alarm(self) -> None:
        when = self._agenda.next
        if when is not None and (self._set is None or when < self._set):
            self._set = when
            self._alarm.set(when)

    def close(self) -> None:
        """Forget what is due."""
        self._alarm.close()


class _LoopTimer:
    """The event loop's own timer."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = wake
        self._handle: asyncio.TimerHandle | None = None

    def set(self, when: int) -> None:
        self.close()
        self._handle = self._loop.call_later(max(0, when - time.perf_counter_ns()) / NS, self._wake)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class _Itimerspec(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("interval_s", "interval_ns", "value_s", "value_ns")]


class _TimerDescriptor:
    """timerfd of Linux, which Python offers from 3.13 on; its clock is that of `time.perf_counter`."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = wake
        libc = ctypes.CDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._descriptor = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec(0, 0, 0, 0)
        self._at = ctypes.byref(self._spec)
        self._loop.add_reader(self._descriptor, self._fire)

    def set(self, when: int) -> None:
        # a time of 0 would switch it off
        self._spec.value_s, self._spec.value_ns = divmod(max(1, when), NS)
        self._settime(self._descriptor, _TFD_TIMER_ABSTIME, self._at, None)

    def _fire(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # it was set anew since
            return
        self._wake()

    def close(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
