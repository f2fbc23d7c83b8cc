"""`mop notification` against a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import Result, mop_here
from mop.accounts.models import User
from mop.notifications.models import Notification
from mop.notifications.services import News, mark_read, notify
from mop.registry.kinds import Kind
from support.factories import ACTOR, make_token, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return make_user("ada")


@pytest.fixture
def mop(
    live_server: LiveServer,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Result]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(user, scope="read"))
    return lambda *arguments: mop_here(capsys, *arguments)


def tell(user: User) -> None:
    news = News(Kind.VERIFY_FAILED, "one", "toxicity v1.0.0 failed verification", "no file", "/models/", hint="add it")
    notify(actor=ACTOR, people=[user], news=news)
    notify(actor=ACTOR, people=[user], news=News(Kind.VERIFIED, "two", "toxicity v1.0.1 is verified", "", "/models/"))
    mark_read(notification=Notification.objects.get(event="two"))


def test_it_shows_the_newest_first_and_marks_the_unread(
    mop: Callable[..., Result], user: User, live_server: LiveServer
):
    tell(user)
    link = f"    {live_server.url}/models/"  # which a terminal opens
    result = mop("notification", "list")
    assert (result.code, result.err) == (0, "1 unread; * marks them\n")
    lines = result.out.splitlines()
    assert (lines[0][0], lines[0].endswith("  toxicity v1.0.1 is verified"), lines[1]) == (" ", True, link)
    assert (lines[2][0], lines[2].endswith("  toxicity v1.0.0 failed verification")) == ("*", True)
    assert lines[3:] == ["    no file", "    hint: add it", link]


def test_the_unread_alone_and_as_json(mop: Callable[..., Result], user: User):
    tell(user)
    page = mop("notification", "list", "--unread", "--json").json
    assert [item["kind"] for item in page["items"]] == ["verifyFailed"]
    assert page["unread"] == 1
    assert len(mop("notification", "list", "--limit", "1", "--json").json["items"]) == 1


def test_nothing_to_tell_is_no_failure(mop: Callable[..., Result]):
    result = mop("notification", "list")
    assert (result.code, result.out, result.err.partition(":")[0]) == (0, "", "Nothing to show")


def test_everything_is_marked_as_read(mop: Callable[..., Result], user: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOP_TOKEN", make_token(user))
    assert mop("notification", "read", "--json").json == {"marked": 0}
    tell(user)
    assert mop("notification", "read").err == "1 marked as read\n"
    assert mop("notification", "list", "--unread", "--json").json["unread"] == 0


def test_what_one_is_told_of_is_shown_and_changed(
    mop: Callable[..., Result], user: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOP_TOKEN", make_token(user))

    def told_of(kind: str) -> tuple[bool, bool]:
        kinds = mop("notification", "settings", "--json").json["kinds"]
        return next((one["in_portal"], one["by_email"]) for one in kinds if one["kind"] == kind)

    shown = mop("notification", "settings")
    assert any(line.split()[:2] == ["verifyFailed", "yes"] for line in shown.out.splitlines())
    changed = mop(
        "notification", "settings", "--email", "ada@example.com", "--off", "verified", "--email-on", "releaseLive"
    )
    assert changed.code == 0, changed.err
    assert changed.err == "e-mails go to ada@example.com\n"
    assert (told_of("verified"), told_of("verifyFailed")[0]) == ((False, False), True)
    assert mop("notification", "settings", "--on", "verified", "--email-off", "verified").code == 0
    assert told_of("verified") == (True, False)
    refused = mop("notification", "settings", "--on", "nothing")
    assert (refused.code, "There is no kind 'nothing'" in refused.err) == (64, True)
