"""Tries to get out of a cage, from within, and tells what worked. Harmless: it knocks at the test's own doors.

Runs as a model, a build step or a scan does: standard library only, Python 3.8 or later. `GOAL` is a JSON file:

    secrets    files of the host, by what they are; each holds `word`, as does MOP's environment
    word       written backwards, so that the goal itself is no find
    code       a file of MOP's own code
    doors      what listens on the host: tcp and udp ports, the path of a UNIX socket, the name of an abstract one
    pid        a process of the host, which has `word` in its command line
    on_the_host  whether the job's parent is a process of the host
    own        files that the job was given to read
    writable   folders that it was given to write, if any
    front      the socket of the model's own service, which is for callers
    clone, clone3   numbers of these system calls
    calls      numbers of system calls, by the reason why they are refused

`escape_probe.py GOAL` prints the report, JSON: what was tried → [whether it worked, how it ended].
`escape_probe.py GOAL KIND AMOUNT` takes memory, processes or CPUs and keeps them, for who looks whether that is let be.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import json
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time

REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
FAMILIES = {"packet": 17, "vsock": 40, "bluetooth": 31, "kernel crypto": 38, "xdp": 44}
ELSEWHERE = (("192.0.2.1", 80), ("169.254.169.254", 80), ("198.51.100.53", 53))
MIB = 1 << 20
BURN_SECONDS = 1.0

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Report:
    """What was tried, in order: whether it worked, and how each try ended."""

    def __init__(self):
        self.found = {}

    def tried(self, name, *tries):
        """One line: it worked if any of the tries did. A try is a function that raises, or gives False, when not."""
        ends = []
        for one in tries:
            try:
                if one() is not False:
                    self.found[name] = [True, f"try {len(ends) + 1} worked"]
                    return
                ends.append("no")
            except BaseException as error:  # noqa: BLE001 - whatever comes of it is its end
                ends.append(f"{type(error).__name__}: {error}")
        self.found[name] = [False, "; ".join(ends)]


def as_model(path):
    """What a model does at its start: take what the goal says, or report."""
    goal = read_goal(path)
    if "take" in goal:
        main([path, *map(str, goal["take"])])
        os._exit(0)
    return report(goal)


def read_goal(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def report(goal):
    """The report of everything that does no harm to the job itself."""
    tells = Report()
    reads(tells, goal)
    writes(tells, goal)
    reaches(tells, goal)
    steers(tells, goal)
    gains(tells, goal)
    return tells.found


# Read ------------------------------------------------------------------------------------------------------


def reads(tells, goal):
    word = goal["word"][::-1].encode()
    for what, paths in goal["secrets"].items():
        tells.tried(f"read {what}", *(lambda path=path: holds(path, word) for path in paths))
    tells.tried("read MOP's code", lambda: content(goal["code"]))
    tells.tried(
        "read `/etc/shadow`, keys, logs, other homes",
        *(lambda path=path: content(path) for path in ("/etc/shadow", "/etc/gshadow", "/proc/1/root/etc/shadow")),
        lambda: os.listdir("/var/log"),
        lambda: os.listdir("/root/.ssh"),
        lambda: content("/etc/machine-id"),
    )
    tells.tried("read the names of the host's users", lambda: holds("/etc/passwd", b"root:"))
    tells.tried("read names, sizes and modes of the host's files", lambda: os.stat("/etc/shadow"))
    tells.tried(
        "read MOP's environment variables", lambda: word in repr(dict(os.environ)).encode(), in_proc("environ", word)
    )
    tells.tried("read command lines of the host's processes", in_proc("cmdline", word))
    tells.tried("read the kernel's log", lambda: content("/dev/kmsg"), lambda: content("/proc/kmsg"), kernel_log)
    tells.tried(
        "read `/sys`, control groups, the kernel's memory",
        lambda: os.listdir("/sys/class"),
        lambda: os.listdir("/sys/fs/cgroup"),
        *(lambda path=path: content(path) for path in ("/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port")),
    )


def content(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, MIB)
    finally:
        os.close(descriptor)


def holds(path, word):
    return word in content(path)


def in_proc(name, word):
    """Whether the word stands in such a file of any other process, or of a thread of it."""

    def look():
        for path in glob.glob(f"/proc/[0-9]*/{name}") + glob.glob(f"/proc/[0-9]*/task/[0-9]*/{name}"):
            try:
                if holds(path, word):
                    return True
            except OSError:
                continue
        return False

    return look


def kernel_log():
    buffer = ctypes.create_string_buffer(4096)
    return checked(libc.klogctl(3, buffer, len(buffer)))


# Write -----------------------------------------------------------------------------------------------------


def writes(tells, goal):
    temporary = os.environ.get("TMPDIR", "/tmp")
    tells.tried("write its temporary folder", lambda: written(os.path.join(temporary, "probe")))
    tells.tried("write `/dev/shm`", lambda: written("/dev/shm/probe"))
    tells.tried(
        "write a folder to build in", *(lambda path=path: written(path + "/probe") for path in goal["writable"])
    )
    own = [path for path in goal["own"] if os.path.isfile(path)]
    tells.tried(
        "write its own code, files, environment and interpreter",
        *(lambda path=path: os.close(os.open(path, os.O_WRONLY)) for path in [*own, os.path.realpath(sys.executable)]),
        *(lambda path=path: os.truncate(path, 0) for path in own),
        *(lambda path=path: written(os.path.dirname(path) + "/probe") for path in own),
        lambda: written(os.path.join(sys.prefix, "probe.pth")),
        lambda: os.unlink(own[0]),
        lambda: os.rename(own[0], own[0] + ".old"),
    )
    tells.tried(
        "write anywhere else: `/`, `/etc`, `/usr`, `/dev`, `/proc/sys`, `/sys`, `/var/tmp`",
        *(lambda top=top: written(top + "/mop-probe") for top in ("", "/etc", "/usr/lib", "/usr/bin", "/dev", "/proc")),
        *(
            lambda top=top: written(top + "/mop-probe")
            for top in ("/sys", "/var/tmp", "/home", "/root", "/run", "/opt")
        ),
        lambda: written("/proc/sys/kernel/core_pattern"),
        lambda: written("/proc/sysrq-trigger"),
        lambda: written("/sys/fs/cgroup/cgroup.procs"),
    )
    tells.tried(
        "make a device",
        lambda: os.mknod(os.path.join(temporary, "memory"), 0o20666, os.makedev(1, 1)),
        lambda: os.mknod(os.path.join(temporary, "disk"), 0o60666, os.makedev(8, 0)),
    )
    for path in [one for paths in goal["secrets"].values() for one in paths]:
        overwrite(path, os.path.join(temporary, f"link-{abs(hash(path))}"))


def written(path):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    os.close(descriptor)
    return path


def overwrite(path, link):
    """Try to change a file of the host. A folder of the cage's own may stand there: the test looks from outside."""
    for place in (path, link, f"/proc/1/root{path}", f"/proc/{os.getppid()}/root{path}"):
        try:
            if place == link:
                os.symlink(path, link)
            with open(place, "w", encoding="utf-8") as file:
                file.write("overwritten")
        except OSError:
            continue
    for change in (lambda: os.chmod(path, 0), lambda: os.unlink(path), lambda: os.utime(path, (1, 1))):
        try:
            change()
        except OSError:
            continue


