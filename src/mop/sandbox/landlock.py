"""Landlock: take from this process, and what it starts, every file that no rule names. Part of the supervisor.

Works without user namespaces and without privileges (landlock(7)). What it can hold grows with the kernel's version of
it; what an older one leaves open, the filter of system calls closes.
"""
# pathlib would add a third to the supervisor's start-up

from __future__ import annotations

import os
import stat
import struct

from mop.sandbox import kernel

SCOPES_SIGNALS = 6
"""The version from which a job can signal none but its own processes."""

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RIGHTS = (1 << 16) - 1
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_NETWORK_VERSION = 4
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1
_MAKES_SPECIAL = 1 << 6 | 1 << 9 | 1 << 11  # character devices, sockets, block devices


def restrict(readable: list[str], writable: list[str], *, version: int, network: bool) -> None:
    """Leave these files and folders, read-only or writable, and nothing else; there is no way back.

    Args:
        readable: paths that may be read and executed; those that do not exist are left out.
        writable: paths that may be changed as well.
        version: what `kernel.landlock_version` told.
        network: leave TCP alone.

    Raises:
        OSError: a writable path does not exist, or the kernel refuses.
    """
    handled = _RIGHTS.get(version, _ALL_RIGHTS)
    tcp = _BIND_TCP | _CONNECT_TCP if version >= _NETWORK_VERSION and not network else 0
    scopes = _ABSTRACT_SOCKETS | _SIGNALS if version >= SCOPES_SIGNALS else 0
    ruleset = kernel.landlock_ruleset(struct.pack("=QQQ", handled, tcp, scopes))
    for path in readable:
        try:
            _allow(ruleset, path, handled & _READ)
        except FileNotFoundError:
            continue
    for path in writable:
        _allow(ruleset, path, handled & ~_MAKES_SPECIAL)
    kernel.landlock_restrict(ruleset)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        kernel.landlock_allow(ruleset, struct.pack("=Qi", rights, descriptor))
    finally:
        os.close(descriptor)
