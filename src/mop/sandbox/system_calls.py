"""The system calls that a caged job may not make, by reason. `seccomp` turns this list into a filter.

Everything else is allowed: models bring numerical libraries that use most of the rest. Numbers are the kernel's, for
x86_64 and aarch64 (None: that machine has no such call); from 424 on they are the same on every machine.
"""

from __future__ import annotations

from typing import NamedTuple


class SystemCall(NamedTuple):
    """A call by its name and its numbers."""

    name: str
    x86_64: int | None
    aarch64: int | None


def _same(name: str, number: int) -> SystemCall:
    return SystemCall(name, number, number)


NEWEST = 469
"""The newest call that this list knows (Linux 6.17); later ones are answered with ENOSYS, as an older kernel would."""

DENIED: dict[str, tuple[SystemCall, ...]] = {
    "changes what is mounted, or enters another namespace": (
        SystemCall("mount", 165, 40),
        SystemCall("umount2", 166, 39),
        SystemCall("pivot_root", 155, 41),
        SystemCall("chroot", 161, 51),
        SystemCall("unshare", 272, 97),
        SystemCall("setns", 308, 268),
        _same("open_tree", 428),
        _same("move_mount", 429),
        _same("fsopen", 430),
        _same("fsconfig", 431),
        _same("fsmount", 432),
        _same("fspick", 433),
        _same("mount_setattr", 442),
        _same("statmount", 457),
        _same("listmount", 458),
        _same("open_tree_attr", 467),
    ),
    "looks into or steers another process": (
        SystemCall("ptrace", 101, 117),
        SystemCall("process_vm_readv", 310, 270),
        SystemCall("process_vm_writev", 311, 271),
        SystemCall("kcmp", 312, 272),
        _same("pidfd_getfd", 438),
        _same("process_madvise", 440),
        SystemCall("perf_event_open", 298, 241),
    ),
    "reaches a part of the kernel that a model has no use for": (
        SystemCall("bpf", 321, 280),
        SystemCall("add_key", 248, 217),
        SystemCall("request_key", 249, 218),
        SystemCall("keyctl", 250, 219),
        SystemCall("userfaultfd", 323, 282),
        _same("io_uring_setup", 425),
        _same("io_uring_enter", 426),
        _same("io_uring_register", 427),
        SystemCall("fanotify_init", 300, 262),
        SystemCall("fanotify_mark", 301, 263),
        SystemCall("name_to_handle_at", 303, 264),
        SystemCall("open_by_handle_at", 304, 265),
        SystemCall("lookup_dcookie", 212, 18),
        SystemCall("modify_ldt", 154, None),
        SystemCall("move_pages", 279, 239),
        SystemCall("migrate_pages", 256, 238),
        SystemCall("vmsplice", 278, 75),
        SystemCall("nfsservctl", 180, 42),
        SystemCall("uselib", 134, None),
        SystemCall("sysfs", 139, None),
        _same("lsm_set_self_attr", 460),
    ),
    "administers the host": (
        SystemCall("init_module", 175, 105),
        SystemCall("finit_module", 313, 273),
        SystemCall("delete_module", 176, 106),
        SystemCall("kexec_load", 246, 104),
        SystemCall("kexec_file_load", 320, 294),
        SystemCall("reboot", 169, 142),
        SystemCall("swapon", 167, 224),
        SystemCall("swapoff", 168, 225),
        SystemCall("acct", 163, 89),
        SystemCall("quotactl", 179, 60),
        _same("quotactl_fd", 443),
        SystemCall("settimeofday", 164, 170),
        SystemCall("clock_settime", 227, 112),
        SystemCall("clock_adjtime", 305, 266),
        SystemCall("adjtimex", 159, 171),
        SystemCall("sethostname", 170, 161),
        SystemCall("setdomainname", 171, 162),
        SystemCall("iopl", 172, None),
        SystemCall("ioperm", 173, None),
        SystemCall("syslog", 103, 116),
        SystemCall("vhangup", 153, 58),
    ),
    "holds memory that nobody can count": (_same("memfd_secret", 447),),
}

UNCOUNTED: tuple[SystemCall, ...] = (
    # memory files and segments that no process maps are in no process's size: only a control group counts them
    SystemCall("memfd_create", 319, 279),
    SystemCall("shmget", 29, 194),
    # the same holds for what the kernel keeps of semaphores and queues: a set of 32,000 takes 2 MiB
    SystemCall("semget", 64, 190),
    SystemCall("msgget", 68, 186),
)
"""Denied as well where the watchdog stands in for a memory control group."""

SHARED_HOST: tuple[SystemCall, ...] = (
    # what namespaces would keep apart, and Landlock does not know
    SystemCall("shmat", 30, 196),
    SystemCall("mq_open", 240, 180),
    SystemCall("inotify_add_watch", 254, 27),
)
"""Denied as well where the job shares the host's namespaces."""

SAME_USER: tuple[SystemCall, ...] = (
    # files of MOP's own user belong to the job's user, and Landlock lets their owner, attributes and priority change
    SystemCall("chown", 92, None),
    SystemCall("lchown", 94, None),
    SystemCall("fchownat", 260, 54),
    SystemCall("setxattr", 188, 5),
    SystemCall("lsetxattr", 189, 6),
    SystemCall("removexattr", 197, 14),
    SystemCall("lremovexattr", 198, 15),
    _same("setxattrat", 463),
    _same("removexattrat", 466),
    _same("file_setattr", 469),
    SystemCall("setpriority", 141, 140),
    SystemCall("ioprio_set", 251, 30),
    SystemCall("sched_setparam", 142, 118),
    SystemCall("sched_setscheduler", 144, 119),
    SystemCall("sched_setattr", 314, 274),
)
"""Denied as well where the job runs as the user that MOP runs as."""

PRETENDED: tuple[SystemCall, ...] = (
    # copying a file sets its mode and times: a job in its own folder is not to fail of that
    SystemCall("chmod", 90, None),
    SystemCall("fchmodat", 268, 53),
    _same("fchmodat2", 452),
    SystemCall("utime", 132, None),
    SystemCall("utimes", 235, None),
    SystemCall("futimesat", 261, None),
    SystemCall("utimensat", 280, 88),
)
"""Answered with success and not done, where the job runs as the user that MOP runs as."""

BY_PATH_BEFORE_3 = SystemCall("truncate", 76, 45)
"""Not held by Landlock before its version 3."""

SIGNALS: tuple[SystemCall, ...] = (
    SystemCall("tkill", 200, 130),
    SystemCall("rt_sigqueueinfo", 129, 138),
    SystemCall("rt_tgsigqueueinfo", 297, 240),
    _same("pidfd_send_signal", 424),
)
"""Denied as well where Landlock does not keep a job from signalling others."""

# looked at with their arguments, see `seccomp`
CLONE = SystemCall("clone", 56, 220)
CLONE3 = _same("clone3", 435)
KILL = SystemCall("kill", 62, 129)
TGKILL = SystemCall("tgkill", 234, 131)
PRLIMIT64 = SystemCall("prlimit64", 302, 261)
SCHED_SETAFFINITY = SystemCall("sched_setaffinity", 203, 122)
IOCTL = SystemCall("ioctl", 16, 29)
PERSONALITY = SystemCall("personality", 135, 92)
SOCKET = SystemCall("socket", 41, 198)