# Reach -----------------------------------------------------------------------------------------------------


def reaches(tells, goal):
    doors = goal["doors"]
    stream = socket.SOCK_STREAM
    tells.tried(
        "reach TCP of the host",
        *(
            lambda host=host: connected(socket.AF_INET, stream, (host, doors["tcp"]))
            for host in ("127.0.0.1", "0.0.0.0")
        ),
        lambda: connected(socket.AF_INET6, stream, ("::ffff:127.0.0.1", doors["tcp"])),
    )
    tells.tried("reach UDP of the host", lambda: answered(("127.0.0.1", doors["udp"])))
    tells.tried(
        "reach a UNIX socket of the host",
        lambda: connected(socket.AF_UNIX, stream, doors["unix"]),
        lambda: connected(socket.AF_UNIX, stream, "/proc/1/root" + doors["unix"]),
        lambda: connected(socket.AF_UNIX, stream, "\0" + doors["abstract"]),
        lambda: connected(socket.AF_UNIX, stream, goal.get("front", doors["unix"])),
    )
    tells.tried(
        "reach other hosts, DNS, the cloud's metadata",
        lambda: any(name != "lo" for _, name in socket.if_nameindex()),
        *(lambda one=one: connected(socket.AF_INET, stream, one) for one in ELSEWHERE),
        lambda: socket.getaddrinfo("pypi.org", 443),
    )
    tells.tried(
        "open a raw, packet, vsock, Bluetooth or kernel-crypto socket",
        lambda: opened(socket.AF_INET, socket.SOCK_RAW, 1),
        lambda: opened(socket.AF_INET6, socket.SOCK_RAW, 58),
        *(lambda one=one: opened(one, socket.SOCK_RAW, 0) for one in FAMILIES.values()),
        *(lambda one=one: opened(one, socket.SOCK_STREAM, 0) for one in FAMILIES.values()),
        lambda: opened(socket.AF_NETLINK, socket.SOCK_RAW, 9),  # audit
        lambda: opened(socket.AF_NETLINK, socket.SOCK_RAW, 12),  # netfilter
    )
    tells.tried("use a loopback of its own", own_loopback)


