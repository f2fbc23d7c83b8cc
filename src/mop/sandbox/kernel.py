"""The kernel calls that Python 3.11 has no name for, through ctypes.

Each raises OSError. Part of the supervisor: imports stay few, because it starts with every model process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct

CLONE_NEWNS = 0x00020000
MS_BIND = 0x1000
MS_NODEV = 0x4
MS_NOSUID = 0x2
MS_PRIVATE = 0x40000
MS_REC = 0x4000

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION = 0x20080522

# the same numbers on every machine
_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_ADD_RULE = 445
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_VERSION = 1
_LANDLOCK_PATH_BENEATH = 1

_INSTRUCTION_BYTES = 8  # of struct sock_filter

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)


def signal_on_parent_death(number: signal.Signals) -> None:
    """Have the kernel send this signal when the parent's thread ends; lost at a change of uid, kept over exec."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)")


def forbid_new_privileges() -> None:
    """No exec from here on grants anything: setuid bits and file capabilities are ignored."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def drop_capabilities() -> None:
    """Give every capability up, for a process that stays root; with no_new_privs no exec brings one back."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _check(_libc.capset(header, bytes(24)), "capset")


def filter_calls(program: bytes) -> None:
    """Filter this process's system calls, and those of what it starts, by an array of `struct sock_filter`."""
    instructions = ctypes.create_string_buffer(program, len(program))
    length = len(program) // _INSTRUCTION_BYTES
    filter_ = ctypes.create_string_buffer(struct.pack("@HP", length, ctypes.addressof(instructions)))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filter_), 0, 0), "prctl(PR_SET_SECCOMP)")


def landlock_version() -> int:
    """The version of Landlock here; 0 where there is none."""
    return max(0, int(_libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)))


def landlock_ruleset(attributes: bytes) -> int:
    """A descriptor of a new set of rules, from a `struct landlock_ruleset_attr`."""
    return _check(
        _libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0),
        "landlock_create_ruleset",
    )


def landlock_allow(ruleset: int, attributes: bytes) -> None:
    """Add a rule, from a packed `struct landlock_path_beneath_attr`."""
    _check(_libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, attributes, 0), "landlock_add_rule")


def landlock_restrict(ruleset: int) -> None:
    """Put the rules on this thread, and on what it starts."""
    _check(_libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")


def unshare_mounts() -> None:
    """Enter a mount namespace of one's own that sends nothing back to the host's."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare(CLONE_NEWNS)")
    mount("none", "/", flags=MS_REC | MS_PRIVATE)


def mount(source: str, target: str, *, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount something, or change how it is mounted."""
    names = [os.fsencode(name) for name in (source, target, kind, options)]
    _check(_libc.mount(names[0], names[1], names[2], flags, names[3]), f"mount {target}")


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
