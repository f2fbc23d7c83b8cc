"""What the browser tests share: the portal they look at, Chromium, its console, signing in."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

from support.prepared import copy_tables

PASSWORD = "correct horse battery staple"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-gpu")
READY_SECONDS = 60
SEED = "import django; django.setup(); from browser import seed; seed.main()"


@dataclass(frozen=True)
class Portal:
    """A running portal: its address, and the folder that model urls may point to."""

    url: str
    models: Path


def listen(page: Page) -> list[str]:
    """Collects what the page says in its console, and scripts' errors."""
    messages: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "status of 422" in message.text:
            return  # the browser notes that a form was answered as not valid, which is what it should be
        messages.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    page.on("console", note)
    page.on("pageerror", lambda error: messages.append(f"error: {error}"))
    return messages


# the cookies of who signed in before, by user name
_signed_in: dict[str, list[Any]] = {}


def sign_in(page: Page, username: str) -> None:
    """Go to the Models list as this user. The form is filled in once for each: later pages take the session over."""
    page.context.add_cookies(_signed_in.get(username, []))
    page.goto("/models/")
    if "/accounts/login/" not in page.url:
        return
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/models/")
    _signed_in[username] = [*page.context.cookies()]


@contextlib.contextmanager
def running_portal(home: Path) -> Iterator[Portal]:
    """A seeded installation in an empty folder, behind gunicorn, until the block ends."""
    copy_tables(home)
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
            _wait_until_answered(f"http://127.0.0.1:{port}/accounts/login/", process)
            yield Portal(url=f"http://localhost:{port}", models=models)
        finally:
            process.terminate()
            process.wait(timeout=20)


def launch(playwright: Playwright) -> Browser:
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


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
