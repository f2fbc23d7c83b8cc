"""Calls against a small server of their own: what is sent again, how lists are read, what errors become."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mop_client import (
    BundleFailedError,
    Client,
    ConflictError,
    InvalidError,
    NoCredentialsError,
    NotFoundError,
    UnreachableError,
    WaitTimeoutError,
)
from mop_client.credentials import Credentials, find_credentials
from mop_client.errors import ServerError, TooManyRequestsError
from mop_client.transport import Transport


@contextmanager
def answering(*answers):
    """A server that gives these answers in turn, the last for ever: (status, body, headers)."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            length = int(self.headers.get("Content-Length", 0))
            asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            status, body, *headers = answers[min(len(asked), len(answers)) - 1]
            if status is None:
                self.connection.close()
                return
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any  # noqa: N815 - the standard library's names

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def transport(url):
    pauses = []
    return Transport(Credentials(url, "mop_secret"), sleep=pauses.append), pauses


PROBLEM = {
    "name": "ValidationFailedError",
    "message": "version: taken",
    "hint": "Choose another.",
    "type": "https://mop.example/help/errors/",
    "fields": {"version": ["taken"]},
    "also": [],
}


def test_a_call_that_got_lost_is_sent_again_under_the_same_idempotency_key():
    with answering((None, b""), (503, {}), (201, {"id": 1})) as (url, asked):
        server, pauses = transport(url)
        assert server.post("models", body={"a": 1}) == {"id": 1}
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in asked}
    assert (len(asked), len(keys), len(pauses)) == (3, 1, 2)
    assert {body for *_, body in asked} == {asked[0][3]}


def test_two_calls_have_two_keys():
    with answering((201, {})) as (url, asked):
        server, _ = transport(url)
        server.post("models")
        server.post("models")
    assert asked[0][2]["Idempotency-Key"] != asked[1][2]["Idempotency-Key"]


def test_a_busy_server_is_asked_again_when_it_says():
    with answering((429, {}, ("Retry-After", "7")), (200, {"ok": True})) as (url, _):
        server, pauses = transport(url)
        assert server.get("me") == {"ok": True}
        assert pauses == [7.0]


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFoundError), (409, ConflictError), (412, ConflictError), (422, InvalidError)]
)
def test_a_refusal_is_not_sent_again_and_has_its_own_class(status, kind):
    with answering((status, PROBLEM)) as (url, asked):
        server, _ = transport(url)
        with pytest.raises(kind) as caught:
            server.get("models")
    error = caught.value
    assert len(asked) == 1
    assert (error.name, error.hint, error.fields) == (
        "ValidationFailedError",
        "Choose another.",
        {"version": ["taken"]},
    )
    assert "hint: Choose another." in str(error)


def test_after_all_tries_the_last_answer_is_the_error():
    with answering((503, PROBLEM)) as (url, asked):
        server, _ = transport(url)
        with pytest.raises(ServerError):
            server.get("me")
        assert len(asked) == 4
    with answering((429, PROBLEM)) as (url, _):
        server, _ = transport(url)
        with pytest.raises(TooManyRequestsError):
            server.get("me")


