"""E-mails: sent once each, again after crashes under the same Message-ID, later when the mail server fails."""

from __future__ import annotations

import datetime as dt
import io
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.conf.email import mail_settings
from mop.errors import ModelStructureError
from mop.notifications.email_states import EmailState
from mop.notifications.messages import compose
from mop.notifications.models import Alert, Email, Notification
from mop.notifications.outbox import ATTEMPTS_MAX, BACKOFF_MAX, claim, deliver_due
from mop.notifications.services import News, notify
from mop.registry.kinds import Kind
from mop.registry.models import Model
from mop.registry.services import remove_owner
from mop.registry.statuses import RevisionStatus
from support.factories import ACTOR, make_user
from support.mail_server import MailServer, running_mail_server

from .conftest import End

pytestmark = pytest.mark.dialect


@pytest.fixture
def olivia(db: None) -> User:
    olivia = make_user("olivia")
    olivia.email = "olivia@example.org"
    olivia.save()
    return olivia


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with running_mail_server() as server:
        use(settings, server.url)
        yield server


def use(settings: Any, url: str) -> None:
    """Send by this mail server from now on."""
    found = mail_settings(url)
    settings.EMAIL_BACKEND = found.backend
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = found.host, found.port, found.starttls


def tell(person: User, event: str = "one", **fields: str) -> Email:
    given = {"title": "toxicity v1.0.0 is verified", "reason": "It answered.", "link": "/models/toxicity/"} | fields
    notify(actor=ACTOR, people=[person], news=News(kind=Kind.VERIFIED, event=event, **given))
    return Email.objects.get(notification__event=event, notification__recipient=person)


def make_due() -> None:
    """Let the time pass that e-mails wait."""
    Email.objects.filter(state=EmailState.QUEUED).update(next_at=timezone.now() - dt.timedelta(seconds=1))


def states() -> list[str]:
    return list(Email.objects.order_by("pk").values_list("state", flat=True))


def test_an_e_mail_says_what_happened_what_to_do_and_where(end: End, olivia: User, settings: Any):
    settings.PUBLIC_URL = "https://mop.example.org"
    end(RevisionStatus.VERIFY_FAILED, error=ModelStructureError("src/inference.py is missing.", hint="Add it."))
    assert deliver_due() == 1
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["olivia@example.org"], "[MOP] toxicity v1.0.0 failed verification")
    assert sent.body.splitlines() == [
        "toxicity v1.0.0 failed verification",
        "",
        "src/inference.py is missing.",
        "",
        "How to fix it: Add it.",
        "",
        "https://mop.example.org/models/toxicity/versions/v1.0.0/",
        "",
        "-- ",
        "Notification settings: https://mop.example.org/notifications/settings/",
    ]
    assert sent.from_email == "MOP <mop@localhost>"
    assert sent.extra_headers["Message-ID"].endswith("@localhost>")


def test_each_e_mail_is_sent_once(olivia: User):
    tell(olivia)
    tell(olivia, "two")
    assert (deliver_due(), deliver_due(), len(mail.outbox)) == (2, 0, 2)
    assert states() == ["sent", "sent"]
    assert Email.objects.filter(sent_at=None).count() == 0


def test_two_workers_do_not_send_the_same(olivia: User):
    first = tell(olivia)
    second = Email.objects.get(pk=first.pk)
    assert claim(first)
    assert not claim(second)
    assert (deliver_due(), mail.outbox) == (0, [])


def test_what_a_dead_worker_claimed_is_sent_when_the_claim_has_ended(olivia: User):
    email = tell(olivia)
    assert claim(email)  # and then it died
    assert deliver_due() == 0
    make_due()
    assert deliver_due() == 1
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<{email.key}@localhost>"


def test_what_was_sent_but_not_marked_is_sent_again_under_the_same_message_id(olivia: User):
    email = tell(olivia)
    assert claim(email)
    mail.get_connection().send_messages([compose(email.notification, email.key)])  # and then it died
    make_due()
    assert deliver_due() == 1
    assert len(mail.outbox) == 2
    assert len({sent.extra_headers["Message-ID"] for sent in mail.outbox}) == 1


def test_smtp_carries_it_whole(olivia: User, server: MailServer):
    email = tell(olivia, reason="naïve café 模型 " + "x" * 1200, hint=".")
    assert deliver_due() == 1
    (message,) = server.messages
    assert message["Message-ID"] == f"<{email.key}@localhost>"
    assert (message["To"], message["Auto-Submitted"]) == ("olivia@example.org", "auto-generated")
    assert "naïve café 模型" in message.get_content()
    assert max(len(line) for line in server.raw[0].splitlines()) < 1000


def test_a_recipient_that_the_server_does_not_know_is_given_up_and_others_are_sent(olivia: User, server: MailServer):
    server.refusals["RCPT"] = "550 5.1.1 no such person"
    tell(olivia)
    assert deliver_due() == 0
    email = Email.objects.get()
    assert email.state == EmailState.FAILED
    assert email.error == "The mail server refused it: 550 5.1.1 no such person"
    assert not Alert.objects.exists()
    del server.refusals["RCPT"]
    tell(olivia, "two")
    assert deliver_due() == 1


