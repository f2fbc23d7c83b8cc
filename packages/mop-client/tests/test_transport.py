"""Calls against a small server of their own: what is sent again, how lists are read, what errors become."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mop_client import Client, ConflictError, InvalidError, NoCredentialsError, NotFoundError, UnreachableError
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

        do_GET = do_POST = do_DELETE = do_PATCH = handle_any  # noqa: N815 - the standard library's names

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
