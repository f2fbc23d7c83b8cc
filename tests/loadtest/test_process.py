"""The generator's own process against real servers, over TCP, TLS and a unix socket."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from loadtest.servers import answer_ok, answers, serving, until
from loadtest.test_measure import Heard
from mop.errors import LoadGeneratorLostError, LoadTargetUnreachableError
from mop.loadtest import process
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.plan import Arrivals, Plan, Strategy
from mop.loadtest.process import Watched, cpus_beside, generate
from mop.loadtest.results import LoadTestResult
from mop.loadtest.steps import Ending
from mop.loadtest.utilization import Given
from mop.serving.meters import ProcessTree, ServiceMeter
from mop.serving.service import UsageSample

RPS = Plan(strategy=Strategy.PER_RPS, targets=(20, 40), duration_s=1, warm_up_s=0, seed=5)
CLIENTS = Plan(strategy=Strategy.PER_CONCURRENCY, targets=(1, 3), duration_s=0.5, warm_up_s=0.1)


async def test_per_rps_over_tcp_sends_each_request_once():
    async with serving(answer_ok) as (server, endpoint):
        heard = Heard()
        result = await generate(RPS, endpoint, listener=heard)
    assert result.ended is Ending.FINISHED
    assert [(step.target, step.requests.total) for step in result.steps] == [(20, 20), (40, 40)]
    # an overloaded machine may make requests time out; what was sent was sent once
    assert len(server.requests) == 60
    assert set(server.requests) == {endpoint.request()}
    assert heard.steps == list(result.steps)
    assert result.payload_sha256 == endpoint.payload_sha256
    assert set(result.generator) == {"mop", "numpy", "uvloop", "httptools", "python", "scheduling"}


async def test_per_concurrency_over_a_unix_socket_has_a_connection_for_each_client(tmp_path: Path):
    async with serving(answer_ok, uds=tmp_path / "s") as (server, endpoint):
        result = await generate(CLIENTS, endpoint, listener=Heard())
    assert [step.target for step in result.steps] == [1, 3]
    assert server.connections == 1 + 1 + 3  # the first looks whether anybody is there
    assert sum(step.requests.successful for step in result.steps) <= len(server.requests)
    assert result.steps[0].requests.successful > 0


async def test_https_is_verified(tmp_path: Path):
    tls, authorities = certificate(tmp_path)
    async with serving(answer_ok, tls=tls) as (server, endpoint):
        with pytest.raises(LoadTargetUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            await generate(RPS, endpoint, listener=Heard())
        trusting = replace(endpoint, ca_file=str(authorities))
        result = await generate(replace(RPS, targets=(5,)), trusting, listener=Heard())
        assert result.steps[0].requests.successful == len(server.requests) == 5
        with pytest.raises(LoadTargetUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            await generate(RPS, replace(trusting, host="127.0.0.1"), listener=Heard())


async def test_a_service_that_fails_ends_the_test_and_says_how():
    async with serving(answers(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")) as (_, endpoint):
        result = await generate(RPS, endpoint, listener=Heard())
    assert result.ended is Ending.FAILING
    (step,) = result.steps
    assert step.failures == {"status 503": step.requests.system_failed}
    assert step.latency_ms.p99 is None


async def test_a_service_that_never_answers_is_timed_out():
    async def never(_request: bytes, _writer: asyncio.StreamWriter) -> None:
        return None

    async with serving(never) as (_, endpoint):
        result = await generate(replace(RPS, targets=(5,), timeout_s=0.2), endpoint, listener=Heard())
    assert result.steps[0].failures == {"timeout": 5}


async def test_a_cancelled_test_gives_what_it_has(tmp_path: Path):
    async with serving(answer_ok, uds=tmp_path / "s") as (server, endpoint):
        cancelled = asyncio.Event()
        plan = replace(CLIENTS, targets=(2, 3), duration_s=600)
        running = asyncio.create_task(generate(plan, endpoint, listener=Heard(), cancelled=cancelled))
        await until(lambda: len(server.requests) > 20)
        cancelled.set()
        result = await running
    assert result.ended is Ending.CANCELLED
    assert [step.ended for step in result.steps] == ["cancelled"]


async def test_a_cancelled_task_leaves_no_process(tmp_path: Path):
    async with serving(answer_ok, uds=tmp_path / "s") as (server, endpoint):
        running = asyncio.create_task(generate(replace(CLIENTS, duration_s=600), endpoint, listener=Heard()))
        await until(lambda: server.requests)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not [pid for pid in ProcessTree(os.getpid()).pids() if "loadtest.generator" in command_of(pid)]


async def test_a_generator_without_owner_ends(tmp_path: Path):
    async with serving(answer_ok, uds=tmp_path / "s") as (server, endpoint):
        generator = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mop.loadtest.generator"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert generator.stdin is not None
        order = {"plan": replace(CLIENTS, duration_s=600).to_dict(), "endpoint": endpoint.to_dict()}
        generator.stdin.write(json.dumps(order).encode() + b"\n")
        await until(lambda: server.requests)
        generator.stdin.close()
        assert await generator.wait() == 0


async def test_a_generator_without_descriptors_blames_itself_and_not_the_service(tmp_path: Path):
    async with serving(answer_ok, uds=tmp_path / "s") as (_, endpoint):
        generator = await asyncio.create_subprocess_exec(
            *("prlimit", "--nofile=48:48", sys.executable, "-m", "mop.loadtest.generator"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert generator.stdin is not None
        assert generator.stdout is not None
        order = {"plan": replace(CLIENTS, targets=(60,)).to_dict(), "endpoint": endpoint.to_dict()}
        generator.stdin.write(json.dumps(order).encode() + b"\n")
        events = [json.loads(line) async for line in generator.stdout]
        generator.stdin.close()
        await generator.wait()
    (step,) = (event["step"] for event in events if event["event"] == "step")
    assert step["failures"]["generator's own limit"] > 0
    assert any(doubt.startswith("own: ") for doubt in step["untrusted_because"])


async def test_a_generator_that_is_killed_is_an_error_and_no_result(tmp_path: Path):
    async with serving(answer_ok, uds=tmp_path / "s") as (server, endpoint):
        running = asyncio.create_task(generate(replace(CLIENTS, duration_s=600), endpoint, listener=Heard()))
        await until(lambda: server.requests)
        (pid,) = (pid for pid in ProcessTree(os.getpid()).pids() if "loadtest.generator" in command_of(pid))
        os.kill(pid, 9)
        with pytest.raises(LoadGeneratorLostError, match="status -9"):
            await running


async def test_the_generator_runs_on_the_cpus_that_it_is_given_and_before_others_where_it_may(tmp_path: Path):
    cpu = min(os.sched_getaffinity(0))
    seen: set[frozenset[int]] = set()
    policies: set[int] = set()

    async def look(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        pids = [pid for pid in ProcessTree(os.getpid()).pids() if "loadtest.generator" in command_of(pid)]
        seen.update(frozenset(os.sched_getaffinity(pid)) for pid in pids)
        policies.update(os.sched_getscheduler(pid) for pid in pids)
        return await answer_ok(_request, writer)

    async with serving(look, uds=tmp_path / "s") as (_, endpoint):
        result = await generate(replace(RPS, targets=(5,), cpus=(cpu,)), endpoint, listener=Heard())
    assert seen == {frozenset({cpu})}
    assert policies == {os.SCHED_RR if may_go_before_others() else os.SCHED_OTHER}
    assert result.generator["scheduling"] == ("real time" if may_go_before_others() else "ordinary")


async def test_the_service_is_watched_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "SAMPLE_INTERVAL_S", 0.02)
    async with serving(answer_ok, uds=tmp_path / "s") as (_, endpoint):
        watched = Watched(ServiceMeter(ProcessTree(os.getpid())), Given(cpus=64, memory_bytes=1 << 40))
        result = await generate(replace(RPS, targets=(50,)), endpoint, listener=Heard(), watched=watched)
    used = result.steps[0].utilization
    assert used is not None
    assert used.cpu is not None
    assert 0 < used.cpu < 10
    assert used.memory is not None
    assert 0 < used.memory < 10
    assert (used.disk, used.gpu, used.gpu_memory) == (None, None, None)


async def test_a_meter_that_breaks_is_no_silent_gap(tmp_path: Path):
    def broken() -> UsageSample:
        raise RuntimeError("no such meter")

    async with serving(answer_ok, uds=tmp_path / "s") as (_, endpoint):
        with pytest.raises(RuntimeError, match="no such meter"):
            await generate(replace(RPS, targets=(1,)), endpoint, listener=Heard(), watched=Watched(broken, Given(1, 1)))


async def test_results_survive_their_json_form(tmp_path: Path):
    async with serving(answer_ok, uds=tmp_path / "s") as (_, endpoint):
        result = await generate(replace(RPS, arrivals=Arrivals.POISSON), endpoint, listener=Heard())
    assert LoadTestResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_cpus_beside_a_service():
    own = os.sched_getaffinity(0)
    assert cpus_beside(own) is None
    assert cpus_beside(set()) == tuple(sorted(own))


def may_go_before_others() -> bool:
    return subprocess.run(["chrt", "--rr", "1", "true"], check=False, capture_output=True).returncode == 0


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for `localhost`, and the file that those who trust it have."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(tz=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificates, private = folder / "certificate.pem", folder / "key.pem"
    certificates.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates, private)
    return context, certificates


def test_a_plan_and_a_target_survive_their_json_form():
    plan = replace(RPS, precision=0.05, cpus=(0, 1))
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    endpoint = Endpoint(host="::1", port=8, path="/a?b=c", headers=(("X-A", "b"),), payload=b"\x00\xff")
    assert Endpoint.from_dict(json.loads(json.dumps(endpoint.to_dict()))) == endpoint
