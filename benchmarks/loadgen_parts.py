"""What benchmarks/loadgen.py compares the generator with, and the servers that both ask."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service_models import make_environment

from mop.loadtest.endpoint import Endpoint
from mop.loadtest.plan import Plan, Strategy
from mop.loadtest.process import generate
from mop.loadtest.results import Progress, StepResult

LOCUST = ("locust==2.47.0",)
START_DEADLINE_S = 20
NGINX = """
daemon off; master_process off; worker_processes 1; error_log stderr; pid {place}/pid;
events {{ worker_connections 8192; multi_accept on; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75s;
  client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;
  uwsgi_temp_path {place}/d; scgi_temp_path {place}/e;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "ok"; }} }}
}}
"""


@dataclass(frozen=True)
class Cores:
    """Where the server runs, and where the client does; the same where there is one CPU."""

    server: int
    client: int

    @classmethod
    def of_this_host(cls) -> Cores:
        """The first and the last that this process may use."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[-1])


class Quiet:
    """A listener that does not listen."""

    def progress(self, _progress: Progress) -> None:
        """Nothing."""

    def step(self, _result: StepResult) -> None:
        """Nothing."""


@contextmanager
def nginx(cores: Cores) -> Iterator[int]:
    """A server that answers at once; gives its port on 127.0.0.1."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise SystemExit("nginx is missing: apt-get install nginx-light")
    with tempfile.TemporaryDirectory(prefix="mop-") as place:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        configuration = Path(place, "nginx.conf")
        configuration.write_text(NGINX.format(place=place, port=port))
        with subprocess.Popen(_on(cores.server, program, "-p", place, "-c", configuration)) as process:
            try:
                _wait_for(port)
                yield port
            finally:
                process.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + START_DEADLINE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def stalling_server(cores: Cores, *, period_s: float, stall_s: float) -> Iterator[Endpoint]:
    """A server that stands still for the first part of every period."""
    script = Path(__file__).with_name("loadgen_stalling.py")
    with tempfile.TemporaryDirectory(prefix="mop-") as place:
        path = f"{place}/socket"
        argv = _on(cores.server, sys.executable, script, path, str(period_s), str(stall_s))
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                yield Endpoint(host="stalling", uds=path, method="GET")
            finally:
                process.terminate()


async def ours(
    endpoint: Endpoint,
    cores: Cores,
    strategy: Strategy,
    count: int,
    seconds: float,
    *,
    seed: int,
    warm_up_s: float = 1,
) -> StepResult:
    """One step of the generator."""
    plan = Plan(
        strategy=strategy,
        targets=(count,),
        duration_s=seconds,
        warm_up_s=warm_up_s,
        cpus=(cores.client,),
        seed=seed,
    )
    result = await generate(plan, endpoint, listener=Quiet())
    return result.steps[0]


def wrk(port: int, cores: Cores, clients: int, seconds: float) -> tuple[float, float]:
    """Requests per CPU second of wrk, and requests a second."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    whole = max(1, round(seconds))  # it takes no parts of seconds
    argv = _on(cores.client, program, "-t1", f"-c{clients}", f"-d{whole}s", f"http://127.0.0.1:{port}/")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, told
    requests = next(int(line.split()[0]) for line in told.splitlines() if "requests in" in line)
    return requests / (used.ru_utime + used.ru_stime), requests / whole


def make_floor(cache: Path) -> Path | None:
    """The program of loadgen_floor.c; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    cache.mkdir(parents=True, exist_ok=True)
    program = cache / "loadgen_floor"
    subprocess.run([compiler, "-O2", "-o", program, Path(__file__).with_name("loadgen_floor.c")], check=True)
    return program


def floor(program: Path, port: int, cores: Cores, clients: int, seconds: float) -> tuple[float, float]:
    """Requests per CPU second of the system calls alone, and requests a second."""
    argv = _on(cores.client, program, str(port), str(clients), str(seconds))
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    requests, user, system = map(float, told.split())
    return requests / (user + system), requests / seconds


def locust(cache: Path, port: int, cores: Cores, clients: int, seconds: float) -> tuple[float, float]:
    """Requests per CPU second of locust's FastHttpUser, and requests a second."""
    python = make_environment(cache / "locust", LOCUST)
    whole = max(2, round(seconds))
    with tempfile.TemporaryDirectory(prefix="mop-") as place:
        result = Path(place, "result")
        options = f"--headless --only-summary --loglevel ERROR -u {clients} -r {clients} -t {whole}s".split()
        script = Path(__file__).with_name("loadgen_locustfile.py")
        argv = _on(cores.client, python, "-m", "locust", "-f", script, *options, "-H", f"http://127.0.0.1:{port}")
        done = subprocess.run(
            argv, env={**os.environ, "LOADGEN_RESULT": str(result)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        figures = json.loads(result.read_text())
    assert figures["failures"] == 0
    return figures["requests"] / figures["cpu_s"], figures["requests"] / whole


def _on(cpu: int, *argv: str | Path) -> list[str | Path]:
    return ["taskset", "-c", str(cpu), *argv]