def connected(family, kind, address):
    with socket.socket(family, kind) as one:
        one.settimeout(1)
        one.connect(address)


def answered(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(1)
        one.connect(address)
        one.send(b"knock")
        return bool(one.recv(10))


def opened(family, kind, protocol):
    socket.socket(family, kind, protocol).close()


def own_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        connected(socket.AF_INET, socket.SOCK_STREAM, server.getsockname())


# See, signal, trace ----------------------------------------------------------------------------------------


def steers(tells, goal):
    pid = goal["pid"]
    above = [pid, os.getppid()] if goal["on_the_host"] else [pid]  # else the parent is of the cage too
    tells.tried("see that a process of the host is there", lambda: os.path.exists(f"/proc/{pid}"))
    tells.tried(
        "signal MOP's processes, or others of the host",
        *(lambda one=one: os.kill(one, signal.SIGKILL) for one in above),
        *(lambda one=one: signal.pidfd_send_signal(os.pidfd_open(one), signal.SIGKILL) for one in above),
        lambda: os.killpg(os.getpgid(pid), signal.SIGKILL),
    )
    tells.tried(
        "trace them, or change their limits and priority",
        lambda: checked(libc.ptrace(0x4206, pid, 0, 0)),  # PTRACE_SEIZE
        lambda: content(f"/proc/{pid}/mem"),
        lambda: content(f"/proc/{pid}/maps"),
        lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, 1)),
        lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
        lambda: os.sched_setaffinity(pid, {0}),
    )


# Gain ------------------------------------------------------------------------------------------------------


def gains(tells, goal):
    status = dict(line.split(":\t", 1) for line in content("/proc/self/status").decode().splitlines() if ":\t" in line)
    uids = [uid for uid in (0, 1, 61001) if uid != os.getuid()]
    tells.tried(
        "become another user",
        *(lambda uid=uid: os.setuid(uid) for uid in uids),
        *(lambda uid=uid: os.setgid(uid) for uid in uids),
        lambda: os.setgroups([0]),
    )
    tells.tried(
        "gain by a set-uid program",
        lambda: status["NoNewPrivs"].strip() != "1",
        lambda: checked(libc.prctl(38, 0, 0, 0, 0)),  # PR_SET_NO_NEW_PRIVS cannot be taken back
    )
    tells.tried(
        "hold or gain a capability",
        *(lambda name=name: int(status[name], 16) != 0 for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")),
        lambda: checked(libc.prctl(47, 2, 21, 0, 0)),  # PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN
    )
    tells.tried(
        "make a namespace",
        *(lambda flag=flag: checked(libc.unshare(flag)) for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000)),
        *(lambda flag=flag: cloned(goal["clone"], flag) for flag in (0x10000000, 0x20000000, 0x40000000)),
        lambda: cloned3(goal["clone3"]),
    )
    for reason, numbers in goal["calls"].items():
        tells.tried(f"call what {reason}", *(lambda number=number: called(number) for number in numbers))


def called(number):
    """Whether the kernel does the call, however badly: what is refused does not come to look at its arguments."""
    if libc.syscall(number, 0, 0, 0, 0, 0, 0) < 0 and ctypes.get_errno() in REFUSED:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def cloned(number, flag):
    pid = libc.syscall(number, flag | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    checked(pid)
    os.waitpid(pid, 0)


def cloned3(number):
    arguments = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, signal.SIGCHLD)
    pid = libc.syscall(number, arguments, ctypes.sizeof(arguments), 0, 0, 0)
    if pid == 0:
        os._exit(0)
    checked(pid)
    os.waitpid(pid, 0)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


