"""An owner is told by a real worker: in the portal at once, by e-mail on the console or over SMTP."""

from __future__ import annotations

import pytest

from support.installation import Installation
from support.mail_server import running_mail_server
from support.model_folders import write_broken
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox
SECONDS = 60.0
GIVE_ADDRESS = """
import django; django.setup()
from mop.accounts.models import User
User.objects.update(email="owner@example.org")
"""


def submit_broken(mop: Installation, name: str) -> str:
    """A model that ends in verifyFailed; gives the title that its owner is told."""
    revision = mop.submit(write_broken(mop.folders / name))
    mop.wait(revision, "verifyFailed")
    return f"{revision.model} {revision.version} failed verification"


def test_the_worker_sends_what_the_owner_is_told(mop: Installation):
    mop.run("-c", GIVE_ADDRESS, seconds=SECONDS).check_returncode()
    mop.start_worker("console")
    title = submit_broken(mop, "first")
    told = mop.told(title)
    assert told["read_at"] is None
    assert "inference.py" in told["reason"]
    wait_for(
        lambda: f"Subject: [MOP] {title}" in mop.output("console"),
        seconds=SECONDS,
        what="the e-mail is on the console",
        note=lambda: mop.output("console"),
    )
    mop.stop_workers()
    with running_mail_server() as server:
        mop.start_worker("smtp", email_backend=server.url)
        title = submit_broken(mop, "second")

        def arrived() -> list[str]:  # beside what models of other tests had to tell
            return [message["To"] for message in server.messages if message["Subject"] == f"[MOP] {title}"]

        wait_for(arrived, seconds=SECONDS, what="the e-mail arrives", note=lambda: mop.output("smtp"))
        assert arrived() == ["owner@example.org"]
        wait_for(
            lambda: mop.told(title)["email"]["state"] == "sent",
            seconds=SECONDS,
            what="the e-mail is marked as sent",
        )
