"""A worker killed when the receiver has the message and our database does not know: it is sent again, as the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.prepared import prepared_home
from support.webhook_receiver import running_receiver

TESTS = Path(__file__).parents[1]
PREPARE = """
import os, django; django.setup()
from mop.registry.kinds import Kind
from mop.notifications.services import News, notify
from mop.notifications.webhooks import create_webhook
from support.factories import ACTOR, make_user
user = make_user("olivia")
create_webhook(actor=ACTOR, user=user, url=os.environ["RECEIVER"])
for number in range(3):
    notify(actor=ACTOR, people=[user], news=News(Kind.VERIFIED, f"n{number}", "title", "reason", "/models/"))
"""
DELIVER = "import django; django.setup(); from mop.notifications.webhook_outbox import deliver_due; deliver_due()"
GO_ON = """
import django; django.setup()
from django.utils import timezone
from mop.notifications.models import Delivery
from mop.notifications.webhook_outbox import deliver_due

found = [deliver_due(), Delivery.objects.filter(state="queued").count()]  # the claims of the dead worker stand
Delivery.objects.update(next_at=timezone.now())  # and end
print(*found, deliver_due(), deliver_due(), Delivery.objects.filter(state="delivered").count())
"""


@pytest.mark.second_tier
@pytest.mark.chaos
@pytest.mark.timeout(600)  # four processes, also on a busy machine
def test_a_killed_worker_s_messages_are_sent_again_under_the_same_ids(tmp_path: Path):
    with running_receiver() as receiver:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")} | {
            "MOP_HOME": str(tmp_path / "home"),
            "MOP_WEBHOOK_HOSTS": receiver.url.removesuffix("/hook"),
            "MOP_WEBHOOK_NETWORKS": "127.0.0.1/32",
            "RECEIVER": receiver.url,
            "DJANGO_SETTINGS_MODULE": "mop.conf.settings",
        }

        def run(code: str) -> subprocess.Popen[str]:
            return subprocess.Popen(
                [sys.executable, "-c", code], env=environment, cwd=TESTS, stdout=subprocess.PIPE, text=True
            )

        prepared_home(tmp_path / "home")
        assert run(PREPARE).wait(timeout=240) == 0
        worker = run(DELIVER)
        receiver.on_message = worker.kill
        assert worker.wait(timeout=240) == -signal.SIGKILL
        receiver.on_message = None
        told = run(GO_ON).communicate(timeout=240)[0].split()
    assert told == ["0", "3", "3", "0", "3"]
    ids = [message.id for message in receiver.messages]
    assert (len(ids), len(set(ids)), ids.count(ids[0])) == (4, 3, 2)
    assert {message.body for message in receiver.messages if message.id == ids[0]} == {receiver.messages[0].body}
