"""The parent of a supervisor whose job has no process namespace: it ends the job when the supervisor cannot.

    spawner ── guard (this) ── supervisor ── the job ── what it starts, daemons too

A process that is killed by -9 cleans nothing up, and its descendants go to the nearest ancestor that adopts orphans.
If the supervisor is killed, that is the guard, which kills them; if the guard is, the supervisor hears of it and ends
the job. The supervisor has a session of its own, so that a signal to the guard's process group reaches one of the two
alone. Only somebody who kills both at once leaves processes behind, and those are met by the next sweep.

Where there is a process namespace (levels 1 and 2) the kernel does all this. Part of the supervisor.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from mop.sandbox import kernel

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run(supervise: Callable[[], int], *, end_orphans: Callable[[], None]) -> int:
    """Fork the supervisor and stay beside it; returns the exit status, in both processes.

    Args:
        supervise: what the supervisor does; returns its exit status.
        end_orphans: called here when the supervisor was killed, with its descendants as this process's own.
    """
    kernel.adopt_orphans()
    guard = os.getpid()
    signals = {*_FORWARDED, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    supervisor = os.fork()
    if supervisor == 0:
        os.setsid()
        kernel.signal_on_parent_death(signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        return supervise() if os.getppid() == guard else 128 + signal.SIGTERM
    _let_go_of_what_the_job_holds()
    status = _wait(supervisor, signals)
    if os.WIFSIGNALED(status):
        end_orphans()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _let_go_of_what_the_job_holds() -> None:
    """Keep standard error alone: the other ends of pipes and sockets must see them close when the job ends."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _wait(supervisor: int, signals: set[signal.Signals]) -> int:
    """The status of the supervisor once it has ended; what comes for it meanwhile is passed on."""
    while True:
        number = signal.sigwait(signals)
        if number != signal.SIGCHLD:
            os.kill(supervisor, number)
            continue
        # it alone is a child until it ends
        ended, status = os.waitpid(supervisor, os.WNOHANG)
        if ended:
            return status
