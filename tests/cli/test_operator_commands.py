"""Commands for administrators and operators: waivers, allowed hosts, alerts. And one's own sessions."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from cli.conftest import Mop
from mop.accounts.models import SignIn, User
from mop.errors import DiskFullError
from mop.findings.models import Waiver
from mop.notifications.alerts import raise_alert
from mop.notifications.selectors import open_alerts
from mop.registry.models import Model
from support.factories import ACTOR, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("engine_database")]


@pytest.fixture
def user() -> User:
    return make_user("ada", is_administrator=True)


def test_a_finding_is_waived_until_a_day_and_the_waiver_ended(model: Model, mop: Mop):
    until = (timezone.localdate() + dt.timedelta(days=30)).isoformat()
    what = ("toxicity", "model-files/code-execution", "model/weights.pkl", "--owner", "ada", "--until", until)
    made = mop("model", "waive", *what, "-m", "It is ours.", "--json").json
    assert (made["scanner"], made["rule"], made["until"]) == ("model-files", "code-execution", until)
    [line] = mop("model", "waivers", "toxicity").out.splitlines()[1:]
    assert line.split()[:5] == [str(made["id"]), "model-files/code-execution", "model/weights.pkl", until, "ada"]
    for wrong in ("code-execution", "/code-execution", "model-files/"):
        assert mop("model", "waive", "toxicity", wrong, *what[2:], "-m", "x").code == 64
    assert "until" in mop("model", "waive", *what[:-1], "soon", "-m", "x").err
    assert mop("model", "end-waiver", "toxicity", str(made["id"])).code == 0
    assert Waiver.objects.get().ended_at is not None
    assert f"ended {timezone.now():%Y-%m-}" in mop("model", "waivers", "toxicity").out
    assert mop("model", "waivers", "toxicity", "--json").json["items"][0]["id"] == made["id"]


def test_allowed_hosts_are_shown_replaced_and_taken_away(model: Model, mop: Mop):
    assert mop("model", "allowed-hosts", "toxicity").err == "toxicity v1.0.0 may reach no host\n"
    allowed = ("--allow", "api.example.com", "--allow", "files.example.com:8443")
    done = mop("model", "allowed-hosts", "toxicity", *allowed)
    assert done.out.splitlines() == ["api.example.com", "files.example.com:8443"], done.err
    assert mop("model", "allowed-hosts", "toxicity", "--json").json["hosts"] == done.out.splitlines()
    assert mop("model", "allowed-hosts", "toxicity", "--allow", "x.example.com", "--none").code == 64
    assert mop("model", "allowed-hosts", "toxicity", "--allow", "not a host").code == 64
    assert mop("model", "allowed-hosts", "toxicity", "--none", "--json").json == {"hosts": []}
    assert model.revisions.get().allowed_hosts == []


def test_alerts_are_listed_with_what_to_do_and_closed(mop: Mop):
    assert mop("alert", "list").err == "no alert is open\n"
    for number in range(2):
        alert = raise_alert(actor=ACTOR, fault=DiskFullError(f"no room for model {number}"))
    told = mop("alert", "list").out
    assert all(text in told for text in ("2 times since", "no room for model 1", f"hint: {DiskFullError.default_hint}"))
    assert mop("alert", "list", "--json").json[0]["count"] == 2
    assert mop("alert", "close", str(alert.pk), "--json").json == {"closed_alert": alert.pk}
    assert not open_alerts().exists()
    assert mop("alert", "close", str(alert.pk)).code == 64


def test_sessions_of_the_portal_are_listed_and_ended(user: User, mop: Mop):
    first, second, third = (
        SignIn.objects.create(
            user=user, session_key=f"key-{number}", address="192.0.2.7", browser="Firefox", seen_at=timezone.now()
        )
        for number in range(3)
    )
    assert len(mop("session", "list").out.splitlines()) == 4
    assert mop("session", "end").code == 64
    assert mop("session", "end", str(first.pk), "--all").code == 64
    assert mop("session", "end", str(first.pk)).err == "1 session ended\n"
    assert {one["id"] for one in mop("session", "list", "--json").json} == {second.pk, third.pk}
    assert mop("session", "end", "--all", "--json").json == {"ended": 2}
