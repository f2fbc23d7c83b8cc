"""Sizes, depths and patience: what a request may be, and how long it may take."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mop.cli.serving_parts import parts
from mop.registry.models import Model
from support.api import Api
from support.browsing import client_of, form_token
from support.factories import make_model, make_task, make_token, make_user
from support.installation import free_port
from support.waiting import wait_for

TESTS = Path(__file__).parents[1]
MANY = 200_000


@pytest.fixture
def api(db: None) -> Api:
    return Api(token=make_token(make_user("olivia")))


def raw(api: Api, body: bytes) -> tuple[int, str]:
    """Status and error name of a POST with this body."""
    answer = api.client.post("/api/v1/models", body, content_type="application/json", headers=api._headers)
    return answer.status_code, answer.json()["name"]


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        (b'{"description": "' + b"x" * (5 * 1024**2) + b'"}', 413, "RequestTooLargeError"),
        (b"[" * MANY + b"]" * MANY, 400, "InvalidRequestError"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, 400, "InvalidRequestError"),
        (b'{"a": NaN}', 400, "InvalidRequestError"),
        (b'{"name": "a\\u0000b"}', 400, "InvalidRequestError"),
        (b"\xff\xfe", 400, "InvalidRequestError"),
        (b'{"a": 1' + b"0" * 5000 + b"}", 400, "InvalidRequestError"),
    ],
    ids=["large", "deep brackets", "deep objects", "NaN", "NUL", "no UTF-8", "long number"],
)
def test_a_body_of_the_api_has_its_limits(body: bytes, status: int, name: str, api: Api):
    assert raw(api, body) == (status, name)
    assert not Model.objects.exists()


def test_a_deep_sample_is_refused_by_a_form_too(db: None):
    owner = make_user("olivia")
    make_model("toxicity", owner=owner, tasks=(make_task("hate"),), version="v1.0.0")
    client = client_of(owner)
    form = {"version": "v2", "sample": "[" * MANY + "]" * MANY}
    token = form_token(client, "/models/toxicity/upgrade/")
    answer = client.post("/models/toxicity/upgrade/", {**form, "csrfmiddlewaretoken": token})
    assert answer.status_code in {400, 422}


def test_no_form_takes_a_file(db: None):
    upload = SimpleUploadedFile("big.bin", b"x" * 1000)
    answer = Client().post("/accounts/login/", {"login": "olivia", "password": "wrong", "file": upload})
    assert answer.status_code == 400


def test_a_form_has_a_limit_of_size_and_of_fields(db: None):
    page = "/accounts/login/"
    large = Client().post(page, "login=" + "x" * (6 * 1024**2), content_type="application/x-www-form-urlencoded")
    many = Client().post(page, {f"field{number}": "1" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)})
    assert (large.status_code, many.status_code) == (400, 400)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "a b", ""])
def test_a_host_that_is_not_ours_is_refused(host: str, db: None):
    for url in ("/accounts/login/", "/api/v1/me"):
        assert Client().get(url, headers={"Host": host}).status_code == 400


def test_a_forwarded_host_is_not_believed(db: None):
    answer = Client().get("/models/", headers={"X-Forwarded-Host": "evil.example"})
    assert answer.headers["Location"].startswith("/accounts/login/")


@contextlib.contextmanager
def hurried_portal(*more: str, stderr: int | None = None) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A portal with one thread and little patience, and its port; its other options are those of `mop up`."""
    port = free_port()
    portal, _ = parts("127.0.0.1", port)
    changes = {
        "mop.conf.wsgi:application": "security.hurried_portal:application",
        "--worker-class=mop.conf.portal_worker.PortalWorker": "--worker-class=security.hurried_portal.HurriedWorker",
        "--threads=8": "--threads=1",
    }
    assert set(changes) <= set(portal.argv)
    argv = [changes.get(argument, argument) for argument in portal.argv[1:]]
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, *argv, *more],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdin=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
    )
    try:
        wait_for(lambda: answers(port), seconds=60, what="the portal answers")
        yield process, port
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def hurried() -> Iterator[str]:
    with hurried_portal() as (_process, port):
        yield f"127.0.0.1:{port}"


def answers(port: int) -> bool:
    try:
        return ask(f"127.0.0.1:{port}").status_code == httpx.codes.OK
    except httpx.ConnectError:
        return False


def ask(address: str, **options: object) -> httpx.Response:
    return httpx.get(f"http://{address}/", trust_env=False, timeout=60, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-More: ",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nonly this",
        b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["line", "headers", "body", "an answer that is not read"],
)
def test_a_client_that_stops_keeps_nobody_out(begun: bytes, hurried: str):
    """The portal has one thread: who is answered after this got it back."""
    host, _, port = hurried.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as slow:
        slow.sendall(begun)
        assert ask(hurried).text == "0"


@pytest.mark.parametrize(
    "headers",
    [{"X-Long": "x" * 9000}, {f"X-{number}": "x" for number in range(70)}],
    ids=["a long header", "many headers"],
)
def test_headers_have_their_limits(headers: dict[str, str], hurried: str):
    assert 400 <= ask(hurried, headers=headers).status_code < 500


def test_a_portal_is_one_process_that_ends_in_order():
    with hurried_portal() as (process, _port):
        assert Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii") == ""
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_portal_that_hangs_ends_and_says_where():
    """`mop up` starts it again then. Its limit is a second here."""
    with hurried_portal("--timeout=1", stderr=subprocess.PIPE) as (process, port):
        with contextlib.suppress(httpx.HTTPError):
            ask(f"127.0.0.1:{port}/hang")
        assert process.wait(30) == 1
        assert process.stderr is not None
        assert "hurried_portal.py" in process.stderr.read()
