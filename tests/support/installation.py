"""A whole installation in processes of its own, looked at from outside: API, databases, processes.

    with running_installation(index_url=index.url) as mop:
        mop.start_worker()
        revision = mop.submit(write_model(mop.folders / "m1"))
        mop.wait(revision, "verified")

It has its own MOP_HOME and runtime folder; when it ends, nothing of it may be left on the machine.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from mop.cli.serving_parts import parts
from mop.failpoints import file_of
from mop.registry.statuses import RevisionStatus
from support.forked import execute, python, run_python
from support.postgres import make_database
from support.prepared import prepared_home, prepared_postgres
from support.traces import Process, leases_of, mounts_of, processes_of
from support.waiting import wait_for

READY_SECONDS = 60.0
END_SECONDS = 20.0
PIPELINE_SECONDS = 90.0
TESTS = Path(__file__).parents[1]
FINAL = [status.value for status in RevisionStatus if status.is_final]
CHAIN = (
    "created",
    "dataDownloaded",
    "environmentCreating",
    "environmentCreated",
    "endpointCreating",
    "endpointCreated",
    "deploymentCreating",
    "deploymentCreated",
    "verified",
)


@dataclass(frozen=True)
class Submitted:
    """A revision by its address in the API."""

    id: str
    model: str
    version: str

    @property
    def path(self) -> str:
        return f"/models/{self.model}/revisions/{self.version}"


class Installation:
    """Starts, kills and watches the processes of one installation.

    Args:
        root: a short private folder.
        options: settings by their names without `MOP_`, in lower case.
    """

    def __init__(self, root: Path, **options: object) -> None:
        self.root = root
        self.runtime = root / "run"
        self.folders = root / "folders"
        self.folders.mkdir()
        self._failpoints = root / "failpoints"
        self._failpoints.mkdir()
        self.port = free_port()
        self._options = options | ({"failpoints": self._failpoints} if options.get("chaos") else {})
        self._running: list[subprocess.Popen[bytes]] = []
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._portal: subprocess.Popen[bytes] | None = None
        self._begun: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._cgroups: set[Path] = set()
        self.username = self.password = self.administrator_token = self.reviewer_token = ""
        # the portal closes a connection that nobody used for 2 seconds
        limits = httpx.Limits(keepalive_expiry=1)
        address = f"http://127.0.0.1:{self.port}/api/v1"
        self.api = httpx.Client(base_url=address, timeout=30, trust_env=False, limits=limits)

    # Processes ---------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Databases, a person with a token, and tasks: copied from those that this test process made once."""
        home = self.root / "home"
        made = prepared_postgres(str(url), home) if (url := self._options.get("database_url")) else prepared_home(home)
        self.username, self.password = made.username, made.password
        self.administrator_token = made.administrator_token
        self.reviewer_token = made.reviewer_token
        self.api.headers["Authorization"] = f"Bearer {made.token}"

    def environment(self, **changes: object) -> dict[str, str]:
        """The environment of the installation's processes; `changes` are further options."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
        options = {
            "home": self.root / "home",
            "runtime_folder": self.runtime,
            "file_roots": self.folders,
            "interpreter_folders": sys.base_prefix,
            "source_prefixes": '[{"team": "*", "purpose": "models", "prefix": "*"}]',
            "advisories": "off",
            "worker_stale_seconds": 20,  # a machine that tests keep busy is slow, not dead
            **self._options,
            **changes,
        }
        return inherited | {
            "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
            "PYTHONPATH": str(TESTS),
            **{f"MOP_{name.upper()}": str(value) for name, value in options.items()},
        }

    def start_portal(self, *, executed: bool = False, **changes: object) -> subprocess.Popen[bytes]:
        """The portal as `mop up` starts it; returns when it answers."""
        command = [sys.executable, *self._portal_arguments()]
        self._portal = process = self.start("portal", command, executed=executed, **changes)
        wait_for(self.answers, seconds=READY_SECONDS, what="the portal answers", note=lambda: self.output("portal"))
        return process

    def start_worker(
        self,
        name: str = "w1",
        *,
        module: str = "mop.worker",
        executed: bool = False,
        may_die: bool = False,
        **changes: object,
    ) -> subprocess.Popen[bytes]:
        """A worker; returns when it takes work.

        Args:
            name: of the worker.
            module: what is run.
            executed: never forked from the fork server.
            may_die: of SIGKILL before it is ready. The engine goes on with unfinished work while the worker still
                starts, and that work may reach a failpoint first.
            changes: further options.
        """
        process = self.start(name, self.worker_command(name, module=module), executed=executed, **changes)
        wait_for(
            lambda: process.poll() is not None or "ready\n" in self.output(name),
            seconds=READY_SECONDS,
            what=f"{name} is ready",
            note=lambda: self.output(name),
        )
        died = process.poll()
        assert died is None or (may_die and died == -signal.SIGKILL), self.output(name)
        self._workers[process.pid] = process
        return process

    def worker_command(self, name: str, *, module: str = "mop.worker") -> list[str]:
        """How a worker is started."""
        return [sys.executable, "-m", module, "--name", name]

    def start(
        self, name: str, argv: Sequence[str], *, executed: bool = False, **changes: object
    ) -> subprocess.Popen[bytes]:
        """A process of the installation; its output goes to a file of that name.

        Args:
            name: of the file.
            argv: the command line.
            executed: never forked from the fork server.
            changes: further options.
        """
        start = execute if executed else python
        with (self.root / f"{name}.log").open("ab") as log:
            self._begun[name] = log.tell()
            process = start(
                argv,
                env=self.environment(**changes),
                death_signal=signal.SIGTERM,  # a test run that is killed takes its installation along
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._running.append(process)
        return process

    def run(self, *argv: str, seconds: float = READY_SECONDS, **changes: object) -> subprocess.CompletedProcess[str]:
        """What `python ...` beside the installation ends with."""
        return run_python([sys.executable, *argv], env=self.environment(**changes), timeout=seconds)

    def kill(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> None:
        """End a process with a signal and reap it; what it started must end too, within seconds."""
        self.processes()
        process.send_signal(number)
        process.wait(END_SECONDS)
        # a test that failed in between may end it again
        self._running = [other for other in self._running if other is not process]
        self._workers.pop(process.pid, None)

    def arm(self, *failpoints: str) -> None:
        """Whoever reaches one of these is killed there, once; see `mop.failpoints`. The installation needs CHAOS."""
        for name in failpoints:
            file_of(self._failpoints, name).touch()

    def disarm(self) -> None:
        """Nobody is killed at a failpoint any more."""
        for path in self._failpoints.iterdir():
            path.unlink(missing_ok=True)

    def armed(self) -> list[str]:
        """Failpoints that nobody reached yet."""
        return sorted(path.name for path in self._failpoints.iterdir())

    def stop_workers(self) -> None:
        """End every worker politely."""
        for worker in [*self._workers.values()]:
            self.kill(worker, signal.SIGTERM)

    def see_portal_again(self) -> httpx.Client:
        """Wait for the portal after its death; it is started again as `mop up` does."""

        def answers() -> bool:
            if self._portal is not None and self._portal.poll() is not None:
                self.kill(self._portal)
                self.start_portal()
            return self.answers()

        with contextlib.suppress(httpx.TransportError):
            self.api.get("/tasks")  # may meet the dead process's connection
        wait_for(answers, seconds=60, what="the portal answers again", note=lambda: self.output("portal"))
        return self.api

    def stop_portal(self) -> None:
        """End the portal politely."""
        assert self._portal is not None
        self.kill(self._portal, signal.SIGTERM)

    def leave_clean(self) -> None:
        """End what a test of an installation that goes on started, and assert that nothing of it is left."""
        self.disarm()
        rows = self.rows(
            "select m.name, r.status, t.state from registry_model m join registry_revision r on r.model_id = m.id"
            " left join loadtest_loadtest t on t.revision_id = r.id"
        )
        # of a test that failed half way: the next one's worker would go on with it
        for name in {name for name, status, test in rows if status not in FINAL or test in {"queued", "running"}}:
            self.call("DELETE", f"/models/{name}", status=204)
        self.stop_workers()
        self.assert_idle()

    def processes(self, *words: str) -> list[Process]:
        """Living processes of the installation whose command holds one of `words`; none given: all."""
        found = processes_of(self.root)
        for process in found:
            self._cgroups |= process.cgroups
        return [process for process in found if not words or any(word in process.command for word in words)]

    def children(self) -> list[Process]:
        """Living processes that the installation started itself: builds, snapshots, fronts, models."""
        own = {process.pid for process in self._running}
        return [process for process in self.processes() if process.pid not in own]

    def listing(self) -> str:
        """What the installation started itself, for messages."""
        return "\n".join(f"{process.pid} {process.command[:300]}" for process in self.children())

    def output(self, name: str) -> str:
        """What a process wrote since a process of that name was started last."""
        with contextlib.suppress(FileNotFoundError), (self.root / f"{name}.log").open("rb") as log:
            log.seek(self._begun.get(name, 0))
            return log.read().decode(errors="replace")
        return ""

    def stop(self) -> None:
        """End everything, and assert that nothing is left."""
        self.processes()
        for process in self._running:
            process.terminate()
        for process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)
        try:
            self.assert_nothing_left()
        finally:
            for process in self._running:
                process.kill()
                process.wait()
            for left in self.processes():
                os.kill(left.pid, signal.SIGKILL)
            self._running = []
            self.api.close()

    def assert_nothing_left(self) -> None:
        """No process, no control group, no mount of the installation; leases go with the next worker."""
        wait_for(
            lambda: not self.processes(),
            seconds=END_SECONDS,
            what="every process ended",
            note=lambda: "\n".join(f"{process.pid} {process.command[:300]}" for process in self.processes()),
        )
        self.assert_no_groups()
        assert mounts_of(self.root) == []

    def assert_no_groups(self) -> None:
        """Of every control group that a process of the installation was seen in, none stands."""
        wait_for(
            lambda: not any(folder.exists() for folder in self._cgroups),
            seconds=END_SECONDS,
            what="every control group is removed",
            note=lambda: str([str(folder) for folder in self._cgroups if folder.exists()]),
        )

    def assert_idle(self) -> None:
        """Portal and worker run, and nothing that they started: no process, lease, socket or control group."""
        wait_for(
            lambda: not self.children() and not self.leases(),
            seconds=END_SECONDS,
            what="nothing runs any more",
            note=lambda: f"{self.listing()}\n{self.leases()}",
        )
        groups = {group for process in self.processes() for group in process.cgroups}
        assert not groups
        self.assert_no_groups()
        assert mounts_of(self.root) == []

    def leases(self) -> list[Path]:
        """Folders of services."""
        return leases_of(self.runtime)

    # Revisions ---------------------------------------------------------------------------------------------

    def submit(self, folder: Path | str, **fields: Any) -> Submitted:
        """Add a model with its first version, connected to the task `bad words` as its taxonomy of that name."""
        body = {
            "name": f"model-{next(self._numbers)}",
            "team": "the team",
            "model_url": folder if isinstance(folder, str) else folder.as_uri(),
            "connections": [{"task": "bad words", "customized_name": "bad words"}],
            "load_test_option": "off",  # it would have the host to itself for a while
        } | fields
        answer = self.call("POST", "/models", body)
        return Submitted(answer["id"], answer["model"], answer["version"])

    def call(self, method: str, path: str, body: object = None, *, status: int | None = None) -> Any:
        """One call of the API; its JSON. `status` is what it must answer, any success if left out."""
        response = self.api.request(method, path, json=body)
        assert response.status_code == status if status else response.is_success, response.text
        return response.json() if response.content else None

    @contextlib.contextmanager
    def as_administrator(self) -> Iterator[None]:
        """Calls of the API in the block are an administrator's."""
        own = self.api.headers["Authorization"]
        self.api.headers["Authorization"] = f"Bearer {self.administrator_token}"
        try:
            yield
        finally:
            self.api.headers["Authorization"] = own

    def told(self, title: str) -> dict[str, Any]:
        """The owner's notification of that title; those of other tests' models stand among them."""
        items = self.call("GET", "/notifications?limit=200")["items"]
        return next(one for one in items if one["title"] == title)

    def show(self, revision: Submitted) -> dict[str, Any]:
        """The revision as the API gives it."""
        shown: dict[str, Any] = self.call("GET", revision.path)
        return shown

    def wait(self, revision: Submitted, *statuses: str, seconds: float = PIPELINE_SECONDS) -> dict[str, Any]:
        """Wait until the revision is in one of `statuses`; an end that is not among them fails at once."""

        seen = ""

        def arrived() -> dict[str, Any] | None:
            nonlocal seen
            # read beside the portal, whose answers cost CPU that the pipeline could have
            if (status := self.status(revision)) == seen:
                return None
            shown = self.show(revision)
            if shown["status"] in statuses:
                return shown
            assert not shown["is_final"], self.story(revision)
            seen = status if shown["status"] == status else ""
            return None

        return wait_for(
            arrived, seconds=seconds, what=f"{revision.model} is {statuses}", note=lambda: self.story(revision)
        )

    def status(self, revision: Submitted) -> str:
        """The revision's status in the database."""
        rows = self.rows("select status from registry_revision where id = ?", revision.id.replace("-", ""))
        return str(rows[0][0]) if rows else ""

    def events(self, revision: Submitted) -> list[tuple[int, str]]:
        """Attempt and status of every event, oldest first."""
        items = self.call("GET", f"{revision.path}/events")["items"]
        return [(item["attempt"], item["status"]) for item in items]

    def log(self, revision: Submitted, kind: str) -> list[str]:
        """The lines of a log."""
        items = self.call("GET", f"{revision.path}/logs/{kind}?limit=5000")["items"]
        return [item["text"] for item in items]

    def story(self, revision: Submitted) -> str:
        """Everything that is known, for a failed assertion."""
        lines = [json.dumps(self.show(revision)["error"]), str(self.call("GET", f"{revision.path}/events")["items"])]
        for kind in ("build", "deployment"):
            lines += [f"{kind}: {line}" for line in self.log(revision, kind)]
        return "\n".join([*lines, *(self.output(log.stem)[-6000:] for log in self.root.glob("*.log"))])

    def assert_each_status_once(self, revision: Submitted, *, ending: tuple[str, ...] = CHAIN) -> None:
        """Every attempt entered each of its statuses once, in events as in the audit log; the last went as `ending`."""
        events = self.events(revision)
        assert len(events) == len(set(events)), events
        last = max(attempt for attempt, _ in events)
        assert tuple(status for attempt, status in events if attempt == last) == ending, events
        audited = [
            (data["attempt"], data["to"])
            for (data,) in self.rows(
                "select data from audit_auditevent where action = 'revision.status' and object_id = ? order by id",
                revision.id,
            )
        ]
        assert audited == events

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of MOP's database, read beside its processes; the column `data` is read as JSON."""
        if url := self._options.get("database_url"):
            with psycopg.connect(str(url), autocommit=True) as server:
                return server.execute(query.replace("?", "%s").encode(), values).fetchall()
        with contextlib.closing(sqlite3.connect(f"file:{self.root}/home/mop.db?mode=ro", uri=True)) as connection:
            cursor = connection.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [
                tuple(json.loads(value) if name == "data" else value for name, value in zip(names, row, strict=True))
                for row in cursor
            ]

    def execute(self, statement: str, *values: object) -> None:
        """Change rows of MOP's database beside its processes, as another host would."""
        if url := self._options.get("database_url"):
            with psycopg.connect(str(url), autocommit=True) as server:
                server.execute(statement.replace("?", "%s").encode(), values or None)
            return
        with contextlib.closing(sqlite3.connect(self.root / "home" / "mop.db", timeout=30)) as connection, connection:
            connection.execute(statement, values)

    def answers(self) -> bool:
        """Whether the portal answers."""
        with contextlib.suppress(httpx.TransportError):
            return self.api.get("/tasks").status_code < httpx.codes.INTERNAL_SERVER_ERROR
        return False

    def _portal_arguments(self) -> tuple[str, ...]:
        portal, _ = parts("127.0.0.1", self.port)
        return tuple(portal.argv[1:])


@contextlib.contextmanager
def running_installation(*, portal: bool = True, **options: object) -> Iterator[Installation]:
    """A fresh installation with its portal running; a worker is started by the test.

    In a run on PostgreSQL it has a database of its own on the run's server, unless `database_url` says otherwise.

    Args:
        portal: False leaves the portal to the test too.
        options: settings by their names without `MOP_`, in lower case.
    """
    root = Path(tempfile.mkdtemp(prefix="mop-i-", dir="/tmp"))
    if server := os.environ.get("MOP_TEST_SERVER"):
        options.setdefault("database_url", make_database(server, root.name))
    installation = Installation(root, **options)
    try:
        installation.prepare()
        if portal:
            installation.start_portal()
        yield installation
    finally:
        try:
            installation.stop()
        finally:
            shutil.rmtree(root, ignore_errors=True)


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
