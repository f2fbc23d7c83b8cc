"""The one number beside a version, in lists and heads; and what the pages that show it ask of the database."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.evaluation.beside_versions import headlines_of
from mop.evaluation.comparisons import compare_new
from mop.evaluation.headline import choose_headline
from mop.evaluation.models import Evaluation
from mop.registry.models import Model, Revision
from mop.registry.publishing import publish_revision
from support.evaluation_results import add_version, approved_dataset, evaluate, verified
from support.factories import ACTOR, make_model, make_task, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture
def owner() -> User:
    return make_user("olivia")


@pytest.fixture
def task() -> Task:
    return make_task("kinds", taxonomy="Violence", labels=["none", "threat", "graphic"])


@pytest.fixture
def model(owner: User, task: Task) -> Model:
    approved_dataset(task, name="kinds-en")
    return make_model("measured", owner=owner, tasks=(task,))


@pytest.fixture
def rows(model: Model) -> list[Evaluation]:
    """The results of three versions, each better than the one before."""
    versions = [verified(model.revisions.get()), add_version(model, "v2.0.0"), add_version(model, "v3.0.0")]
    return [evaluate(one, skill=skill)[0] for one, skill in zip(versions, (0.6, 0.8, 0.95), strict=True)]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_one_query_gives_numbers_and_what_changed_since_the_version_before(rows: list[Evaluation]):
    compare_new()
    with CaptureQueriesContext(connection) as queries:
        found = headlines_of(Revision.objects.all())
    assert len(queries) == 1
    ((first,), (second,), (third,)) = (found[row.revision_id] for row in rows)
    assert (first.change, first.before) == (None, "")
    assert (second.before, third.before) == ("v1.0.0", "v2.0.0")
    assert third.change.difference == rows[2].macro_f1 - rows[1].macro_f1
    assert third.change.interval.low < third.change.difference < third.change.interval.high
    Evaluation.objects.filter(pk=rows[1].pk).update(predictions_digest="ef" * 32)
    (third,) = headlines_of(Revision.objects.all())[rows[2].revision_id]
    assert third.change is None, "what was compared is another by now"


def test_the_number_is_of_the_chosen_dataset_while_it_is_approved(rows: list[Evaluation], task: Task, model: Model):
    small = approved_dataset(task, name="small", labels={"none": 60, "threat": 50, "graphic": 40}, groups={})
    evaluate(model.revisions.get(version="v3.0.0"), keeps=False)
    newest = rows[2].revision_id
    assert [one.evaluation.dataset.name for one in headlines_of(Revision.objects.all())[newest]] == ["kinds-en"]
    choose_headline(actor=ACTOR, task=task, dataset=small)
    assert [one.evaluation.dataset.name for one in headlines_of(Revision.objects.all())[newest]] == ["small"]
    small.bindings.update(state="rejected")
    assert [one.evaluation.dataset.name for one in headlines_of(Revision.objects.all())[newest]] == ["kinds-en"]


def test_the_models_list_shows_the_number_of_the_newest_usable_version_that_is_seen(
    rows: list[Evaluation], owner: User
):
    publish_revision(actor=ACTOR, revision=rows[1].revision)
    make_model("empty", owner=owner)
    own = shown(client_of(owner), "/models/")
    assert "Macro F1" in own
    assert f">{rows[2].macro_f1:.3f}<" in own
    others = shown(client_of(make_user("stranger")), "/models/")
    assert f">{rows[1].macro_f1:.3f}<" in others
    assert f">{rows[2].macro_f1:.3f}<" not in others
    root = shown(client_of(make_user("root", is_administrator=True)), "/models/")
    assert f">{rows[2].macro_f1:.3f}<" in root


def test_a_stranger_is_not_told_how_a_private_version_did(rows: list[Evaluation], owner: User):
    publish_revision(actor=ACTOR, revision=rows[1].revision)
    compare_new()
    assert "than v1.0.0" in shown(client_of(owner), "/models/measured/")
    stranger = client_of(make_user("stranger"))
    page = shown(stranger, "/models/measured/")
    assert f">{rows[1].macro_f1:.3f}<" in page
    assert "v1.0.0" not in page
    publish_revision(actor=ACTOR, revision=rows[0].revision)
    assert "than v1.0.0" in shown(stranger, "/models/measured/")


@pytest.mark.parametrize(("url", "most"), [("/home/", 1), ("/models/measured/", 2), ("/models/", 1)])
def test_evaluations_ask_few_questions_on_pages_of_other_areas(
    rows: list[Evaluation], owner: User, url: str, most: int
):
    compare_new()
    client = client_of(owner)
    shown(client, url)
    with CaptureQueriesContext(connection) as queries:
        shown(client, url)
    asked = [query["sql"] for query in queries if 'FROM "evaluation_evaluation" ' in query["sql"].split("WHERE")[0]]
    assert 1 <= len(asked) <= most
    assert len(queries) <= 14


def test_home_tells_of_results_runs_and_failures_one_item_a_version(rows: list[Evaluation], owner: User, model: Model):
    page = shown(client_of(owner), "/home/")
    assert page.count("was evaluated on kinds-en") == 3
    assert f"F1 {rows[0].headline:.3f} on kinds-en" in page
    for name in ("second", "third"):
        approved_dataset(rows[0].task, name=name, groups={})
    evaluate(rows[0].revision, keeps=False)
    page = shown(client_of(owner), "/home/")
    assert page.count("was evaluated on 3 datasets") == 1
    Evaluation.objects.filter(pk=rows[1].pk).update(
        state="failed", error={"name": "HostLostError", "message": "No host has room."}
    )
    Evaluation.objects.filter(pk=rows[2].pk).update(state="running", ended_at=None, note="waits for room")
    page = shown(client_of(owner), "/home/")
    assert "could not be evaluated on kinds-en" in page
    assert "No host has room." in page
    assert "is evaluated on kinds-en" in page
    assert "waits for room" in page
    assert "evaluated on" not in shown(client_of(make_user("stranger")), "/home/")
