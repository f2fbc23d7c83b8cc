"""The seccomp filter of a cage: a classic BPF program made from the list in `system_calls`.

The program gets the call's number, the machine's architecture and the arguments, and answers with an action
(seccomp(2)). Its jumps only ever skip forward over the answer of one rule, so every rule reads by itself.
"""

from __future__ import annotations

import errno
import struct

from mop.sandbox.landlock import SCOPES_SIGNALS
from mop.sandbox.system_calls import (
    BY_PATH_BEFORE_3,
    CLONE,
    CLONE3,
    DENIED,
    IOCTL,
    KILL,
    NEWEST,
    PERSONALITY,
    PRETENDED,
    PRLIMIT64,
    SAME_USER,
    SCHED_SETAFFINITY,
    SHARED_HOST,
    SIGNALS,
    SOCKET,
    TGKILL,
    UNCOUNTED,
    SystemCall,
)

# linux/audit.h
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

MACHINES = frozenset(_ARCHITECTURES)
"""Machines, as `platform.machine()` names them, whose system calls are known."""

# linux/bpf_common.h
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

# struct seccomp_data
_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

_LANDLOCK_TRUNCATES = 3
_NEW_NAMESPACES = (
    0x7E020080  # every CLONE_NEW* flag: NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # push keystrokes into, or paste from, the terminal MOP was started on
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_PER_LINUX, _ASK_PERSONALITY = 0, 0xFFFFFFFF

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def filter_program(
    *, machine: str, count_memory: bool, sockets: bool, host: tuple[int, bool, int] | None = None
) -> bytes:
    """The filter as the kernel takes it: an array of `struct sock_filter`.

    Args:
        machine: as `platform.machine()` names it.
        count_memory: deny memory that only a control group could count.
        sockets: allow sockets of the kinds UNIX, INET, INET6 and NETLINK's routing family; False allows none to be
            made (a socketpair is no socket of the network and stays allowed).
        host: None for a job in namespaces of its own; for one that shares the host's: its pid, whether it runs as
            MOP's own user, and the version of Landlock.

    Raises:
        ValueError: the system calls of this machine are not known.
    """
    if machine not in _ARCHITECTURES:
        raise ValueError(f"the system calls of a {machine} are not known to MOP")
    instructions: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),  # a call by another architecture's numbers, for example int 0x80
        (_LOAD, 0, 0, _NUMBER),
        # on x86_64 this also meets the x32 numbers, which start at 2**30
        *_when(_AT_LEAST, NEWEST + 1, _refuse(errno.ENOSYS)),
        # its flags lie in memory, where a filter cannot look; without it the C library uses clone
        *_when_called(CLONE3, machine, _refuse(errno.ENOSYS)),
    ]
    denied = [call for calls in DENIED.values() for call in calls]
    for call in (*denied, *(UNCOUNTED if count_memory else ())):
        instructions += _when_called(call, machine, _refuse(errno.EPERM))
    instructions += _on_the_host(machine, *host) if host else []
    instructions += _when_called(CLONE, machine, _clone())
    instructions += _when_called(IOCTL, machine, _ioctl())
    instructions += _when_called(PERSONALITY, machine, _personality())
    instructions += _when_called(SOCKET, machine, _socket() if sockets else _refuse(errno.EACCES))
    instructions.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _on_the_host(machine: str, pid: int, same_user: bool, landlock: int) -> list[Instruction]:  # noqa: FBT001 - as in `host`
    """What namespaces of its own would keep from a job."""
    denied = [*SHARED_HOST, *([BY_PATH_BEFORE_3] if landlock < _LANDLOCK_TRUNCATES else [])]
    rules: list[Instruction] = []
    if same_user:
        denied += SAME_USER
        for call in PRETENDED:
            rules += _when_called(call, machine, _refuse(0))
        for call in (PRLIMIT64, SCHED_SETAFFINITY):
            rules += _when_called(call, machine, _own((0, pid)))
    if landlock < SCOPES_SIGNALS:
        denied += SIGNALS
        for call in (KILL, TGKILL):
            rules += _when_called(call, machine, _own((pid,)))
    for call in denied:
        rules += _when_called(call, machine, _refuse(errno.EPERM))
    return rules


def _own(pids: tuple[int, ...]) -> list[Instruction]:
    """Allow a call on these processes alone."""
    return [*_argument(0), *_one_of(pids, _allow()), *_refuse(errno.EPERM)]


def _when(test: int, operand: int, then: list[Instruction]) -> list[Instruction]:
    """Run `then`, which ends in an answer, when the test of the loaded word holds."""
    return [(test, 0, len(then), operand), *then]


def _when_called(call: SystemCall, machine: str, then: list[Instruction]) -> list[Instruction]:
    number = call.x86_64 if machine == "x86_64" else call.aarch64
    return [] if number is None else _when(_EQUAL, number, then)


def _refuse(number: int) -> list[Instruction]:
    return [(_RETURN, 0, 0, _ERRNO | number)]


def _allow() -> list[Instruction]:
    return [(_RETURN, 0, 0, _ALLOW)]


def _argument(index: int) -> list[Instruction]:
    """Load the lower half of an argument: the kernel takes those looked at here as 32-bit numbers."""
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * index)]


def _one_of(values: tuple[int, ...], then: list[Instruction]) -> list[Instruction]:
    return [instruction for value in values for instruction in _when(_EQUAL, value, then)]


def _clone() -> list[Instruction]:
    return [*_argument(0), *_when(_ANY_BIT, _NEW_NAMESPACES, _refuse(errno.EPERM)), *_allow()]


def _ioctl() -> list[Instruction]:
    return [*_argument(1), *_one_of((_TIOCSTI, _TIOCLINUX), _refuse(errno.EPERM)), *_allow()]


def _personality() -> list[Instruction]:
    return [*_argument(0), *_one_of((_PER_LINUX, _ASK_PERSONALITY), _allow()), *_refuse(errno.EPERM)]


def _socket() -> list[Instruction]:
    """Of the other kinds, vsock leaves a virtual machine whatever the network namespace is, and AF_ALG is code."""
    netlink = [*_argument(2), *_when(_EQUAL, _NETLINK_ROUTE, _allow()), *_refuse(errno.EAFNOSUPPORT)]
    return [
        *_argument(0),
        *_one_of((_UNIX, _INET, _INET6), _allow()),
        *_when(_EQUAL, _NETLINK, netlink),
        *_refuse(errno.EAFNOSUPPORT),
    ]
