"""The audit log as people read it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.actions import Action
from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.audit.services import Actor, record
from mop.catalog.services import change_task
from mop.dsat.access import grant_team
from mop.history.export import harmless
from mop.history.presentation import shown_events
from mop.registry.models import Model
from mop.registry.services import add_owner
from support.api import Api
from support.browsing import client_of
from support.factories import ACTOR, make_model, make_task, make_team, make_token, make_user, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return make_user("root", is_administrator=True)


def note(label: str, actor: str = "olivia") -> AuditEvent:
    return record(
        actor=Actor(id="7", label=actor, address="10.0.0.7"),
        action=Action.USER_EMAIL_CHANGED,
        object_type="user",
        object_id="7",
        object_label=label,
        data={"why": "=1+1"},
    )


def test_the_page_finds_by_person_object_action_and_day(root: User):
    note("first"), note("second", actor="sam")
    client = client_of(root)
    day = AuditEvent.objects.latest("pk").at.date().isoformat()
    for query, expected in (
        ("person=OLIV", {"first"}),
        ("person=sam&action=user.email_changed", {"second"}),
        ("object_label=econ", {"second"}),
        (f"object_type=user&object_id=7&since={day}&until={day}", {"first", "second"}),
        ("until=2001-01-01", set()),
        ("person=nobody", set()),
    ):
        page = client.get(f"/audit/?{query}").content.decode()
        assert {label for label in ("first", "second") if f"Person</span> {label}<" in page} == expected, query


def test_paging_walks_through_all_events_once_with_one_query_a_page(root: User):
    for number in range(120):
        note(f"number {number}")
    api = Api(token=make_token(root))
    seen, cursor = [], ""
    while True:
        page = api.get("/audit", object_type="user", object_id="7", cursor=cursor, limit=50).json()
        seen += [item["object"] for item in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == [f"number {number}" for number in reversed(range(120))]
    client = client_of(root)
    counts = []
    for query in ("", "?object_id=7&object_type=user"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/audit/{query}").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_compute_is_text(start: str):
    assert harmless(f"{start}cmd|' /C calc'!A0").startswith("'")
    assert harmless("plain = text") == "plain = text"


def test_the_export_holds_every_event_that_fits(root: User):
    note('=HYPERLINK("http://evil.example")', actor="@sum(A1)"), note("second")
    client = client_of(root)
    answer = client.get("/audit/?object_type=user&object_id=7&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [row["object"] for row in rows] == ["second", '\'=HYPERLINK("http://evil.example")']
    assert rows[1]["actor"] == "'@sum(A1)"
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    answer = client.get("/audit/?object_type=user&object_id=7&format=json")
    events = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert [event["object"] for event in events] == ["second", '=HYPERLINK("http://evil.example")']
    assert events[0]["address"] == "10.0.0.7"


def test_an_object_shows_its_history_to_its_owners_and_to_nobody_who_may_not_see_it(root: User):
    owner, coowner, stranger = make_user("olivia"), make_user("otto"), make_user("sam")
    model = make_model("toxicity", owner=owner)
    add_owner(actor=ACTOR, model=model, user=coowner)
    other = make_model("secret-model", owner=make_user())
    history = f"/history/model/{model.pk}/"
    page = client_of(owner).get(history).content.decode()
    assert "Model: owner added" in page
    assert "secret-model" not in page
    assert client_of(root).get(history).status_code == 200
    for _ in range(2):  # a model that everybody sees shows its history to its owners alone, too
        assert client_of(stranger).get(history).status_code == 404
        publish(Model.objects.get(pk=model.pk))
    assert client_of(owner).get(f"/history/model/{other.pk}/").status_code == 404
    assert client_of(owner).get("/history/user/1/").status_code == 404
    assert "Show who changed what" in client_of(owner).get(f"/models/{model.name}/").content.decode()
    assert "Show who changed what" not in client_of(stranger).get(f"/models/{model.name}/").content.decode()


def test_details_are_words_and_times_have_their_zone():
    event = AuditEvent(
        action="token.created",
        object_type="token",
        data={
            "scopes": ["models:write", "tasks:read"],
            "expires_at": "2026-12-31T16:17:43.418780+00:00",
            "note": "A T",
        },
    )
    [shown] = shown_events([event])
    assert shown.facts == [
        ("scopes", "Models (read and write); Tasks, taxonomies, instance types (read)"),
        ("expires at", "31 Dec 2026, 16:17 UTC"),
        ("note", "A T"),
    ]


def test_a_tasks_history_is_open(root: User):
    task = make_task("hate in text")
    client = client_of(make_user())
    assert "Task: created" in client.get(f"/history/task/{task.pk}/").content.decode()
    assert "Show who changed what" in client.get(f"/tasks/{task.pk}/").content.decode()
    part = client.get(f"/history/task/{task.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_a_tasks_history_tells_strangers_no_addresses_and_not_who_reads_its_cases(root: User):
    owner = make_user("olivia")
    task = make_task("hate in text", owners=[owner])
    somewhere = Actor(id="7", label="olivia", address="10.0.0.7")
    change_task(actor=somewhere, task=task, description="new")
    grant_team(actor=somewhere, task=task, team=make_team("readers"))
    told = {}
    for reader in (owner, root, make_user()):
        page = client_of(reader).get(f"/history/task/{task.pk}/").content.decode()
        assert "Task: changed" in page
        told[reader] = [text in page for text in ("10.0.0.7", "DSAT access: granted", "team readers")]
    assert list(told.values()) == [[True] * 3, [True] * 3, [False] * 3]
