"""Run one job in its cage, hold it to its limits, and leave nothing behind.

    spawner ── supervisor (this) ── bwrap ── process 1 of the cage ── the job
                 │ cgroup or watchdog, deadline, signals

Every link dies with the one to its left: the supervisor by PR_SET_PDEATHSIG, bwrap likewise, the cage by
`--die-with-parent`. Without a cage's process 1 (levels 3 and 0) the spawner starts a guard (guard.py), and that the
supervisor. Standard library only, few imports: it starts with every model process.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from typing import Any, NoReturn

from mop.sandbox import bubblewrap, guard, kernel, landlocked, staging
from mop.sandbox.affinity import choose_cpus
from mop.sandbox.cgroups import Controller, JobCgroups
from mop.sandbox.exit_codes import EXIT_MEMORY, EXIT_SETUP, EXIT_TIME
from mop.sandbox.watchdog import Watchdog, processes_below

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_KILL_AGAIN_S = 0.01
_MANY_PROCESSES = 50  # so many are the reason for the memory


def supervise(plan: dict[str, Any], *, parent: int) -> int:
    """Run the plan's job to its end; returns the exit status for the supervisor.

    Args:
        plan: what `Sandbox.command` wrote.
        parent: the spawner's pid, read as early as possible.
    """
    # the parent may have blocked the very signals that end us, and a blocked mask is inherited
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    kernel.signal_on_parent_death(signal.SIGTERM)
    if os.getppid() != parent:
        return 128 + signal.SIGTERM
    if plan["bwrap"]:
        return _Supervisor(plan).run()
    return guard.run(lambda: _Supervisor(plan).run(), end_orphans=lambda: _end_orphans(plan))


def _end_orphans(plan: dict[str, Any]) -> None:
    """Kill what a killed supervisor left to its guard, and remove the private folder."""
    kill_descendants()
    if plan["landlock"]:
        landlocked.sweep_folders(plan["runtime_folder"])


class _Supervisor:
    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._ended_by: int | None = None
        self._wake, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _ENDING:
            signal.signal(number, self._end)
        kernel.adopt_orphans()
        self._cgroups = JobCgroups([Controller(*entry) for entry in plan["cgroups"]], plan["label"])
        self._cpus = choose_cpus(plan["affinity"], plan["runtime_folder"]) if plan["affinity"] else set()
        self._folder = landlocked.make_folder(plan) if plan["landlock"] else ""
        self._job = 0
        self._init: int | None = None
        self._status = -1

    def _end(self, number: int, _frame: object) -> None:
        self._ended_by = number

    def run(self) -> int:
        try:
            plan = self._plan
            self._cgroups.create(memory_bytes=plan["memory_bytes"], cpus=plan["cpus"], processes=plan["processes"])
            problem = self._start()
            result = (EXIT_SETUP, problem) if problem else self._watch()
        except OSError as error:
            result = (EXIT_SETUP, str(error))
        finally:
            kill_descendants()
            self._cgroups.remove()
            if self._folder:
                landlocked.remove_folder(self._folder)
        status, reason = result
        if reason:
            print(f"mop-sandbox: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - the contract's line
        return status

    # Start -------------------------------------------------------------------------------------------------

    def _start(self) -> str:
        """Fork the job; returns what went wrong, or ""."""
        trouble, tell = os.pipe2(os.O_CLOEXEC)
        self._status, status = os.pipe2(os.O_CLOEXEC)
        block, go = os.pipe2(os.O_CLOEXEC)
        supervisor = os.getpid()
        self._job = os.fork()
        if self._job == 0:
            self._become_job(supervisor, tell=tell, status=status, block=block)
        for descriptor in (tell, status, block):
            os.close(descriptor)
        self._let_go_of_streams()
        with os.fdopen(trouble, encoding="utf-8") as file:
            problem = file.read()
        if not problem and self._plan["bwrap"]:
            self._init = self._read_init()
            if self._init is not None and self._plan["limit_processes"]:
                problem = self._limit_processes(self._init)
        os.close(go)  # bubblewrap reads its end: it goes on
        return problem

    def _read_init(self) -> int | None:
        """The pid of the cage's process 1, which bubblewrap tells first; None when it ended before."""
        text = b""
        while not text.endswith(b"\n"):
            piece = os.read(self._status, 1)
            if not piece:
                return None
            text += piece
        return int(json.loads(text)["child-pid"])

    def _limit_processes(self, init: int) -> str:
        """Set RLIMIT_NPROC on the cage's process 1 from outside; returns what went wrong, or "".

        Set any earlier it would count all processes of the uid on the host. A process of that uid sets it: root in a
        container often lacks CAP_SYS_RESOURCE.
        """
        setter = os.fork()
        if setter == 0:
            status = 1
            try:
                if self._plan["uid"] is not None:
                    staging.become(self._plan["uid"])
                count = self._plan["processes"] + 1  # the cage's process 1 counts as well
                resource.prlimit(init, resource.RLIMIT_NPROC, (count, count))
                status = 0
            finally:
                os._exit(status)
        return "" if os.waitpid(setter, 0)[1] == 0 else "the number of processes could not be limited"

    @staticmethod
    def _let_go_of_streams() -> None:
        """Stdin and stdout are the job's alone: their other ends must see them close when it ends."""
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.close(null)

    def _become_job(self, supervisor: int, *, tell: int, status: int, block: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            for number in (*_ENDING, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.umask(0o022)
            self._cgroups.join()
            self._limit_self()
            argv, environment = self._prepare(status=status, block=block)
            kernel.signal_on_parent_death(signal.SIGKILL)
            kernel.forbid_new_privileges()
            if os.getppid() == supervisor:
                if self._folder:
                    landlocked.close_behind(self._plan, self._folder)
                os.execve(argv[0], argv, environment)  # noqa: S606 - there is no shell
        except OSError as error:
            os.write(tell, str(error).encode())
        finally:
            os._exit(EXIT_SETUP)

    def _limit_self(self) -> None:
        plan = self._plan
        if self._cpus:
            os.sched_setaffinity(0, self._cpus)
        for kind, value in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, plan["open_files"]),
            (resource.RLIMIT_FSIZE, plan["file_bytes"]),
        ):
            hard = resource.getrlimit(kind)[1]
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (most, most))
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123 - see staging
            file.write("1000")  # when the host itself runs out, the job goes before MOP does

    def _prepare(self, *, status: int, block: int) -> tuple[list[str], dict[str, str]]:
        """Drop privileges and make the command; for no cage at all, the job's own in its own folder."""
        plan = self._plan
        if self._folder:
            return landlocked.prepare(plan, self._folder)
        if not plan["bwrap"]:
            os.chdir(plan["cwd"])
            os.setsid()
            return plan["argv"], plan["env"]
        sources = [source for source, *_ in (*plan["mounts"], *plan["devices"])]
        if plan["uid"] is not None:
            sources = staging.stage(sources)
            staging.become(plan["uid"])
        for descriptor in (status, block):
            os.set_inheritable(descriptor, True)
        return bubblewrap.command(plan, sources, status=status, block=block), {}

    # Watch -------------------------------------------------------------------------------------------------

    def _watch(self) -> tuple[int, str]:
        """Wait for the job's end or bring it about; returns exit status and reason."""
        plan = self._plan
        deadline = None if plan["seconds"] is None else time.monotonic() + plan["seconds"]
        watchdog = None
        if plan["watchdog"]:
            own = not plan["network"]
            watchdog = Watchdog(
                plan["memory_bytes"],
                self._cpus,
                self._init,
                self._folder,
                own_network=own,
                most_processes=plan["processes"] if plan["watch_processes"] else None,
            )
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if self._cgroups.memory_events is not None:
            poll.register(self._cgroups.memory_events, self._cgroups.memory_mask)
        while True:
            exited = self._reap()
            if self._cgroups.out_of_memory() or (watchdog and watchdog.over_memory()):
                return EXIT_MEMORY, self._over_memory()
            if watchdog and watchdog.too_many_processes():
                return EXIT_MEMORY, f"over the limit of {plan['processes']} processes"
            if exited is not None:
                return self._explain(exited)
            if self._ended_by is not None:
                return 128 + self._ended_by, f"ended by {signal.Signals(self._ended_by).name}"
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return EXIT_TIME, f"over the time limit of {plan['seconds']:g} s"
            waits = [wait for wait in (left, watchdog.interval if watchdog else None) if wait is not None]
            poll.poll(max(1, int(min(waits) * 1000)) if waits else None)
            self._drain()

    def _over_memory(self) -> str:
        reason = f"over the memory limit of {self._plan['memory_bytes'] // 1024**2} MiB"
        count = sum(1 for _ in processes_below(os.getpid()))
        return f"{reason} with {count} processes" if count >= _MANY_PROCESSES else reason

    def _reap(self) -> int | None:
        """Collect ended children; the job's exit status once it is among them."""
        exited = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return exited
            if pid == 0:
                return exited
            if pid == self._job:
                code = os.waitstatus_to_exitcode(status)
                exited = code if code >= 0 else 128 - code

    def _explain(self, exited: int) -> tuple[int, str]:
        if not self._plan["bwrap"] or "exit-code" in os.read(self._status, 4096).decode():
            return exited, ""
        return EXIT_SETUP, "bubblewrap could not set up the cage"

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)


def kill_descendants() -> None:
    """Kill and collect every descendant of this process, which must be their subreaper.

    One that forks meanwhile is met in the next round, which follows at once: of a job that does nothing but fork and
    exit, a round meets only some.
    """
    killed: set[int] = set()
    while _reap_until_none_ended():
        met = {pid for pid, _ in processes_below(os.getpid())}
        for pid in met:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if met <= killed:  # they are ending
            time.sleep(_KILL_AGAIN_S)
        killed = met


def _reap_until_none_ended() -> bool:
    """Collect the children that have ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
