"""Secrets stay out of what MOP writes: planted ones are looked for in all output of an installation that is misused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from mop.conf.options import OPTIONS
from support.factories import PASSWORD
from support.installation import Installation, running_installation
from support.prepared import copy_tables
from support.waiting import wait_for

PLANTED = "pLaNtEd5ecret"
KEY = "cExhTnRFZDVlY3JldA=="  # PLANTED, as a storage key
URL = f"postgresql://mop:{PLANTED}@127.0.0.1:1/mop"


def run(home: Path, *argv: str, **options: str) -> tuple[int, str]:
    """Exit status and all output of a command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    environment |= {"MOP_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mop.conf.settings", **options}
    done = subprocess.run(
        [sys.executable, *argv], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOP_DATABASE_URL", f"mysql://mop:{PLANTED}@host/mop"),
        ("MOP_DATABASE_URL", f"postgresql://mop:{PLANTED}/x@host/mop"),
        ("MOP_DATABASE_URL", f"postgresql://mop:{PLANTED}#x@host/mop"),
        ("MOP_DATABASE_URL", f"postgresql://mop:{PLANTED}@host:port/mop"),
        ("MOP_DATABASE_URL", f"postgresql://mop:{PLANTED}@[host/mop"),
        ("MOP_EMAIL_BACKEND", f"smtp://mop:{PLANTED}@host:port"),
        ("MOP_EMAIL_BACKEND", f"smtp://mop:{PLANTED}#x@host"),
        ("MOP_EMAIL_BACKEND", f"ftp://mop:{PLANTED}@host"),
        ("MOP_AZURE_ACCOUNTS", f'[{{"name": "models", "account_key": "{PLANTED}"}}]'),
        ("MOP_AZURE_ACCOUNTS", f'[{{"name": "models", "password": "{PLANTED}"}}]'),
        ("MOP_AZURE_ACCOUNTS", f'[{{"name": "models", "sas": "{PLANTED}"}}'),
        ("MOP_AZURE_ACCOUNTS", PLANTED),
    ],
)
def test_a_setting_that_can_not_be_read_is_told_without_its_value(name: str, value: str, tmp_path: Path):
    status, said = run(tmp_path, "-m", "django", "check", **{name: value})
    assert status != 0
    assert name in said
    assert PLANTED not in said


@pytest.mark.parametrize("database", ["MOP_DATABASE_URL", "MOP_ENGINE_URL"])
def test_a_database_that_does_not_answer_is_told_without_its_password(database: str, tmp_path: Path):
    script = "import django; django.setup(); from mop.worker.setup import prepare_databases; prepare_databases()"
    copy_tables(tmp_path)
    status, said = run(tmp_path, "-c", script, **{database: URL})
    assert status != 0
    assert "refused" in said
    assert PLANTED not in said


def test_the_commands_that_show_settings_show_no_secret(tmp_path: Path):
    secrets = {
        "MOP_ENGINE_URL": URL,
        "MOP_SECRET_KEY": PLANTED * 4,
        "MOP_PACKAGE_INDEX": f"https://mop:{PLANTED}@index.example/simple",
        "MOP_EXTRA_INDEXES": f"https://mop:{PLANTED}@more.example/simple",
        "MOP_EMAIL_BACKEND": f"smtps://mop:{PLANTED}@mail.example",
        "MOP_AZURE_ACCOUNTS": json.dumps([{"name": "models", "account_key": KEY}]),
    }
    for command in (("settings",), ("settings", "--json"), ("doctor",)):
        _, said = run(tmp_path, "-m", "mop.cli", *command, **secrets)
        assert "models" in said
        assert PLANTED not in said
        assert KEY not in said


