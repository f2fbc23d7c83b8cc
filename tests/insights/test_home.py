"""Home: what needs a person now, what runs, what ended."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import add_member
from mop.catalog.models import Task
from mop.contract_runs.models import ContractRun, Subject
from mop.datasets.models import Binding, Dataset
from mop.loadtest.models import LoadTest
from mop.registry.models import Model, Revision
from mop.regression.models import RegressionRun
from mop.ui.extensions import HOME_DAYS
from support.datasets import dataset_input, make_datasets
from support.factories import ACTOR, make_model, make_task, make_user, put
from support.releases import live, make_releasable, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return make_user("olivia")


@pytest.fixture
def task(owner: User) -> Task:
    task = make_task("hate in text")
    task.owners.add(owner)
    return task


@pytest.fixture
def model(owner: User, task: Task) -> Model:
    return make_model("toxicity", owner=owner, tasks=(task,))


def home(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/home/").content.decode()


def set_revision(model: Model, **fields: Any) -> Revision:
    put(Revision.objects.filter(model=model), **fields)
    return Revision.objects.get(model=model)


def contract_run(revision: Revision, task: Task | None, **fields: Any) -> ContractRun:
    subject = Subject.TASK if task else Subject.SAMPLE
    return ContractRun.objects.create(
        revision=revision, subject=subject, task=task, queue="q", created_by_label="olivia", **fields
    )


def load_test(revision: Revision, state: str, modality: str = "Text", **fields: Any) -> LoadTest:
    ended = {"ended_at": timezone.now()} if state in {"finished", "failed"} else {}
    return LoadTest.objects.create(
        revision=revision, run=1, modality=modality, option="PerRPS", plan={}, queue="q", created_by_label="x",
        state=state, **(ended | fields),
    )  # fmt: skip


def test_the_portal_begins_with_home_and_it_is_the_first_place(owner: User):
    client = Client()
    client.force_login(owner)
    assert client.get("/").headers["Location"] == "/home/"
    links = client.get("/home/").context["nav_main"]
    assert (links[0].label, links[0].is_current, [link.is_current for link in links[1:]]) == (
        "Home",
        True,
        [False] * (len(links) - 1),
    )


def test_a_new_person_is_led_to_a_first_model(owner: User):
    html = home(owner)
    assert "Nothing waits for you" in html
    assert '<a class="btn btn--primary" href="/add-model/">Add a model</a>' in html


def test_a_failed_version_says_why_and_leads_to_an_upgrade(owner: User, model: Model):
    set_revision(model, status="verifyFailed", error={"name": "X", "message": "Line 84 raised <KeyError>.", "hint": ""})
    html = home(owner)
    assert "failed verification" in html
    assert "Line 84 raised &lt;KeyError&gt;." in html
    assert 'href="/models/toxicity/upgrade/" aria-label="Upgrade version: toxicity v1.0.0"' in html


def test_a_failed_version_that_a_newer_one_follows_needs_nobody(owner: User, model: Model):
    failed = set_revision(model, status="verifyFailed", created_at=timezone.now() - dt.timedelta(days=1))
    Revision.objects.create(
        model=model, version="v2", model_url="file:///x", instance_type=failed.instance_type, created_by=owner
    )
    html = home(owner)
    assert "failed verification" not in html
    assert "toxicity v2" in html


def test_what_runs_and_what_ended_stand_in_lists_of_their_own(owner: User, model: Model):
    assert "Running now" in home(owner)  # a new version waits
    set_revision(model, status="verified")
    html = home(owner)
    assert "Running now" not in html
    assert "is verified" in html
    set_revision(model, status_changed_at=timezone.now() - dt.timedelta(days=HOME_DAYS + 1))
    assert "Nothing waits for you" in home(owner)


def test_requests_to_the_owner_of_a_task_are_one_item(owner: User, task: Task):
    submitter = make_user("sam")
    for number in range(5):
        (dataset,) = make_datasets(dataset_input(name=f"hate-{number}", tasks=[task]), owner=submitter)
        Dataset.objects.filter(pk=dataset.pk).update(status="verified", rows=200)
    html = home(owner)
    assert f'href="/tasks/{task.pk}/#connection-requests"' in html
    assert "is asked for by 5 datasets" in html
    assert "hate-0, hate-1, hate-2 and 2 more" in html
    assert "Review 5" in html
    assert "is asked for" not in home(submitter)
    Binding.objects.update(state="approved", decided_at=timezone.now())
    assert "is asked for" not in home(owner)


def test_a_failed_dataset_names_the_kinds_of_its_faults(owner: User):
    (dataset,) = make_datasets(dataset_input(name="hate"), owner=owner)
    assert "is read and verified" in home(owner)
    faults = [{"kind": "empty-cell", "column": "text", "count": 1, "rows": [2]}]
    Dataset.objects.filter(pk=dataset.pk).update(status="verifyFailed", faults=faults)
    html = home(owner)
    assert "An empty cell." in html
    assert "See faults" in html


def test_a_failed_contract_run_stands_until_a_newer_one_or_until_the_task_is_disconnected(
    owner: User, model: Model, task: Task
):
    revision = set_revision(model, status="verified")
    ended = {"state": "failed", "ended_at": timezone.now(), "error": {"message": "Label 3 is missing."}}
    contract_run(revision, task, **ended)
    contract_run(revision, None, **ended)
    html = home(owner)
    assert "broke the contract with task hate in text" in html
    assert html.count("broke the contract with its new sample post data") == 1
    contract_run(revision, task)
    assert "broke the contract with task" not in home(owner)
    model.connections.all().delete()
    ContractRun.objects.filter(state="queued").delete()
    assert "broke the contract with task" not in home(owner)


def test_a_load_test_of_several_modalities_is_one_item(owner: User, model: Model):
    revision = set_revision(model, status="verified")
    load_test(revision, "finished")
    load_test(revision, "running", "Image")
    assert home(owner).count("is load-tested") == 1
    LoadTest.objects.filter(modality="Image").update(
        state="failed", ended_at=timezone.now(), error={"message": "No host has room."}
    )
    html = home(owner)
    assert "could not be load-tested" in html
    assert "No host has room." in html


def test_others_see_nothing_of_it(owner: User, model: Model, task: Task):
    revision = set_revision(model, status="verifyFailed")
    load_test(revision, "running")
    make_datasets(dataset_input(name="hate", tasks=[task]), owner=owner)
    for other in (make_user("stranger"), make_user("admin", is_administrator=True)):
        assert "Nothing waits for you" in home(other)


def test_home_asks_the_same_number_of_queries_whatever_waits(
    owner: User, model: Model, task: Task, django_assert_num_queries: Any
):
    client = Client()
    client.force_login(owner)
    client.get("/home/")
    with CaptureQueriesContext(connection) as few:
        client.get("/home/")
    for number in range(4):
        other = make_model(f"m{number}", owner=owner, tasks=(task,))
        revision = set_revision(other, status="verified" if number % 2 else "verifyFailed")
        load_test(revision, "finished")
        contract_run(revision, task, state="failed", ended_at=timezone.now())
        (dataset,) = make_datasets(dataset_input(name=f"d{number}", tasks=[task]), owner=owner)
        Dataset.objects.filter(pk=dataset.pk).update(status="verified", rows=200)
    with django_assert_num_queries(len(few)):
        client.get("/home/")


def test_the_live_part_answers_304_while_nothing_changes(owner: User, model: Model):
    client = Client()
    client.force_login(owner)
    first = client.get("/live/home/")
    assert client.get("/live/home/", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    set_revision(model, status="verified")
    assert client.get("/live/home/", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_what_is_live_of_ones_teams_stands_beside_the_lists(owner: User, task: Task):
    assert "Live from your team" not in home(owner)
    revision, service = make_releasable(task, owner=owner), make_service()
    release = live(revision, service)
    RegressionRun.objects.filter(revision=revision).update(cases=8, passed=7)
    page = home(owner)
    assert "Live from your team" in page
    assert f'<a href="{reverse("releases:release", args=[release.pk])}">{revision.model.name}</a>' in page
    assert "87.5 %" in page
    assert "Live from your team" not in home(make_user())
    member = make_user()
    add_member(actor=ACTOR, team=revision.model.team, user=member)
    assert revision.model.name in home(member)
    put(Revision.objects.filter(pk=revision.pk), publish_status="private")
    assert "Live from your team" not in home(member)
