"""`mop bundle`: keys, and downloads that are resumed, against a real HTTP server."""

from __future__ import annotations

import hashlib
import http.server
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mop.cli.failures import ServerUnreachableError
from mop.cli.main import run
from mop.storage.signing_keys import read_signing_keys
from mop_client.cli.client import Server
from mop_client.cli.pulling import pull
from mop_client.credentials import Credentials

CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = ("services", "s", "releases", "1", "bundle")


class _Files(http.server.BaseHTTPRequestHandler):
    """Gives CONTENT out by ranges, and breaks the first answers off after some bytes."""

    breaks: list[int]
    asked: list[str]

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.asked.append(asked)
        is_same = self.headers.get("If-Range", f'"{SHA256}"') == f'"{SHA256}"'
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and is_same else 0
        self.send_response(206 if asked and is_same else 200)
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        end = begin + self.breaks.pop(0) if self.breaks else len(CONTENT)
        self.wfile.write(CONTENT[begin:end])

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the output belongs to the tests."""


@pytest.fixture
def files() -> Iterator[tuple[Server, type[_Files]]]:
    handler = type("Handler", (_Files,), {"breaks": [], "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Server(Credentials(f"http://127.0.0.1:{server.server_address[1]}", "mops_x"))
    yield client, handler
    client.close()
    server.shutdown()
    server.server_close()


def test_a_download_that_breaks_off_goes_on_where_it_ended(files: tuple[Server, type[_Files]], tmp_path: Path):
    server, handler = files
    handler.breaks = [1_500_000, 2_000_000]
    target = tmp_path / "bundle.tar"
    for _ in range(2):
        with pytest.raises(ServerUnreachableError):
            pull(server, PATH, target, size=len(CONTENT), sha256=SHA256)
        assert not target.exists()
    assert pull(server, PATH, target, size=len(CONTENT), sha256=SHA256) > 0
    assert target.read_bytes() == CONTENT
    assert handler.asked[0] == ""
    begins = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in handler.asked[1:]]
    assert begins == sorted(begins)
    assert begins[0] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.tar"]


def test_a_file_that_was_made_anew_meanwhile_comes_whole(files: tuple[Server, type[_Files]], tmp_path: Path):
    server, handler = files
    target = tmp_path / "bundle.tar"
    target.with_name("bundle.tar.part").write_bytes(b"of another file")
    with pytest.raises(ServerUnreachableError, match="not what the server announced"):
        pull(server, PATH, target, size=len(CONTENT), sha256="0" * 64)
    assert handler.asked == ["bytes=15-"]
    assert list(tmp_path.iterdir()) == []
    target.with_name("bundle.tar.part").write_bytes(CONTENT)
    assert pull(server, PATH, target, size=len(CONTENT), sha256=SHA256) == len(CONTENT)
    assert handler.asked == ["bytes=15-"]


def test_a_new_key_is_private_and_never_takes_the_place_of_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "signing-key.pem"
    assert run(["bundle", "new-key", str(path), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = read_signing_keys(path, [tmp_path / "signing-key.pem.pub"])
    assert keys.public[0] == keys.public[1]
    assert made["public"] == str(tmp_path / "signing-key.pem.pub")
    before = path.read_bytes()
    assert run(["bundle", "new-key", str(path)]) == 64
    assert path.read_bytes() == before
    path.unlink()
    assert run(["bundle", "new-key", str(path)]) == 64
    assert not path.exists()
    assert run(["bundle", "new-key", str(tmp_path / "none" / "key.pem")]) == 64


def test_a_file_that_is_no_public_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "key.pem").write_text("no key")
    (tmp_path / "bundle.tar").write_bytes(b"")
    assert run(["bundle", "verify", str(tmp_path / "bundle.tar"), "--key", str(tmp_path / "key.pem")]) == 64
    assert "holds no such public key" in capsys.readouterr().err
