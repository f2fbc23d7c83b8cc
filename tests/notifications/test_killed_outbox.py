"""A worker killed when the mail server has the e-mail and our database does not know: it is sent again, as the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.mail_server import running_mail_server
from support.prepared import copy_tables

TESTS = Path(__file__).parents[1]
PREPARE = """
import django; django.setup()
from mop.registry.kinds import Kind
from mop.notifications.services import News, notify
from support.factories import ACTOR, make_user
user = make_user("olivia"); user.email = "olivia@example.org"; user.save()
notify(actor=ACTOR, people=[user], news=News(Kind.VERIFIED, "one", "title", "reason", "/models/"))
"""
DELIVER = "import django; django.setup(); from mop.notifications.outbox import deliver_due; deliver_due()"
GO_ON = """
import django; django.setup()
from django.utils import timezone
from mop.notifications.models import Email
from mop.notifications.outbox import deliver_due

found = [deliver_due(), Email.objects.get().state]  # the claim of the dead worker stands
Email.objects.update(next_at=timezone.now())  # and ends
print(*found, deliver_due(), deliver_due(), Email.objects.get().state)
"""


@pytest.mark.second_tier
@pytest.mark.chaos
def test_a_killed_worker_s_e_mail_is_sent_again_under_the_same_message_id(tmp_path: Path):
    with running_mail_server() as server:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")} | {
            "MOP_HOME": str(tmp_path / "home"),
            "MOP_EMAIL_BACKEND": server.url,
            "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
        }

        def run(code: str) -> subprocess.Popen[str]:
            return subprocess.Popen(
                [sys.executable, "-c", code], env=environment, cwd=TESTS, stdout=subprocess.PIPE, text=True
            )

        copy_tables(tmp_path / "home")
        assert run(PREPARE).wait(timeout=120) == 0
        worker = run(DELIVER)
        server.on_data = worker.kill
        assert worker.wait(timeout=120) == -signal.SIGKILL
        server.on_data = None
        assert run(GO_ON).communicate(timeout=120)[0] == "0 queued 1 0 sent\n"
    first, second = server.messages
    assert first["Message-ID"] == second["Message-ID"]