def test_a_report_of_a_fault_hides_every_secret_setting(monkeypatch: pytest.MonkeyPatch):
    """With MOP_DEBUG as well, which shows the settings to whoever meets a fault."""
    values = {option.name: f"{PLANTED}-{option.name}" for option in OPTIONS if option.secret}
    monkeypatch.setattr(django_settings, "OPTIONS", values, raising=False)
    for name, value in values.items():
        monkeypatch.setattr(django_settings, name, value, raising=False)
    request = RequestFactory().post("/accounts/login/", {"login": "olivia", "password": PLANTED})
    request.COOKIES["sessionid"] = PLANTED
    request.META |= {"HTTP_AUTHORIZATION": f"Bearer {PLANTED}", "HTTP_X_CSRFTOKEN": PLANTED}
    report = ExceptionReporter(request, RuntimeError, RuntimeError("a fault"), None).get_traceback_text()
    assert "a fault" in report
    assert "MOP_AZURE_ACCOUNTS" in report
    assert PLANTED not in report


@pytest.fixture(scope="module")
def mop() -> Iterator[Installation]:
    with running_installation(
        azure_accounts=json.dumps(
            [{"name": "devstoreaccount1", "account_key": KEY, "endpoint": "http://127.0.0.1:1/d"}]
        ),
        secret_key=f"{PLANTED}-key" * 4,
        email_backend=f"smtp://mop:{PLANTED}@127.0.0.1:1?starttls=off",
        retry_base=0.1,
        retry_max=1,
    ) as installation:
        yield installation


def test_an_installation_that_is_used_and_misused_writes_no_secret(mop: Installation):
    secrets = {PLANTED, KEY, PASSWORD, mop.api.headers["Authorization"].removeprefix("Bearer ")}
    address = f"http://127.0.0.1:{mop.port}"
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as browser:
        browser.get("/accounts/login/")

        def send(path: str, **fields: str) -> httpx.Response:
            return browser.post(path, data={**fields, "csrfmiddlewaretoken": browser.cookies["csrftoken"]})

        assert send("/accounts/login/", login=mop.username, password=f"wrong-{PLANTED}").status_code == 200
        assert send("/accounts/login/", login=mop.username, password=PASSWORD).status_code == 302
        secrets |= {browser.cookies["sessionid"], browser.cookies["csrftoken"]}
        made = browser.post(
            "/api/v1/tokens", json={"name": "ci"}, headers={"X-CSRFToken": browser.cookies["csrftoken"]}
        )
        assert made.status_code == 201
        secrets.add(made.json()["secret"])
        page = send("/account/tokens/", name="by form", access="all:read", days="1")
        assert page.status_code == 200
        assert "location" not in page.headers  # the secret is in the page, never in an address
        assert browser.get("/models/", headers={"X-CSRFToken": PLANTED}).status_code == 200
        wrong = {"oldpassword": PLANTED, "password1": f"{PLANTED}1", "password2": f"{PLANTED}2"}
        assert send("/accounts/password/change/", **wrong).status_code == 200
        browser.cookies.clear()
        assert browser.post("/accounts/login/", data={"password": PLANTED}).status_code == 403
    for header in (f"Bearer {PLANTED}", f"Basic {PLANTED}", f"Bearer mop_{PLANTED}\tx"):
        assert httpx.get(f"{address}/api/v1/me", headers={"Authorization": header}, trust_env=False).status_code == 401
    signed = f"http://127.0.0.1:1/d/models/m?sig={PLANTED}"
    refused = mop.api.post("/models", json={"model_url": signed, "connections": [{"task": "bad words"}]})
    assert PLANTED not in refused.text
    mop.start_worker()
    taken = mop.api.post(
        "/models",
        json={
            "name": "unreachable",
            "model_url": "http://127.0.0.1:1/d/models/m",
            "connections": [{"task": "bad words"}],
        },
    )
    assert taken.status_code == 201, taken.text
    version = taken.json()["latest_revision"]["version"] if "latest_revision" in taken.json() else "v1.0.0"

    def ended() -> bool:
        shown = mop.api.get(f"/models/unreachable/revisions/{version}").json()
        return shown["status"] in {"verifyFailed", "toBeRetried"}

    wait_for(ended, seconds=120, what="the storage was found unreachable", note=lambda: mop.output("w1"))
    events = mop.api.get(f"/models/unreachable/revisions/{version}/events").text
    written = [path.read_text(errors="replace") for path in mop.root.glob("*.log")]
    assert any(written)
    for secret in secrets:
        assert [text for text in (*written, events) if secret in text] == []
