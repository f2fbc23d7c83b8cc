"""GET and POST below /api/v1/notifications."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.notifications.models import Notification
from mop.notifications.services import News, notify
from mop.registry.kinds import Kind
from support.api import Api
from support.factories import ACTOR, make_token


@pytest.fixture
def api(olivia: User) -> Api:
    return Api(token=make_token(olivia))


def tell(person: User, count: int) -> list[int]:
    """Ids of that many notifications, the newest first."""
    for number in range(count):
        news = News(Kind.VERIFY_FAILED, f"e{number}", f"title {number}", "because", "/models/", hint="hint it")
        notify(actor=ACTOR, people=[person], news=news)
    return list(Notification.objects.filter(recipient=person).order_by("-pk").values_list("pk", flat=True))


def test_a_notification_as_the_api_gives_it(api: Api, olivia: User):
    (number,) = tell(olivia, 1)
    body = api.get("/notifications").json()
    assert (body["next"], body["unread"]) == (None, 1)
    (item,) = body["items"]
    assert item.pop("created_at") is not None
    assert item == {
        "id": number,
        "kind": "verifyFailed",
        "title": "title 0",
        "reason": "because",
        "hint": "hint it",
        "link": "/models/",
        "read_at": None,
        "email": None,
    }


def test_the_state_of_its_e_mail_is_told(api: Api, olivia: User):
    olivia.email = "olivia@example.org"
    olivia.save()
    tell(olivia, 1)
    assert api.get("/notifications").json()["items"][0]["email"] == {"state": "queued", "sent_at": None, "error": ""}


def test_pages_follow_each_other_newest_first(api: Api, olivia: User):
    numbers = tell(olivia, 5)
    found, cursor = [], ""
    while True:
        page = api.get("/notifications", limit=2, cursor=cursor).json()
        found += [item["id"] for item in page["items"]]
        if not (cursor := page["next"]):
            break
    assert found == numbers
    assert api.get("/notifications", cursor="made-up").status_code == 422


def test_reading_one_and_filtering_the_unread(api: Api, olivia: User):
    newest, oldest = tell(olivia, 2)
    answer = api.post(f"/notifications/{newest}/read")
    assert (answer.status_code, answer.json()["read_at"] is not None) == (200, True)
    page = api.get("/notifications", unread="true").json()
    assert ([item["id"] for item in page["items"]], page["unread"]) == ([oldest], 1)
    assert len(api.get("/notifications").json()["items"]) == 2


def test_reading_up_to_one(api: Api, olivia: User):
    newest, second, _ = tell(olivia, 3)
    assert api.post("/notifications/read", {"up_to": second}).json() == {"marked": 2}
    assert [item["id"] for item in api.get("/notifications", unread="true").json()["items"]] == [newest]
    assert api.post("/notifications/read", {}).status_code == 422


def test_another_s_is_not_found(api: Api, sam: User):
    (theirs,) = tell(sam, 1)
    assert api.get("/notifications").json()["items"] == []
    assert api.post(f"/notifications/{theirs}/read").status_code == 404
    api.post("/notifications/read", {"up_to": theirs})
    assert Notification.objects.get().read_at is None


def test_a_page_costs_a_fixed_number_of_queries(api: Api, olivia: User):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            api.get("/notifications")
        return len(captured)

    olivia.email = "olivia@example.org"
    olivia.save()
    tell(olivia, 1)
    api.get("/notifications")  # notes that the token was used
    few = queries()
    tell(olivia, 20)
    assert queries() == few
