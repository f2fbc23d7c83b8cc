"""The bell, the list, what one reads, the alerts, the settings."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.errors import DiskFullError, ModelStructureError
from mop.notifications.alerts import raise_alert
from mop.notifications.email_states import EmailState
from mop.notifications.models import Alert, Email, Notification
from mop.notifications.selectors import choices_of, unread_count
from mop.notifications.services import News, notify
from mop.registry.advance import advance
from mop.registry.kinds import Kind
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from support.browsing import client_of, send
from support.factories import ACTOR

URL, SETTINGS, BELL = "/notifications/", "/notifications/settings/", "/live/notifications/"


def tell(person: User, *events: str, reason: str = "because") -> list[Notification]:
    for event in events:
        news = News(Kind.VERIFY_FAILED, event, f"title {event}", reason, "/models/toxicity/", hint="hint it")
        notify(actor=ACTOR, people=[person], news=news)
    return list(Notification.objects.filter(recipient=person).order_by("pk"))


def listed(user: User, query: str = "") -> list[str]:
    html = client_of(user).get(URL + query).content.decode()
    return re.findall(r">title (\w+)</a>", html)


def bell_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", re.search(r'<a id="bell".*?</a>', html)[0])


def test_a_failed_revision_rings_the_bell_and_is_told_with_its_link(owner: User, revision: Revision):
    error = ModelStructureError("src/inference.py is <missing>.", hint="Add it.")
    advance(revision_id=revision.pk, attempt=1, to=RevisionStatus.VERIFY_FAILED, actor=ACTOR, error=error)
    client = client_of(owner)
    assert bell_of(client.get("/models/").content.decode()) == "Notifications: 11 unread"
    html = client.get(URL).content.decode()
    link = '<a href="/models/toxicity/versions/v1.0.0/" data-reads='
    for text in (link, "toxicity v1.0.0 failed verification", "src/inference.py is &lt;missing&gt;.", "Add it."):
        assert text in html
    assert client.get("/models/toxicity/versions/v1.0.0/").status_code == 200


def test_the_bell_counts_and_changes_only_when_the_number_does(owner: User, stranger: User):
    client = client_of(owner)
    first = client.get(BELL)
    assert bell_of(first.content.decode()) == "Notifications: none unread"
    assert f'data-etag="{first["ETag"]}"'.replace('"', "&quot;") in first.content.decode().replace('"', "&quot;")
    assert client.get(BELL, headers={"If-None-Match": first["ETag"]}).status_code == 304
    tell(stranger, "theirs")
    assert client.get(BELL, headers={"If-None-Match": first["ETag"]}).status_code == 304
    tell(owner, "one", "two")
    second = client.get(BELL, headers={"If-None-Match": first["ETag"]})
    assert 'data-announce="2 unread notifications"' in second.content.decode()
    assert "data-announce" not in client.get("/models/").content.decode()  # a new page is no news


def test_a_large_number_is_cut(owner: User):
    tell(owner, *(f"e{number}" for number in range(101)))
    assert bell_of(client_of(owner).get(BELL).content.decode()) == "Notifications: 99+101 unread"


def test_who_is_not_signed_in_has_no_bell(client, db: None):
    assert "bell" not in client.get("/accounts/login/").content.decode()


def test_the_list_shows_the_newest_first_and_filters_the_unread(owner: User, stranger: User):
    one, _, _ = tell(owner, "one", "two", "three")
    tell(stranger, "theirs")
    assert listed(owner) == ["three", "two", "one"]
    send(client_of(owner), f"{URL}{one.pk}/read/", form=URL)
    assert listed(owner, "?show=unread") == ["three", "two"]
    assert listed(owner) == ["three", "two", "one"]


def test_marking_one_leads_back_to_its_place_in_the_same_view(owner: User):
    one, _ = tell(owner, "one", "two")
    client = client_of(owner)
    sent = {"query": "show=unread&cursor=abc\r\nX-Evil: 1"}
    answer = send(client, f"{URL}{one.pk}/read/", sent, form=URL)
    assert answer.headers["Location"].startswith(f"{URL}?show=unread&cursor=abc")
    assert answer.headers["Location"].endswith(f"#notification-{one.pk}")
    assert "X-Evil" not in answer.headers
    assert unread_count(owner) == 1


def test_marking_all_leaves_what_came_since_the_page_was_shown(owner: User):
    tell(owner, "one", "two")
    client = client_of(owner)
    newest = re.search(r'name="newest" value="(\d+)"', client.get(URL).content.decode())[1]
    tell(owner, "late")
    answer = send(client, f"{URL}read/", {"newest": newest}, form=URL)
    assert answer.headers["Location"] == URL
    assert "2 notifications are marked as read." in client.get(URL).content.decode()
    assert listed(owner, "?show=unread") == ["late"]


@pytest.mark.parametrize("newest", ["", "x", "-1", "9" * 30])
def test_marking_all_up_to_nonsense_marks_nothing(owner: User, newest: str):
    tell(owner, "one")
    assert send(client_of(owner), f"{URL}read/", {"newest": newest}, form=URL).status_code == 302
    assert unread_count(owner) == 1


def test_another_s_notification_is_not_found(owner: User, stranger: User):
    (theirs,) = tell(stranger, "theirs")
    assert send(client_of(owner), f"{URL}{theirs.pk}/read/", form=URL).status_code == 404
    assert unread_count(stranger) == 1


def test_pages_follow_each_other_and_keep_the_filter(owner: User):
    tell(owner, *(f"e{number}" for number in range(30)))
    client = client_of(owner)
    html = client.get(f"{URL}?show=unread").content.decode()
    following = re.search(r'href="([^"]+)" rel="next"', html)[1].replace("&amp;", "&")
    assert "show=unread" in following
    assert re.findall(r">title (\w+)</a>", client.get(URL + following).content.decode()) == [
        f"e{number}" for number in range(4, -1, -1)
    ]


def test_the_list_costs_a_fixed_number_of_queries(owner: User):
    owner.email = "olivia@example.org"
    owner.save()
    client = client_of(owner)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(URL)
        return len(captured)

    tell(owner, "one")
    few = queries()
    tell(owner, *(f"e{number}" for number in range(20)))
    assert queries() == few


@pytest.mark.parametrize(("query", "text"), [("", "No notifications yet"), ("?show=unread", "Nothing is unread")])
def test_an_empty_list_says_so(owner: User, query: str, text: str):
    assert text in client_of(owner).get(URL + query).content.decode()


@pytest.mark.parametrize(
    ("state", "error", "text"),
    [
        (EmailState.QUEUED, "", "E-mail waits to be sent"),
        (EmailState.QUEUED, "greylisted", "E-mail waits to be sent: greylisted"),
        (EmailState.FAILED, "no such person", "E-mail could not be sent: no such person"),
        (EmailState.WITHHELD, "", "E-mail not sent"),
    ],
)
def test_the_state_of_its_e_mail_is_shown(owner: User, state: EmailState, error: str, text: str):
    (row,) = tell(owner, "one")
    Email.objects.create(notification=row, state=state, error=error)
    assert text in client_of(owner).get(URL).content.decode()


def test_administrators_see_open_alerts_and_close_them(owner: User, administrator: User):
    for number in (1, 2):
        raise_alert(actor=ACTOR, fault=DiskFullError(f"no room {number}"))
    alert = Alert.objects.get()
    assert "For the operator to fix" not in client_of(owner).get(URL).content.decode()
    client = client_of(administrator)
    html = client.get(URL).content.decode()
    for text in (f'id="alert-{alert.pk}"', "no room 2", "2 times since", "must free space"):
        assert text in html
    assert send(client_of(owner), f"{URL}alerts/{alert.pk}/close/", form=URL).status_code == 403
    assert send(client, f"{URL}alerts/{alert.pk}/close/", form=URL).headers["Location"] == URL
    html = client.get(URL).content.decode()
    assert "For the operator to fix" not in html
    assert "The alert is closed." in html
    assert send(client, f"{URL}alerts/{alert.pk}/close/", form=URL).status_code == 404


def test_settings_are_kept_and_shown(owner: User):
    client = client_of(owner)
    form = {"email": "olivia@example.org", "verified-email": "on", "verifyFailed-portal": "on"}
    assert send(client, SETTINGS, form).headers["Location"] == SETTINGS
    owner.refresh_from_db()
    assert owner.email == "olivia@example.org"
    chosen = {kind: (row.in_portal, row.by_email) for kind, row in choices_of(owner).items()}
    assert (chosen[Kind.VERIFIED], chosen[Kind.VERIFY_FAILED]) == ((False, True), (True, False))
    assert chosen[Kind.CANCELLED] == (False, False)
    html = client.get(SETTINGS).content.decode()
    assert len(re.findall(r"checkbox[^>]*checked", html)) == 2
    assert 'value="olivia@example.org"' in html


def test_a_wrong_address_is_told_beside_its_field(owner: User):
    answer = send(client_of(owner), SETTINGS, {"email": "olivia"})
    assert answer.status_code == 422
    assert "Enter an e-mail address." in answer.content.decode()


def test_only_administrators_are_asked_about_alerts(owner: User, administrator: User):
    text = "A fault of the installation needs its operator"
    assert text not in client_of(owner).get(SETTINGS).content.decode()
    assert text in client_of(administrator).get(SETTINGS).content.decode()