def test_a_server_that_is_away_is_unreachable():
    server, pauses = transport("http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="ConnectError"):
        server.get("me")
    assert len(pauses) == 3


def test_what_is_no_mop_server_is_said():
    says_nothing = pytest.raises(UnreachableError, match="nothing that a MOP server says")
    with answering((200, b"<html>")) as (url, _), says_nothing:
        transport(url)[0].get("me")


def test_a_redirect_is_not_followed_with_the_token():
    with answering((200, {})) as (other, other_asked):
        with answering((302, b"", ("Location", other))) as (url, _), pytest.raises(UnreachableError):
            transport(url)[0].get("me")
        assert other_asked == []


def test_lists_are_read_page_by_page():
    pages = [(200, {"items": [1, 2], "next": "abc"}), (200, {"items": [3], "next": None})]
    with answering(*pages) as (url, asked), Client(url, "mop_x") as client:
        models = client.models.list(search="tox")
        assert next(models) == 1
        assert len(asked) == 1
        assert list(models) == [2, 3]
    assert "search=tox" in asked[0][1]
    assert "cursor=abc" in asked[1][1]


def test_names_are_quoted_in_addresses():
    with answering((200, {})) as (url, asked), Client(url, "mop_x") as client:
        client.tasks.get("hate in text/../x")
    assert asked[0][1] == "/api/v1/tasks/hate%20in%20text%2F..%2Fx"


def test_watching_gives_each_status_once_until_the_end():
    def event(number, status):
        return {"id": number, "status": status}

    timelines = [
        (200, {"is_final": False, "items": [event(1, "created"), event(2, "dataDownloaded")]}),
        (200, {"is_final": False, "items": []}),
        (200, {"is_final": True, "items": [event(3, "verified")]}),
    ]
    with answering(*timelines) as (url, asked), Client(url, "mop_x") as client:
        seen = [one["status"] for one in client.revisions.watch("m", "v1", poll_seconds=0)]
    assert seen == ["created", "dataDownloaded", "verified"]
    assert [path.rpartition("=")[2] for _, path, _, _ in asked] == ["0", "2", "2"]


def test_a_token_goes_to_the_server_it_was_made_for_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MOP_TOKEN", raising=False)
    monkeypatch.delenv("MOP_URL", raising=False)
    with pytest.raises(NoCredentialsError, match="server"):
        find_credentials()
    (tmp_path / "mop").mkdir()
    (tmp_path / "mop" / "credentials.json").write_text(json.dumps({"url": "https://a.example", "token": "mop_a"}))
    kept = find_credentials()
    assert (kept.url, kept.token) == ("https://a.example", "mop_a")
    assert "mop_a" not in repr(kept)
    monkeypatch.setenv("MOP_URL", "https://b.example")
    with pytest.raises(NoCredentialsError, match="token"):
        find_credentials()


@contextmanager
def talking(*answers):
    """A client of such a server, and what the server was asked."""
    with answering(*answers) as (url, asked), Client(url, "mop_secret") as mop:
        yield mop, asked


CONTENT = b"a bundle" * 100
READY = {"state": "ready", "size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(), "error": None}


def test_a_bundle_is_waited_for_and_gone_on_with(monkeypatch, tmp_path):
    monkeypatch.setattr("mop_client.release_parts.time.sleep", lambda _seconds: None)
    making = (200, {"state": "making"})
    with talking(making, (200, READY), (206, CONTENT[300:])) as (mop, asked):
        (tmp_path / "bundle.tar.part").write_bytes(CONTENT[:300])
        assert mop.bundles.pull("a/b", 7, tmp_path / "bundle.tar")["state"] == "ready"
    assert [one[1] for one in asked] == [
        "/api/v1/services/a%2Fb/releases/7/bundle/status",
        "/api/v1/services/a%2Fb/releases/7/bundle/status",
        "/api/v1/services/a%2Fb/releases/7/bundle",
    ]
    assert asked[-1][2]["Range"] == "bytes=300-"
    assert (tmp_path / "bundle.tar").read_bytes() == CONTENT


def test_a_bundle_of_other_content_leaves_no_file(tmp_path):
    with (
        talking((200, READY), (200, b"x" * len(CONTENT))) as (mop, _),
        pytest.raises(UnreachableError, match="announced"),
    ):
        mop.bundles.pull_version("toxicity", "v1", tmp_path / "bundle.tar")
    assert not list(tmp_path.iterdir())


def test_a_bundle_that_can_not_be_made_or_is_refused_says_why(tmp_path):
    failed = {
        "state": "failed",
        "error": {"name": "SigningKeyError", "message": "There is no key.", "hint": "Make one."},
    }
    with (
        talking((200, failed)) as (mop, _),
        pytest.raises(BundleFailedError, match="There is no key"),
    ):
        mop.bundles.pull("s", 7, tmp_path / "bundle.tar")
    with talking((200, READY), (404, PROBLEM)) as (mop, _), pytest.raises(NotFoundError):
        mop.bundles.pull("s", 7, tmp_path / "bundle.tar")


def test_a_file_of_cases_goes_by_parts_and_its_report_is_waited_for(tmp_path):
    (tmp_path / "cases.csv").write_bytes(b"x" * (1 << 20) + b"y")
    row = {"id": "7", "is_final": False, "state": "running"}
    done = {**row, "is_final": True, "added": 3}
    part = (204, b"")
    with talking((201, row), part, part, (200, row), (200, row), (200, done)) as (mop, asked):
        found = mop.dsat.import_file("hate", tmp_path / "cases.csv", service="s", poll_seconds=0)
    assert found["added"] == 3
    assert [f"{one[0]} {one[1].removeprefix('/api/v1/')}" for one in asked] == [
        "POST dsat-imports",
        "PUT dsat-imports/7/parts/0",
        "PUT dsat-imports/7/parts/1",
        "POST dsat-imports/7/start",
        "GET dsat-imports/7",
        "GET dsat-imports/7",
    ]
    assert json.loads(asked[2][3]) == {"data": "eQ=="}
    with (
        talking((201, row), part, part, (200, row)) as (mop, _),
        pytest.raises(WaitTimeoutError, match="is running"),
    ):
        mop.dsat.import_file("hate", tmp_path / "cases.csv", timeout_seconds=0)


def test_every_page_of_outcomes_is_read():
    first, last = {"items": [{"case": 9}], "next_after": 9}, {"items": [{"case": 4}], "next_after": None}
    with talking((200, first), (200, last)) as (mop, asked):
        assert [one["case"] for one in mop.regressions.outcomes("toxicity", "v1", change="fails")] == [9, 4]
    assert asked[1][1].endswith("/regression/cases?change=fails&after=9&limit=1000")


def test_a_load_test_is_waited_for():
    running, done = {"is_final": False, "state": "running"}, {"is_final": True, "state": "finished"}
    with talking((200, running), (200, done)) as (mop, _):
        assert mop.load_tests.wait("toxicity", "v1", poll_seconds=0)["state"] == "finished"
    with talking((200, running)) as (mop, _), pytest.raises(WaitTimeoutError, match="is running after 0 s"):
        mop.load_tests.wait("toxicity", "v1", timeout_seconds=0)
