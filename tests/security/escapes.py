"""Runs `escape_probe.py` as a model, a build step and a scan, at one level of the sandbox, and makes the table of it.

`python tests/security/escapes.py` writes the columns of the levels that this host has into docs/sandbox.md.
"""

# what was found is for who runs it
# ruff: noqa: T201

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

from mop import errors
from mop.environments import BuildCommand, Environment
from mop.hosting.allowed_network import allowed_network
from mop.hosting.caged_scan import caged_scan
from mop.hosting.command import service_config
from mop.hosting.configuration import Configuration
from mop.hosting.running import held, reserve, running_service, wait_ready
from mop.hosting.structure import ModelFolder, check_structure
from mop.hosting.tools import HostTools
from mop.sandbox import EXIT_MEMORY, EXIT_SETUP
from mop.sandbox.system_calls import CLONE, CLONE3, DENIED, SystemCall
from mop.scanning.scanner import Subject
from mop.serving.frames import settings_frame
from mop.serving.local_host import LocalReservation
from security import escape_probe
from security.build_attack import Witness
from support.model_folders import write_model
from support.small_host import at_level, tools_in, with_environment

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
HEADING = "## What a job can do, by level"
LEVELS = (1, 2, 3)
JOBS = ("model", "build", "scan")
MEMORY_BYTES = 128 << 20
THREADS = 1024
"""What a model may start (`stages._limits`)."""
MINDED_SECONDS = 10
WORD = "a-word-that-no-job-may-find"
TAKES = {
    "hold more memory than its limit": dict.fromkeys(
        ("memory on the heap", "memory in many processes", "shared memory", "shared memory segments"), 2 * MEMORY_BYTES
    ),
    "hold more in memory files and temporary files": dict.fromkeys(
        ("memory files", "files in its temporary folder", "files in `/dev/shm`"), 2 * MEMORY_BYTES
    ),
    "hold more in the kernel: empty files, buffers of sockets, page tables, semaphores": dict.fromkeys(
        ("empty files", "buffers of sockets", "page tables", "semaphores"), 2 * MEMORY_BYTES
    ),
    "run more processes and threads than its limit": {"threads": THREADS + 8, "processes": THREADS + 8},
    "use more CPUs than its limit": {"CPUs": 1},
}

Report = dict[str, bool]


@dataclass
class Host:
    """What a job would like to get at, and the folders it is given."""

    tools: HostTools
    environment: Environment
    folder: Path
    witness: Witness
    bystander: subprocess.Popen[bytes]
    secrets: dict[str, list[str]]

    def goal(self, own: list[Path], *writable: Path, **more: Any) -> dict[str, Any]:
        """The goal of a job that was given `own` to read."""
        return {
            "secrets": self.secrets,
            "word": WORD[::-1],
            "code": errors.__file__,
            "doors": self.witness.goal,
            "pid": self.bystander.pid,
            "on_the_host": self.tools.sandbox.bwrap is None,
            "own": [str(path) for path in own],
            "writable": [str(path) for path in writable],
            "clone": number_of(CLONE),
            "clone3": number_of(CLONE3),
            "calls": {reason: [*filter(None, map(number_of, calls))] for reason, calls in DENIED.items()},
            **more,
        }

    def damage(self) -> list[str]:
        """What of the host's files is no longer as it was."""
        paths = [Path(path) for paths in self.secrets.values() for path in paths]
        return [str(path) for path in paths if not path.is_file() or _state(path) != (WORD, 0o666, 1000)]


def number_of(call: SystemCall) -> int | None:
    """A system call's number on this machine."""
    number: int | None = getattr(call, platform.machine())
    return number


def _state(path: Path) -> tuple[str, int, int]:
    state = path.stat()
    return path.read_text(encoding="utf-8"), state.st_mode & 0o777, int(state.st_mtime)


@contextmanager
def host(tools: HostTools, environment: Environment, folder: Path) -> Iterator[Host]:
    """A host with secrets, listening doors and a process of somebody else's.

    Args:
        tools: at the level to look at; its folders are the test's own.
        environment: of the models.
        folder: of the test's own, for builds and scans.
    """
    home, common = tools.folder.parent, Path(tempfile.mkdtemp(prefix="mop-common-", dir="/var/tmp"))
    common.chmod(0o777)
    secrets = {
        "MOP's database, tokens and settings": [home / "mop.db", home / "mop.toml"],
        "other models and their environments": [
            tools.folder / "other" / "src" / "inference.py",
            tools.environments.root / "envs" / "other" / "secret",
        ],
        "files that everybody on the host may read and write": [common / "secret"],
    }
    for path in [one for paths in secrets.values() for one in paths]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(WORD, encoding="utf-8")
        path.chmod(0o666)
        os.utime(path, (1000, 1000))
    witness = Witness(common)
    Path(witness.path).chmod(0o777)
    bystander = subprocess.Popen(
        [sys.executable, "-S", "-c", "input()", WORD],
        stdin=subprocess.PIPE,
        env={"MOP_DATABASE_URL": WORD, "PATH": os.defpath},
        start_new_session=True,
    )
    texts = {what: [str(path) for path in paths] for what, paths in secrets.items()}
    os.environ["MOP_OF_THE_WORKER"] = WORD
    try:
        yield Host(tools, environment, folder, witness, bystander, texts)
    finally:
        del os.environ["MOP_OF_THE_WORKER"]
        bystander.kill()
        bystander.communicate()
        witness.close()
        shutil.rmtree(common)