# Take ------------------------------------------------------------------------------------------------------


def take(kind, amount):
    """Take so much of a kind and keep it; returns when that was refused, else never."""
    TAKES[kind](amount)
    print("holds", flush=True)
    while True:
        signal.pause()


def on_the_heap(amount):
    KEPT.append(bytearray(b"x") * amount)


def in_processes(amount):
    for _ in range(8):
        if os.fork() == 0:
            KEPT.append(bytearray(b"x") * (amount // 8))
            signal.pause()


def in_shared_memory(amount):
    area = mmap.mmap(-1, amount)
    for start in range(0, amount, MIB):
        area[start : start + MIB] = b"x" * MIB
    KEPT.append(area)


def in_segments(amount):
    libc.shmat.restype = ctypes.c_void_p
    for _ in range(amount // (8 * MIB)):
        segment = checked(libc.shmget(0, 8 * MIB, 0o1600))
        ctypes.memset(libc.shmat(segment, None, 0), 1, 8 * MIB)


def in_memory_files(amount):
    for _ in range(amount // (8 * MIB)):
        descriptor = os.memfd_create("probe")
        os.write(descriptor, b"x" * (8 * MIB))
        KEPT.append(descriptor)


def in_temporary_files(amount):
    fill(os.environ.get("TMPDIR", "/tmp"), amount)


def in_shm_files(amount):
    fill("/dev/shm", amount)


def in_page_tables(amount):
    # a table of 4 KiB for each piece of 2 MiB of which something was read: nothing
    pieces = amount // 4096
    area = mmap.mmap(-1, pieces * 2 * MIB, flags=0x4022, prot=mmap.PROT_READ)  # private, anonymous, not reserved
    KEPT.append((area, sum(area[piece * 2 * MIB] for piece in range(pieces))))


def in_semaphores(amount):
    for _ in range(amount // (2 * MIB)):
        checked(libc.semget(0, 32000, 0o1600))


def in_empty_files(amount):
    folder = os.environ.get("TMPDIR", "/tmp")
    for number in range(amount // 1024):
        os.close(os.open(f"{folder}/{number}", os.O_WRONLY | os.O_CREAT, 0o600))


def in_sockets(amount):
    sent = 0
    while sent < amount:
        pair = socket.socketpair()
        KEPT.append(pair)
        for one in pair:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += one.send(b"x" * 65536)


def fill(folder, amount):
    for number in range(amount // (4 * MIB)):
        with open(f"{folder}/fill-{number}", "wb") as file:
            file.write(b"x" * (4 * MIB))


def threads(count):
    threading.stack_size(64 * 1024)
    for _ in range(count):
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


def processes(count):
    for _ in range(count):
        if os.fork() == 0:
            signal.pause()


TAKES = {
    "memory on the heap": on_the_heap,
    "memory in many processes": in_processes,
    "shared memory": in_shared_memory,
    "shared memory segments": in_segments,
    "memory files": in_memory_files,
    "files in its temporary folder": in_temporary_files,
    "files in `/dev/shm`": in_shm_files,
    "buffers of sockets": in_sockets,
    "empty files": in_empty_files,
    "page tables": in_page_tables,
    "semaphores": in_semaphores,
    "processes": processes,
    "threads": threads,
}
KEPT = []


def burn(cpus):
    """Whether more processor time can be had than that of `cpus` CPUs, by processes that ask for every CPU."""
    read, write = os.pipe()
    began = time.monotonic()
    for _ in range(cpus + 2):
        if os.fork() == 0:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, range(os.cpu_count() or 1))
            while time.monotonic() - began < BURN_SECONDS:
                pass
            os.write(write, b"%f\n" % time.process_time())
            os._exit(0)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = sum(map(float, os.read(read, 65536).split()))
    return used > 1.5 * cpus * (time.monotonic() - began)


def main(arguments):
    if len(arguments) == 1:
        print(json.dumps(report(read_goal(arguments[0]))))
        return
    kind, amount = arguments[1], int(arguments[2])
    if kind == "CPUs":
        print("taken" if burn(amount) else "refused", flush=True)
        return
    try:
        take(kind, amount)
    except (OSError, RuntimeError, MemoryError) as error:
        print(f"refused: {error}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
