"""Find the strongest cage that works on this host, by running a job in each."""

from __future__ import annotations

import os
import platform
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from mop.errors import SandboxUnavailableError
from mop.sandbox.cgroup_search import find_controllers
from mop.sandbox.cgroups import sweep
from mop.sandbox.job import MIB, Job, Limits, SandboxLevel
from mop.sandbox.kernel import landlock_version
from mop.sandbox.landlocked import sweep_folders
from mop.sandbox.mounts import python_mounts
from mop.sandbox.sandbox import Sandbox
from mop.sandbox.seccomp import MACHINES

SERVICE_UID = 61000  # in no distribution's range; root's jobs run as this uid, which needs no account
SERVICE_ACCOUNT = "mop-jobs"  # the only account that may have it

_PLACES = "/usr/local/bin:/usr/bin:/bin"
_OLDEST_BWRAP = (0, 8)
_PROCESSES = 16
_WORKS = "caged"
_LOOKS = """
import _thread, os, time
assert "\\nSeccomp:\\t2\\n" in open("/proc/self/status").read(), "no system call is filtered"
"""
_LOOKS_IN_A_CAGE = f"""
assert os.getpid() < 10, "host processes are visible"
assert not os.path.exists("/etc/shadow") and not os.path.exists("/sys"), "host files are visible"
assert os.statvfs("/").f_flag & os.ST_RDONLY, "the root folder is writable"
started = 0
try:
    for started in range(4 * {_PROCESSES}):
        _thread.start_new_thread(time.sleep, (60,))
except RuntimeError:
    pass
assert 1 <= started <= {_PROCESSES}, f"{{started}} threads could start where {_PROCESSES} are allowed"
"""
_LOOKS_ON_THE_HOST = """
def refused(call, *arguments):
    try:
        call(*arguments)
    except PermissionError:
        return True
    return False
assert refused(os.listdir, "/etc") and refused(os.listdir, "/proc/1"), "host files can be read"
assert refused(open, os.path.dirname(os.environ["TMPDIR"]) + "/probe", "w"), "host files can be written"
import socket
assert refused(socket.socket), "the network can be reached"
"""
_TELLS = f"""
print({_WORKS!r}, flush=True)
os._exit(0)
"""
_TIMEOUT_S = 30


@dataclass(frozen=True)
class ProbeResult:
    """Whether a level works here.

    Attributes:
        level: the level.
        available: a job ran in it.
        parts: what holds it, when available.
        reason: why not, else "".
        hint: what to do about it, else "".
    """

    level: SandboxLevel
    available: bool
    parts: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""


def probe_sandbox(
    *,
    runtime_folder: Path,
    minimum: SandboxLevel = SandboxLevel.RLIMIT,
    forced: SandboxLevel | None = None,
    service_uid: int = SERVICE_UID,
    certificates: Path | None = None,
) -> Sandbox:
    """The strongest cage that works, or exactly the forced one.

    Takes about a quarter of a second; keep the result. Also removes the groups of supervisors that were killed.

    Args:
        runtime_folder: a folder of MOP's own; made when missing.
        minimum: the weakest level that will do.
        forced: try only this level.
        service_uid: the uid that jobs run as when this process is root.
        certificates: the bundle of trusted certificates for jobs with network; None for the host's own.

    Raises:
        SandboxUnavailableError: no level of at least the minimum works; says what is missing and how to fix it.
    """
    runtime_folder.mkdir(parents=True, exist_ok=True)
    levels = [forced] if forced else [level for level in SandboxLevel if SandboxLevel.NONE < level <= minimum]
    failed = []
    for level in levels:
        sandbox, result = _try_level(level, runtime_folder, service_uid, certificates)
        if sandbox:
            return sandbox
        failed.append(result)
    raise SandboxUnavailableError(
        "; ".join(f"level {result.level} ({result.level.name.lower()}): {result.reason}" for result in failed),
        hint=" ".join(dict.fromkeys(result.hint for result in failed)),
        place="sandbox",
    )


def describe_sandbox() -> list[ProbeResult]:
    """Every level: whether it works here, and if not why and how to fix it."""
    with tempfile.TemporaryDirectory(prefix="mop-probe-") as folder:
        levels = [level for level in SandboxLevel if level > SandboxLevel.NONE]
        return [_try_level(level, Path(folder), SERVICE_UID, None)[1] for level in levels]


def _try_level(
    level: SandboxLevel, runtime_folder: Path, service_uid: int, certificates: Path | None
) -> tuple[Sandbox | None, ProbeResult]:
    uid = service_uid if os.getuid() == 0 else None
    plain = Sandbox(level=level, runtime_folder=runtime_folder, service_uid=uid, certificates=certificates)
    try:
        if uid is not None:
            _check_uid(uid)
        candidates = _landlocked(plain) if level == SandboxLevel.LANDLOCK else _in_bubblewrap(plain)
        sandbox = _first_that_holds(candidates)
    except _MissingError as missing:
        return None, ProbeResult(level, available=False, reason=missing.reason, hint=missing.hint)
    return sandbox, ProbeResult(level, available=True, parts=sandbox.granted(_tiny_limits()).parts)


