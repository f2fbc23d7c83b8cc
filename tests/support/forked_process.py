"""What makes a fork of the fork server a process of its own, as an executed one would be."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
# the numbers that received descriptors wait at, above any that a process is asked to have
ABOVE = 500


def become(request: dict[str, Any]) -> None:
    """Take the streams, the environment and everything else of a request."""
    if request["death_signal"]:
        parent = request["server"]
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, request["death_signal"], 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    _take_descriptors(request["descriptors"], request["pass_fds"])
    if request["new_session"]:
        os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, request["blocked"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    _show(request["argv"], request["env"])
    sys.path[0] = request["cwd"] if request["argv"][1] == "-m" else ""
    _open_streams()
    _forget_settings()
    _reseed()
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        import coverage  # noqa: PLC0415 - only in a run that measures

        coverage.process_startup()


def _take_descriptors(received: list[int], passed: list[int]) -> None:
    waiting = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, ABOVE) for descriptor in received]
    for descriptor in received:
        os.close(descriptor)
    for descriptor, number in zip(waiting, (0, 1, 2, *passed), strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def _show(argv: list[str], env: dict[str, str]) -> None:
    """Write command line and environment to where the kernel reads those of /proc from.

    It is the memory of the server's own, which were made long enough for it; nothing in this process refers to them any
    more, because the environment has been set anew.
    """
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    arguments, arguments_end, environment, environment_end = (int(field) for field in fields[45:49])
    for start, end, texts in (
        (arguments, arguments_end, argv),
        (environment, environment_end, [f"{name}={value}" for name, value in env.items()]),
    ):
        content = b"".join(os.fsencode(text) + b"\0" for text in texts)
        if len(content) > end - start:
            raise SystemExit(f"command line or environment of {len(content)} bytes: the fork server has less room")
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, content, len(content))


def _open_streams() -> None:
    """The standard streams as Python opens them at its start."""
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream = open(  # noqa: SIM115 - open as long as the process
            number,
            mode,
            encoding="utf-8",
            errors="backslashreplace" if name == "stderr" else "strict",
            closefd=False,
            buffering=1 if name == "stderr" or os.isatty(number) else -1,
        )
        if unbuffered and mode == "w":
            stream.reconfigure(write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _forget_settings() -> None:
    """The settings, and what Django made of them, are made anew when they are asked for."""
    from django.conf import empty, settings  # noqa: PLC0415 - the server imported it, with its settings
    from django.core.signals import setting_changed  # noqa: PLC0415 - as above
    from django.db import connections  # noqa: PLC0415 - as above

    sys.modules.pop("mop.conf.settings", None)
    # what Django's own tests use when they change a setting; the handlers are in django.test.signals
    for name in ("CACHES", "TEMPLATES", "STORAGES", "STATIC_ROOT", "MEDIA_ROOT", "AUTH_PASSWORD_VALIDATORS"):
        setting_changed.send(sender=None, setting=name, value=None, enter=True)
    for alias in [*connections]:
        if hasattr(connections._connections, alias):
            del connections[alias]
    connections.__dict__.pop("settings", None)
    connections._settings = None
    settings._wrapped = empty


def _reseed() -> None:
    """`random` is seeded at every fork by itself; numpy's generator is not."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