def model_folder(folder: Path) -> Path:
    """A model that tries to escape when it starts, and answers with its report."""
    start = "import escape_probe; self.report = escape_probe.as_model(os.path.join(os.getcwd(), 'goal.json'))"
    write_model(folder, init=start, inference="return self.report")
    shutil.copy(escape_probe.__file__, folder / "src" / "escape_probe.py")
    return folder


async def run(host: Host) -> dict[str, Report]:
    """What each job could do: by job, by what was tried."""
    found = {"model": await as_model(host), "build": as_build(host), "scan": as_scan(host)}
    if host.tools.sandbox.own_network:
        assert await as_model(host, "api.example") == found["model"]  # a way to some hosts leads nowhere else
    found["model"] |= takes(host)
    return found


async def as_model(host: Host, *allowed: str) -> Report:
    """A model in the service of a worker, started, asked and stopped as in onboarding; `allowed` are its hosts."""
    folder, tools = model_folder(host.tools.folder / "prober"), host.tools
    configuration = Configuration(cpus=1, memory_bytes=MEMORY_BYTES)
    reservation = await reserve("prober", owner="test", configuration=configuration, tools=tools, log=print)
    assert isinstance(reservation, LocalReservation)
    _write_goal(host, folder, front=str(reservation.folder / "s.sock"))
    async with held(reservation, tools), allowed_network(allowed, tools=tools, log=print) as network:
        config = service_config(
            "prober",
            model=check_structure(folder, wheel_bytes_max=1),
            environment=host.environment,
            configuration=configuration,
            tools=tools,
            network=network,
        )
        async with running_service(reservation, config, tools=tools, log=print) as service:
            await wait_ready(service, tools)
            answer = await service.score({"text": "a"}, mop=False)
    return _judged(host, "model", answer)


def as_build(host: Host) -> Report:
    """A step of a build, with the network that builds have at this level."""
    tools, folder = host.tools, _probe_folder(host, "build")
    scratch = folder.with_name("scratch")
    scratch.mkdir(exist_ok=True)
    tools.prepare_writable(scratch)
    probe, goal = folder / "escape_probe.py", folder / "goal.json"
    goal.write_text(json.dumps(host.goal([probe, goal], scratch)), encoding="utf-8")
    command = BuildCommand(
        argv=(str(host.environment.interpreter), "-I", str(probe), str(goal)),
        env={"TMPDIR": str(scratch)},
        cwd=scratch,
        interpreter=host.environment.interpreter,
        readable=(folder,),
        writable=(scratch,),
        network=not tools.sandbox.own_network,
    )
    return _judged(host, "build", _output(tools.cage(command)))


def as_scan(host: Host) -> Report:
    """The scanners' job."""
    folder = _probe_folder(host, "scan")
    probe, goal = folder / "escape_probe.py", folder / "goal.json"
    goal.write_text(json.dumps(host.goal([probe, goal])), encoding="utf-8")
    cage = caged_scan(host.tools.sandbox, Subject(model=folder, environment=host.environment.path))
    return _judged(host, "scan", _output(cage([sys.executable, "-I", str(probe), str(goal)])))


def takes(host: Host) -> Report:
    """What a model could take beyond its limits. Each kind has a model process of its own; they run side by side."""
    kinds = [(kind, amount) for amounts in TAKES.values() for kind, amount in amounts.items()]
    running = {kind: _start_take(host, number, kind, amount) for number, (kind, amount) in enumerate(kinds)}
    taken = {kind: _was_taken(*process) for kind, process in running.items()}
    return {what: any(taken[kind] for kind in amounts) for what, amounts in TAKES.items()}