class _MissingError(Exception):
    """What a level needs and this host has not."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def _check_uid(uid: int) -> None:
    """Refuse a uid that is somebody's: jobs could reach that account's processes and files."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return
    if name != SERVICE_ACCOUNT:
        raise _MissingError(
            f"jobs would run as uid {uid}, which is that of {name}",
            "Set MOP_SANDBOX_UID to a uid that no account of this host has.",
        )


def _first_that_holds(candidates: list[Sandbox]) -> Sandbox:
    if platform.machine() not in MACHINES:
        raise _MissingError(
            f"the system calls of a {platform.machine()} are not known", "Use an x86_64 or aarch64 host."
        )
    trouble = ""
    for candidate in candidates:
        trouble = _run_tiny_job(candidate)
        if not trouble:
            return candidate
    raise _MissingError(trouble, _hint_of(trouble))


def _in_bubblewrap(plain: Sandbox) -> list[Sandbox]:
    bwrap = shutil.which("bwrap", path=_PLACES)
    if bwrap is None:
        raise _MissingError("bubblewrap is not installed", "Install it: `apt install bubblewrap`.")
    version = _bwrap_version(bwrap)
    if version < _OLDEST_BWRAP:
        raise _MissingError(
            f"bubblewrap {'.'.join(map(str, version))} is too old",
            "Install bubblewrap 0.8 or later (Debian 12, Ubuntu 24.04).",
        )
    controllers = find_controllers() if plain.level == SandboxLevel.CGROUP else []
    if plain.level == SandboxLevel.CGROUP:
        if not any(controller.name == "memory" for controller in controllers):
            raise _MissingError("this process may make no control group with a memory limit", _CGROUP_HINT)
        sweep(controllers)
    return [replace(plain, bwrap=Path(bwrap), controllers=tuple(controllers))]


def _landlocked(plain: Sandbox) -> list[Sandbox]:
    """As root under the service uid; where root may not mount, under its own without any capability."""
    version = landlock_version()
    if not version:
        raise _MissingError("the kernel has no Landlock", _LANDLOCK_HINT)
    sweep_folders(str(plain.runtime_folder))
    sandbox = replace(plain, landlock=version)
    return [sandbox, *([replace(sandbox, service_uid=None)] if sandbox.service_uid is not None else [])]


def _run_tiny_job(sandbox: Sandbox) -> str:
    """Run a job that looks around in the cage; returns what went wrong, or ""."""
    python = Path(sys.executable)
    looks = _LOOKS_ON_THE_HOST if sandbox.landlock else _LOOKS_IN_A_CAGE
    job = Job(
        argv=(str(python.resolve()), "-I", "-S", "-c", _LOOKS + looks + _TELLS),
        mounts=python_mounts(python),
        limits=_tiny_limits(),
        label="probe",
    )
    try:
        done = subprocess.run(  # noqa: PLW1510 - the status is looked at below
            sandbox.command(job), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return f"a tiny job did not end in {_TIMEOUT_S} s"
    if done.returncode == 0 and done.stdout.strip() == _WORKS:
        return ""
    return " / ".join(done.stderr.strip().splitlines()[-2:]) or f"a tiny job ended with status {done.returncode}"


def _tiny_limits() -> Limits:
    return Limits(cpus=1, memory_bytes=128 * MIB, processes=_PROCESSES, tmpfs_bytes=MIB, seconds=_TIMEOUT_S / 2)


def _bwrap_version(bwrap: str) -> tuple[int, ...]:
    done = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    return tuple(int(part) for part in re.findall(r"\d+", done.stdout))


_CGROUP_HINT = (
    "Run MOP as root on a host with writable control groups, or as a user with delegated ones: "
    "`systemd-run --user --scope -p Delegate=yes mop up`."
)
_LANDLOCK_HINT = (
    "Use Linux 5.13 or later with Landlock among its security modules (the boot option `lsm=landlock,...`)."
)
_SWITCHES = (
    ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
)


def _hint_of(trouble: str) -> str:
    """The exact command for the host's switches that stop a cage, else what the message points to."""
    commands = [
        command
        for name, stops, command in _SWITCHES
        if (switch := Path("/proc/sys") / name).is_file() and switch.read_text().strip() == stops
    ]
    if commands:
        return f"Allow user namespaces: `{'; '.join(commands)}` as root."
    if "mount proc" in trouble or "Operation not permitted" in trouble or "Permission denied" in trouble:
        return (
            "In a container, allow namespaces: "
            "`docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined ...`."
        )
    if "threads could start" in trouble:
        return "Use Linux 5.14 or later, which counts processes within the cage."
    return "Run `mop doctor`, and the named program by hand as the service user, to see what stops it."
