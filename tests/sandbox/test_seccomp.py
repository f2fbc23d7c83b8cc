"""The filter of system calls: its decisions, and that the cage runs under it."""

from __future__ import annotations

import errno
import re
import socket
import struct
from pathlib import Path

import pytest

from mop.sandbox.seccomp import filter_program
from mop.sandbox.system_calls import DENIED, UNCOUNTED, SystemCall
from sandbox.cage import Cage

ALLOW = 0x7FFF0000
KILL = 0x80000000
ERRNO = 0x00050000
X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALL_DENIED = [call for calls in DENIED.values() for call in calls]
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def decide(program: bytes, number: int, *arguments: int, architecture: int = X86_64) -> int:
    """Run the filter as the kernel does."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    code = list(struct.iter_unpack("=HBBI", program))
    at, accumulator = 0, 0
    while True:
        operation, when_true, when_false, operand = code[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, operand)
            case 0x15 | 0x35 | 0x45:
                holds = {
                    0x15: accumulator == operand,
                    0x35: accumulator >= operand,
                    0x45: bool(accumulator & operand),
                }[operation]
                at += when_true if holds else when_false
            case 0x06:
                return operand
            case other:
                raise AssertionError(f"no such instruction: {other:#x}")


@pytest.fixture(scope="module")
def program() -> bytes:
    return filter_program(machine="x86_64", count_memory=False, sockets=True)


@pytest.mark.parametrize("call", ALL_DENIED, ids=lambda call: call.name)
def test_every_listed_call_is_refused_on_both_machines(call: SystemCall):
    for machine, number, architecture in (("x86_64", call.x86_64, X86_64), ("aarch64", call.aarch64, AARCH64)):
        if number is not None:
            rules = filter_program(machine=machine, count_memory=False, sockets=True)
            assert decide(rules, number, architecture=architecture) == ERRNO | errno.EPERM


def test_all_other_calls_of_a_program_are_allowed(program: bytes):
    refused = {call.x86_64 for call in ALL_DENIED} | {435, 41}
    for number in set(range(470)) - refused:
        assert decide(program, number, 0) == ALLOW, number


def test_calls_by_another_architectures_numbers_end_the_process(program: bytes):
    assert decide(program, 11, architecture=I386) == KILL


@pytest.mark.parametrize("number", [470, 5000, 2**30 + 1, 2**30 + 165])
def test_calls_that_the_list_does_not_know_are_missing(program: bytes, number: int):
    assert decide(program, number) == ERRNO | errno.ENOSYS


def test_clone_may_start_threads_and_processes_but_no_namespace(program: bytes):
    threads, fork = 0x3D0F00, 0x1200011
    assert decide(program, 56, threads) == decide(program, 56, fork) == ALLOW
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert decide(program, 56, fork | bit) == ERRNO | errno.EPERM
    assert decide(program, 435) == ERRNO | errno.ENOSYS


def test_the_terminal_can_not_be_typed_into_whatever_the_upper_half_says(program: bytes):
    for request in (0x5412, 0x541C, 0x5412 | 1 << 32):
        assert decide(program, 16, 0, request) == ERRNO | errno.EPERM
    assert decide(program, 16, 0, 0x5413) == ALLOW


def test_sockets_are_of_the_ordinary_kinds(program: bytes):
    for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
        assert decide(program, 41, family, socket.SOCK_STREAM) == ALLOW
    assert decide(program, 41, socket.AF_NETLINK, socket.SOCK_RAW, 0) == ALLOW
    for family, protocol in ((socket.AF_NETLINK, 12), (socket.AF_PACKET, 0), (socket.AF_ALG, 0), (socket.AF_VSOCK, 0)):
        assert decide(program, 41, family, socket.SOCK_RAW, protocol) == ERRNO | errno.EAFNOSUPPORT


def test_without_sockets_there_are_none():
    rules = filter_program(machine="x86_64", count_memory=False, sockets=False)
    for family in range(50):
        assert decide(rules, 41, family) == ERRNO | errno.EACCES
    assert decide(rules, 53, socket.AF_UNIX) == ALLOW


def test_the_personality_can_be_asked_but_not_changed(program: bytes):
    assert decide(program, 135, 0xFFFFFFFF) == decide(program, 135, 0) == ALLOW
    assert decide(program, 135, 0x0040000) == ERRNO | errno.EPERM


def test_memory_that_only_a_control_group_counts_is_refused_where_there_is_none(program: bytes):
    counting = filter_program(machine="x86_64", count_memory=True, sockets=True)
    for call in UNCOUNTED:
        assert call.x86_64 is not None
        assert decide(program, call.x86_64) == ALLOW
        assert decide(counting, call.x86_64) == ERRNO | errno.EPERM


def test_an_unknown_machine_is_an_error():
    with pytest.raises(ValueError, match="riscv64"):
        filter_program(machine="riscv64", count_memory=False, sockets=True)


@pytest.mark.parametrize("machine", HEADERS)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str):
    header = HEADERS[machine]
    known = (
        {
            name: int(number)
            for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text(encoding="utf-8"))
        }
        if header.is_file()
        else {}
    )
    for call in (*ALL_DENIED, *UNCOUNTED):
        number = call.x86_64 if machine == "x86_64" else call.aarch64
        assert known.get(call.name, number) == number, call.name


@pytest.mark.sandbox
def test_the_job_runs_under_the_filter(cage: Cage):
    told = cage.output(
        """
        import ctypes, os, socket
        libc = ctypes.CDLL(None, use_errno=True)
        def refused(number, *arguments):
            assert libc.syscall(number, *arguments) == -1
            return ctypes.get_errno()
        status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
        print(status["Seccomp"], status["NoNewPrivs"])
        try:
            socket.socket(40, socket.SOCK_STREAM)  # AF_VSOCK
        except OSError as error:
            print(error.errno)
        socket.socketpair()
        print(refused(425, 1, 0))
        print(refused(435, 0, 0))
        """.replace("\n        ", "\n")
    )
    assert told.split() == ["2", "1", str(errno.EAFNOSUPPORT), str(errno.EPERM), str(errno.ENOSYS)]
