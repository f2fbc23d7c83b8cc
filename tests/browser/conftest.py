"""A real installation behind gunicorn, and Chromium to look at it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from .browsing import Portal, listen

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-gpu")
READY_SECONDS = 60
SEED = "import django; django.setup(); from browser import seed; seed.main()"


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = tmp_path_factory.mktemp("portal")
    models = home / "models"
    models.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")} | {
        "MOP_HOME": str(home),
        "MOP_FILE_ROOTS": str(models),
        "MOP_SOURCE_PREFIXES": json.dumps(
            [{"team": "*", "purpose": purpose, "prefix": "*"} for purpose in ("models", "datasets")]
        ),
        "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
    }
    subprocess.run([sys.executable, "-c", SEED], env=environment, cwd=Path(__file__).parent.parent, check=True)
    subprocess.run([sys.executable, "-m", "mop.cli.static_files"], env=environment, check=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # the listening socket is handed over, so no other process can take the port in between
        argv = [sys.executable, "-m", "gunicorn", "mop.conf.wsgi:application", f"--bind=fd://{listener.fileno()}"]
        argv += ["--worker-class=gthread", "--threads=8", "--no-control-socket", "--log-level=warning"]
        process = subprocess.Popen(argv, env=environment, pass_fds=(listener.fileno(),))
        try:
            url = f"http://localhost:{port}"
            _wait_until_answered(f"http://127.0.0.1:{port}/accounts/login/", process)
            yield Portal(url=url, models=models)
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, portal: Portal) -> Iterator[Page]:
    """A new page; it must not have said anything in its console when the test ends."""
    context = browser.new_context(base_url=portal.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    opened = context.new_page()
    messages = listen(opened)
    yield opened
    context.close()
    assert messages == []


def _wait_until_answered(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the portal ended"
        try:
            urllib.request.urlopen(url, timeout=READY_SECONDS)  # noqa: S310 - our own address
        except urllib.error.URLError:
            continue  # the listener is open from the start, so this happens while the process ends only
        return
    raise AssertionError("the portal does not answer")
