"""Who sees what of a case's content: every place that could show it, for every person who could look.

The model is private and connected to the task. Its owner sees outcomes and nothing of the content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.dsat.deletion import delete_case
from mop.dsat.models import Case
from mop.dsat.services import add_comment, assign
from mop.notifications.models import Notification
from mop.regression.advance import REGRESSION
from mop.regression.models import RegressionOutcome
from mop.regression.services import start
from regression.made import SECRET, knows, made_case
from support.api import Api
from support.case_runs import finished
from support.dsat import let_team_read
from support.evaluation_results import verified
from support.factories import ACTOR, make_model, make_task, make_team, make_token, make_user

pytestmark = pytest.mark.django_db

READERS = {"submitter", "assignee", "task owner", "granted team"}
NOBODY: set[str] = set()
WORD = "unheardof"


@pytest.fixture
def people() -> Mapping[str, User]:
    """A case that a private version fails, and a person in every relation to it."""
    found = {
        "submitter": make_user("submitter"),
        "assignee": make_user("assignee"),
        "task owner": make_user("task-owner"),
        "granted team": make_user("member"),
        "model owner": make_user("model-owner"),
        "administrator": make_user("administrator", is_administrator=True),
        "stranger": make_user("stranger"),
    }
    task = make_task("hate", owners=[found["task owner"]])
    case = made_case(
        task,
        f"{WORD} {SECRET}",
        submitter=found["submitter"],
        description=f"described {SECRET}",
        trace_id=f"trace-{SECRET}",
        tags=[f"tag-{SECRET}"],
    )
    assign(actor=ACTOR, case=case, to=found["assignee"])
    add_comment(actor=ACTOR, case=case, author=found["submitter"], text=f"commented {SECRET}")
    let_team_read(task, found["granted team"], team=make_team("readers"))
    model = make_model("measured", owner=found["model owner"], tasks=(task,))
    run = start(actor=ACTOR, revision=verified(model.revisions.get()))
    assert run is not None
    finished(REGRESSION, run, knows())
    return found


class _Looks:
    """Everything that one person can ask for of the case."""

    def __init__(self, user: User, case: Case) -> None:
        self._user, self._case = user, case
        self._client = Client()
        self._client.force_login(user)
        self._api = Api(token=make_token(user))

    def page(self, address: str) -> str:
        answer = self._client.get(address)
        return answer.content.decode() if answer.status_code == 200 else ""

    def api(self, path: str, **query: Any) -> str:
        answer = self._api.get(path, **query)
        return answer.content.decode() if answer.status_code == 200 else ""

    def opened(self) -> str:
        by_page = self._client.post(reverse("dsat:open", args=[self._case.pk])).content.decode()
        by_api = self._api.post(f"/dsat/{self._case.number}/open", {}).content.decode()
        assert (SECRET in by_page) == (SECRET in by_api)
        return by_page + by_api

    def found(self) -> str:
        """Whether a search for a word of the content, the trace id or a tag leads to the case."""
        wanted = [{"search": WORD}, {"trace_id": f"trace-{SECRET}"}, {"tag": f"tag-{SECRET}"}]
        hits = [self._case.number in self.api("/dsat", **query) for query in wanted]
        hits.append(f"{self._case.number}</a>" in self.page(f"/dsat/?search={WORD}"))
        hits.append(f"/dsat/{self._case.pk}/" in self.page(f"/search/?q={WORD}"))
        assert len(set(hits)) == 1, hits
        return SECRET if hits[0] else ""

    def told(self) -> str:
        notified = Notification.objects.filter(recipient=self._user)
        mails = [one.subject + str(one.body) for one in mail.outbox if self._user.email in one.to]
        return " ".join([*(f"{one.title} {one.reason} {one.hint}" for one in notified), *mails])


PLACES: Mapping[str, tuple[Callable[[_Looks, Case], str], set[str]]] = {
    "page of the case, closed": (lambda one, case: one.page(f"/dsat/{case.pk}/"), READERS),
    "content": (lambda one, _case: one.opened(), READERS),
    "case by the API, closed": (lambda one, case: one.api(f"/dsat/{case.number}"), READERS),
    "list": (lambda one, _case: one.page("/dsat/"), READERS),
    "list by the API": (lambda one, _case: one.api("/dsat"), READERS),
    "search": (lambda one, _case: one.found(), READERS),
    "page of the task": (lambda one, case: one.page(f"/tasks/{case.task_id}/"), READERS),
    # who neither owns the model nor sees it finds no tab
    "regression outcome": (lambda one, _case: one.page("/models/measured/regression/"), NOBODY),
    "regression by the API": (lambda one, _case: one.api("/models/measured/revisions/v1.0.0/regression/cases"), NOBODY),
    "export of outcomes": (
        lambda one, _case: one.page(reverse("regression:download", args=["measured", "v1.0.0"])),
        NOBODY,
    ),
    "notifications": (lambda one, _case: one.told(), NOBODY),
    "history of the task": (lambda one, case: one.page(f"/history/task/{case.task_id}/"), NOBODY),
    "audit log": (lambda one, _case: one.page("/audit/"), NOBODY),
}


def test_content_is_seen_by_those_on_the_case_and_those_whom_the_task_lets_read(people: Mapping[str, User]):
    case = Case.objects.get()
    seen: dict[str, set[str]] = {place: set() for place in PLACES}
    for name, user in people.items():
        looks = _Looks(user, case)
        for place, (look, _expected) in PLACES.items():
            if SECRET in look(looks, case):
                seen[place].add(name)
    assert seen == {place: expected for place, (_look, expected) in PLACES.items()}


def test_a_model_owner_who_connects_a_private_model_sees_outcomes_and_no_content(people: Mapping[str, User]):
    api = Api(token=make_token(people["model owner"]))
    (outcome,) = api.get("/models/measured/revisions/v1.0.0/regression/cases").json()["items"]
    assert (outcome["case"], outcome["expected"], outcome["passed"]) == (Case.objects.get().pk, "1", False)
    assert SECRET not in json.dumps(outcome)
    assert (
        Api(token=make_token(people["stranger"])).get("/models/measured/revisions/v1.0.0/regression").status_code == 404
    )


def test_a_deleted_case_is_gone_from_every_table(people: Mapping[str, User]):
    case = Case.objects.get()
    _Looks(people["assignee"], case).opened()
    assert SECRET in _everything()
    delete_case(actor=ACTOR, case=case)
    assert SECRET not in _everything()
    assert not RegressionOutcome.objects.exists()
    assert {one.object_label for one in AuditEvent.objects.filter(object_type="dsat case")} == {case.number}


def _everything() -> str:
    """All rows of all tables."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a table of the database
            found.extend(_readable(value) for row in cursor.fetchall() for value in row)
    return "\n".join(found)


def _readable(value: object) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