@pytest.mark.parametrize(("command", "answer"), [("RCPT", "450 4.2.0 greylisted"), ("END", "451 4.3.0 try later")])
def test_a_server_that_says_later_is_asked_later(olivia: User, server: MailServer, command: str, answer: str):
    server.refusals[command] = answer
    tell(olivia)
    assert deliver_due() == 0
    email = Email.objects.get()
    assert (email.state, email.attempts, email.error) == ("queued", 1, f"The mail server refused it: {answer}")
    assert email.next_at > timezone.now()
    del server.refusals[command]
    make_due()
    assert deliver_due() == 1
    assert Email.objects.get().error == ""


def test_a_server_that_is_down_alerts_the_operator_once_and_nothing_is_lost(olivia: User, settings: Any):
    root = make_user("root", is_administrator=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        use(settings, f"smtp://127.0.0.1:{listener.getsockname()[1]}?starttls=off")
    for event in ("one", "two", "three"):
        tell(olivia, event)
    assert deliver_due() == 0
    assert deliver_due() == 0  # what was not tried waits too
    assert "ConnectionRefusedError" in Email.objects.earliest("pk").error
    for _ in range(ATTEMPTS_MAX):  # however long it takes
        make_due()
        deliver_due()
    assert set(states()) == {"queued"}
    alert = Alert.objects.get()
    assert (alert.fault, alert.count) == ("EmailUnavailableError", ATTEMPTS_MAX + 1)
    assert Notification.objects.filter(recipient=root, kind="alert").count() == 1
    with running_mail_server() as server:
        use(settings, server.url)
        make_due()
        assert deliver_due() == 3
        assert len(server.messages) == 3


def test_a_sender_that_the_server_refuses_is_the_operator_s_to_fix(olivia: User, server: MailServer):
    server.refusals["MAIL"] = "553 5.7.1 not your address"
    tell(olivia)
    deliver_due()
    assert Alert.objects.get().fault == "EmailUnavailableError"
    assert states() == ["queued"]


def test_waiting_grows_and_ends(olivia: User, server: MailServer):
    server.refusals["RCPT"] = "450 4.2.0 greylisted"
    tell(olivia)
    waits = []
    for _ in range(ATTEMPTS_MAX):
        make_due()
        before = timezone.now()
        deliver_due()
        waits.append(Email.objects.get().next_at - before)
    assert waits[0] < waits[1] < waits[2]
    assert max(waits[:-1]) < BACKOFF_MAX + dt.timedelta(minutes=1)
    assert states() == ["failed"]


def test_what_its_reader_may_no_longer_see_is_not_sent(end: End, model: Model, olivia: User, sam: User):
    end(RevisionStatus.VERIFY_FAILED, error=ModelStructureError("secret path"))
    remove_owner(actor=actor_of(sam), model=model, user=olivia)
    assert deliver_due() == 1
    assert states() == ["withheld", "sent"]
    assert [sent.subject for sent in mail.outbox] == ["[MOP] You are no longer an owner of toxicity"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"is_active": False}, "withheld"),
        ({"email": ""}, "withheld"),
        ({"email": "x@example.org\nBcc: all@example.org"}, "failed"),
        ({"email": "x@example.org, y@example.org"}, "failed"),
    ],
)
def test_what_can_not_be_addressed_is_not_sent_and_holds_nothing_up(
    olivia: User, sam: User, changes: dict[str, Any], state: str
):
    User.objects.filter(pk=sam.pk).update(email="sam@example.org")
    tell(olivia)
    sam.refresh_from_db()
    tell(sam, "two")
    User.objects.filter(pk=olivia.pk).update(**changes)
    assert deliver_due() == 1
    assert states() == [state, "sent"]
    assert mail.outbox[0].to == ["sam@example.org"]


@pytest.mark.parametrize("field", ["title", "reason", "hint"])
def test_hostile_texts_become_neither_headers_nor_escape_codes(olivia: User, server: MailServer, field: str):
    hostile = "x\r\nBcc: all@example.org\r\n\r\n.\r\nMAIL FROM:<a@b>\x1b]0;owned\x07\u202e\x00\u2028y"
    email = tell(olivia, **{field: hostile})
    assert deliver_due() == 1
    (message,) = server.messages
    assert message["Bcc"] is None
    assert message.get_content_type() == "text/plain"
    shown = f"{message['Subject']}{message.get_content()}"
    assert not any(char in shown.replace("\r\n", "") for char in "\r\x1b\x07\u202e\x00\u2028")
    assert "Bcc: all@example.org . MAIL FROM:<a@b> ]0;owned y" in " ".join(shown.split())
    assert "\n" not in getattr(email.notification, field)


def test_the_console_prints_it(olivia: User, settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.EMAIL_BACKEND = mail_settings("console").backend
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    tell(olivia)
    assert deliver_due() == 1
    assert "Subject: [MOP] toxicity v1.0.0 is verified" in out.getvalue()
    assert "/models/toxicity/ (in the portal)" in out.getvalue()
