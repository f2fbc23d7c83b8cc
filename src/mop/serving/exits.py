"""Why a model process ended, in words."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from mop.errors import DeploymentCrashedError, DeploymentTimeoutError, MopError, SandboxUnavailableError

# The sandbox's exit statuses; serving may not import its sibling.
EXIT_MEMORY, EXIT_TIME, EXIT_SETUP = 122, 124, 125
SIGNAL_BASE = 128
DURING_INIT = "during init"
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE})

# a line of a stack that faulthandler wrote: the newest call of a thread comes first, the main thread last
_FRAME = re.compile(r'  File ".*/src/(inference\.py)", line (\d+) in ')
_OUR_FRAME = re.compile(r'  File ".*(importlib|/model_process\.py\b)')
_MANY_PROCESSES = re.compile(r"^mop-sandbox: .* with \d+ processes$", re.MULTILINE)


def end_error(status: int, *, when: str, lines: Sequence[str]) -> MopError:
    """The error for a model process that ended by itself.

    Args:
        status: as subprocess reports it: the exit code, or minus the signal.
        when: DURING_INIT or what it was doing.
        lines: the last lines of its log.
    """
    last = _last(lines) or " It printed nothing."
    if status == EXIT_SETUP:
        return SandboxUnavailableError(f"The sandbox could not be set up for the model process.{last}")
    message = f"The model process {_reason(status)} {when}.{last}"
    return DeploymentCrashedError(message, hint=_hint(status, lines), place=_place(lines, when))


def late_error(seconds: float, *, lines: Sequence[str]) -> DeploymentTimeoutError:
    """The error for a model process that was not ready in time.

    Args:
        seconds: the init deadline.
        lines: the last lines of its log; the process writes its stack there shortly before the deadline.
    """
    return DeploymentTimeoutError(
        f"The model was not ready within {seconds:g} s (import and init).{_last(lines)}",
        hint="Load less while inference.py is imported and in init, and wait there for nothing that may never come "
        "(a lock, another process, an answer); or choose a larger instance type.",
        place=_place(lines, DURING_INIT),
    )


def _last(lines: Sequence[str]) -> str:
    """The log's end for the message, without the frames of a stack that are not the contributor's."""
    lines = [line for line in lines if not _OUR_FRAME.match(line)]
    return (" Last lines of its log:\n" + "\n".join(lines)) if lines else ""


def _place(lines: Sequence[str], when: str) -> str | None:
    """The newest line of inference.py in the last stack of the log."""
    place = unknown = "init in src/inference.py" if when == DURING_INIT else None
    for line in lines:
        if "most recent call first" in line:
            place = unknown
        elif place == unknown and (frame := _FRAME.match(line)) is not None:
            place = f"src/{frame[1]}:{frame[2]}"
    return place


def _reason(status: int) -> str:
    if status == EXIT_MEMORY:
        return "went over its memory limit and was stopped"
    if status == EXIT_TIME:
        return "went over its time limit and was stopped"
    number = _signal(status)
    if number is not None:
        return f"was killed by {signal.Signals(number).name}"
    return f"exited with code {status}"


def _hint(status: int, lines: Sequence[str]) -> str | None:
    if status == EXIT_MEMORY:
        if _MANY_PROCESSES.search("\n".join(lines)):
            return "Start fewer processes: their memory counts together."
        return "Make the model need less memory, use fewer workers, or choose a larger instance type."
    number = _signal(status)
    if number in _CRASHES:
        return (
            "A native library crashed: look for the stack in the deployment log, and try another version of that "
            "library in src/requirements.txt."
        )
    if number is not None:
        return None
    return "Let the code end no process (os._exit, sys.exit); the deployment log has its last lines."


def _signal(status: int) -> int | None:
    number = -status if status < 0 else status - SIGNAL_BASE
    return number if number in set(signal.Signals) else None
