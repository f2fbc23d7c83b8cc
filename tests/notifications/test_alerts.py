"""The operator's alerts: one open one for each thing to hint, however often it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.errors import DiskFullError, NotFoundError, PlatformCredentialError
from mop.notifications.alerts import close_alert, raise_alert
from mop.notifications.models import Alert, Notification
from mop.notifications.selectors import get_open_alert, open_alerts
from support.factories import ACTOR, make_user

pytestmark = pytest.mark.dialect


@pytest.fixture
def root(db: None) -> User:
    return make_user("root", is_administrator=True)


def test_an_alert_says_what_to_fix(root: User):
    alert = raise_alert(actor=ACTOR, fault=PlatformCredentialError("refused", hint="Renew the key of models."))
    assert (alert.fault, alert.message, alert.hint) == (
        "PlatformCredentialError",
        "refused",
        "Renew the key of models.",
    )
    told = Notification.objects.get()
    assert (told.recipient, told.kind, told.hint) == (root, "alert", "Renew the key of models.")
    assert told.link == f"/notifications/#alert-{alert.pk}"


def test_one_cause_is_told_once_and_counted(root: User):
    for number in range(3):
        raise_alert(actor=ACTOR, fault=DiskFullError(f"no room for model {number}"))
    alert = Alert.objects.get()
    assert (alert.count, alert.message) == (3, "no room for model 2")
    assert alert.last_at > alert.first_at
    assert Notification.objects.count() == 1


def test_another_hint_is_another_cause(root: User):
    for account in ("models", "archive"):
        raise_alert(actor=ACTOR, fault=PlatformCredentialError("refused", hint=f"Renew the key of {account}."))
    assert open_alerts().count() == 2


def test_a_closed_alert_opens_anew_when_its_cause_comes_again(root: User):
    first = raise_alert(actor=ACTOR, fault=DiskFullError("no room"))
    close_alert(actor=ACTOR, alert=first)
    close_alert(actor=ACTOR, alert=first)
    with pytest.raises(NotFoundError):
        get_open_alert(first.pk)
    second = raise_alert(actor=ACTOR, fault=DiskFullError("no room"))
    assert (second.pk != first.pk, second.count) == (True, 1)
    assert Notification.objects.count() == 2
    assert AuditEvent.objects.filter(action="alert.closed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_one_cause_at_once_open_one_alert():
    make_user("root", is_administrator=True)

    def meet(number: int) -> None:
        try:
            raise_alert(actor=ACTOR, fault=DiskFullError(f"no room {number}"))
        finally:
            connections.close_all()

    writers = 4 if connection.vendor == "postgresql" else 1  # SQLite in memory has room for one
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(meet, range(12)))
    assert Alert.objects.get().count == 12
    assert Notification.objects.count() == 1
