"""`make check` asks for advisories about MOP's own dependencies, and never takes silence for a good answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.installation import free_port

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_advisories.py"
HASH = "--hash=sha256:" + "0" * 64
LOCK = f"alpha==1.0 \\\n    {HASH}\nBeta.Gamma==2.0 \\\n    {HASH}\n"
ADVISORY = {
    "id": "OSV-2026-1",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "summary": "made up",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "alpha"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
            "versions": ["1.0"],
        }
    ],
}
Answer = Callable[[str], tuple[int, Any]]


@contextmanager
def advisories(answer: Answer) -> Iterator[str]:
    """An OSV service that answers so for a package's name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = answer(asked["package"]["name"])
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            """Nothing: the test reads the script's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check(tmp_path: Path, url: str, **options: str) -> tuple[int, str]:
    """Exit status and all output of the script for a lock of two packages."""
    lock = tmp_path / "lock.txt"
    lock.write_text(LOCK)
    environment = {**os.environ, "MOP_OSV_URL": url, "NO_PROXY": "127.0.0.1", **options}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(lock)], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_packages_without_advisories_pass(tmp_path: Path):
    with advisories(lambda _name: (200, {})) as url:
        status, said = check(tmp_path, url)
    assert status == 0
    assert "2 packages, none has an advisory" in said
    assert "NOT AUDITED" not in said


def test_a_vulnerable_package_fails_and_is_named(tmp_path: Path):
    with advisories(lambda name: (200, {"vulns": [ADVISORY]} if name == "alpha" else {})) as url:
        status, said = check(tmp_path, url)
    assert status == 1
    assert "alpha 1.0: OSV-2026-1 (fixed in: 1.1)" in said


@pytest.mark.parametrize("code", [403, 404, 500, 503])
def test_a_service_that_refuses_is_no_good_answer(code: int, tmp_path: Path):
    with advisories(lambda _name: (code, {})) as url:
        status, said = check(tmp_path, url)
    assert status == 0
    assert "NOT AUDITED" in said
    assert "2 of 2 packages" in said
    assert "none has an advisory" not in said


def test_a_service_that_can_not_be_reached_is_told_and_fails_where_an_answer_is_required(tmp_path: Path):
    url = f"http://127.0.0.1:{free_port()}"
    status, said = check(tmp_path, url)
    assert (status, "NOT AUDITED" in said, "none has an advisory" in said) == (0, True, False)
    assert check(tmp_path, url, ADVISORIES="required")[0] == 1