def _start_take(host: Host, number: int, kind: str, amount: int) -> tuple[subprocess.Popen[str], socket.socket]:
    folder = model_folder(host.tools.folder / f"taker-{number}")
    _write_goal(host, folder, take=[kind, amount])
    config = service_config(
        "taker",
        model=check_structure(folder, wheel_bytes_max=1),
        environment=host.environment,
        configuration=Configuration(cpus=1, memory_bytes=MEMORY_BYTES),
        tools=host.tools,
    )
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            config.command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    ours.sendall(settings_frame(b'{"max_response_bytes": 1000, "init_deadline_s": 300}'))
    return process, ours


def _was_taken(process: subprocess.Popen[str], channel: socket.socket) -> bool:
    """Whether it got what it wanted: it says so, and for a good while nobody minds."""
    assert process.stdout is not None
    output: list[str] = []
    with channel, process.stdout:
        for line in process.stdout:
            output.append(line)
            if line == "holds\n":
                break
        try:
            process.wait(MINDED_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            process.wait()
            return True
    refused, taken = (any(line.startswith(word) for line in output) for word in ("refused", "taken"))
    assert process.returncode != EXIT_SETUP, output
    assert refused or taken or process.returncode == EXIT_MEMORY, (process.returncode, output)
    return taken


def _probe_folder(host: Host, name: str) -> Path:
    folder = host.folder / name / "given"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(escape_probe.__file__, folder / "escape_probe.py")
    return folder


def _write_goal(host: Host, folder: Path, **more: Any) -> ModelFolder:
    src = folder / "src"
    place = Path("/mop/src") if host.tools.sandbox.moves_mounts else src
    own = [place / "inference.py", place / "goal.json", place.parent / "model" / "words.txt"]
    own.append(host.environment.path / "pyvenv.cfg")
    (src / "goal.json").write_text(json.dumps(host.goal(own, **more)), encoding="utf-8")
    return check_structure(folder, wheel_bytes_max=1)


def _output(argv: list[str]) -> dict[str, Any]:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _judged(host: Host, job: str, answer: dict[str, Any]) -> Report:
    """The report, with what is only seen from outside."""
    for name, (worked, how) in answer.items():
        print(f"{job}: {'YES' if worked else 'no '} {name}: {how[:2000]}")
    found = {name: bool(worked) for name, (worked, _) in answer.items()}
    found["write files of MOP, of other models, of everybody"] = bool(host.damage())
    found["end a process of the host"] = host.bystander.poll() is not None
    return found


# The table -------------------------------------------------------------------------------------------------


def column(found: dict[str, Report]) -> dict[str, str]:
    """A level's cells: yes, no, or the only jobs that can; by what was tried."""
    names = list(dict.fromkeys(name for job in JOBS for name in found[job]))
    cells = {}
    for name in names:
        asked = [job for job in JOBS if name in found[job]]
        can = [job for job in asked if found[job][name]]
        cells[name] = "yes" if can == asked else ", ".join(can) or "no"
    return cells


def documented(text: str) -> dict[int, dict[str, str]]:
    """The table of the page: by level, by what was tried."""
    lines = text.partition(HEADING)[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {level: {row[0]: row[place] for row in rows[2:]} for place, level in enumerate(LEVELS, 1)}


def with_columns(text: str, columns: dict[int, dict[str, str]]) -> str:
    """The page with these columns instead of its own; others stay."""
    before, heading, rest = text.partition(HEADING)
    section, mark, after = rest.partition("\n## ")
    merged = documented(text) | columns
    names = list(columns[max(columns)])
    rows = [f"| {name} | {' | '.join(merged[level].get(name, '?') for level in LEVELS)} |" for name in names]
    table = ["| a job can | level 1 | level 2 | level 3 |", "| --- | --- | --- | --- |", *rows]
    lines = section.splitlines()
    inside = [place for place, line in enumerate(lines) if line.startswith("|")]
    lines[inside[0] : inside[-1] + 1] = table
    return before + heading + "\n".join([*lines, ""]) + mark + after


def measure(tools: HostTools, environment: Environment, folder: Path) -> dict[str, str]:
    """The column of the level of the tools."""
    folder.mkdir()
    with host(tools, environment, folder) as around:
        return column(asyncio.run(run(around)))


def main() -> None:
    """Write the columns of the levels that this host has."""
    root = Path(tempfile.mkdtemp(prefix="mop-e-", dir="/tmp"))
    columns = {}
    try:
        tools, environment = with_environment(tools_in(root))
        for level in LEVELS:
            try:
                caged = at_level(tools, level, root)
            except errors.SandboxUnavailableError as error:
                print(f"level {level} stays as it is written: {error.message}")
                continue
            columns[level] = measure(caged, environment, root / f"run-{level}")
    finally:
        shutil.rmtree(root)
    PAGE.write_text(with_columns(PAGE.read_text(encoding="utf-8"), columns), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support.settings")
    django.setup()
    main()
