"""The wizard, the pages of a dataset, and the connection requests on a task's page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.datasets.models import Binding, Dataset
from mop.datasets.reading import Fault, FaultKind, Report
from mop.datasets.services import change_dataset
from support.datasets import dataset_folder, dataset_input, make_datasets, settled
from support.factories import ACTOR, make_task, make_user

pytestmark = pytest.mark.django_db

CLEAN = Report(rows=150, size=9000, columns=2, label_counts={"hate": {"0": 100, "1": 50}})
FAULTY = Report(
    rows=150, size=9000, columns=2, faults=(Fault(FaultKind.EMPTY_CELL, "text", 25, tuple(range(4711, 4731))),)
)


@pytest.fixture
def owner(db: None) -> User:
    return make_user("olivia")


@pytest.fixture
def task(db: None) -> Task:
    return make_task("hate in text")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def file_step(client: Client, owner: User, **fields: str) -> Any:
    given = {
        "modality": "Text",
        "team": str(owner.teams.get().pk),
        "url": dataset_folder().as_uri(),
        "language": "en",
        "group_columns": "source, year",
        "language_column": "",
    }
    return client.post("/add-datasets/", given | fields)


def columns(*given: dict[str, Any], **more: str) -> dict[str, Any]:
    data: dict[str, Any] = {"dataset-TOTAL_FORMS": str(len(given)), "dataset-INITIAL_FORMS": "0", **more}
    for place, one in enumerate(given):
        defaults = {"label_header": "hate", "name": f"name-{place}", "label_type": "Binary", "label_size": ""}
        data |= {f"dataset-{place}-{name}": value for name, value in (defaults | one).items()}
    return data


def test_the_wizard_adds_and_removes_label_columns_and_creates_their_datasets(owner: User, task: Task):
    client = client_of(owner)
    step = file_step(client, owner).headers["Location"]
    assert client.get(step).content.decode().count("Remove") == 0
    two = client.post(step, columns({"name": "first"}, add="1")).content.decode()
    assert 'value="first"' in two
    assert two.count('<fieldset class="card"') == 2
    one = client.post(step, columns({"name": "first"}, {"name": "second"}, remove="0")).content.decode()
    assert 'value="second"' in one
    assert 'value="first"' not in one
    done = client.post(
        step,
        columns({"name": "a", "tasks": [str(task.pk)], "description": "x"}, {"name": "b", "label_header": "violence"}),
    )
    assert done.headers["Location"] == reverse("datasets:datasets")
    made = Dataset.objects.get(name="a")
    assert (made.file.group_columns, made.file.language, made.description) == (["source", "year"], "en", "x")
    assert [binding.task for binding in made.bindings.all()] == [task]
    assert Dataset.objects.get(name="b").file == made.file


def test_back_keeps_what_was_typed_in_both_steps(owner: User):
    client = client_of(owner)
    step = file_step(client, owner, language="pt-BR").headers["Location"]
    back = client.post(step, columns({"name": "kept"}, back="1")).headers["Location"]
    assert 'value="pt-BR"' in client.get(back).content.decode()
    assert 'value="kept"' in client.get(step).content.decode()


def test_faults_of_the_form_stand_beside_their_fields(owner: User, task: Task):
    client = client_of(owner)
    refused = file_step(client, owner, url="file:///etc")
    assert refused.status_code == 422
    assert "not under an allowed root" in refused.content.decode()
    step = file_step(client, owner).headers["Location"]
    make_datasets(dataset_input("taken"), owner=owner)
    answer = client.post(step, columns({"name": "taken"}, {"name": "ok", "label_type": "Ordinal", "label_header": "x"}))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "This name is taken." in page
    assert "Connect the ordinal task whose levels the dataset uses." in page
    assert Dataset.objects.count() == 1
    assert task


def test_the_principal_that_needs_the_role_is_named(owner: User):
    url = dataset_folder().as_uri()
    assert "MOP reads this as the user" in client_of(owner).get(f"/add-datasets/principal/?url={url}").content.decode()


def test_the_list_hides_failed_and_outdated_and_its_address_is_the_view(owner: User):
    for name, status in (("good", "verified"), ("bad", "verifyFailed"), ("old", "outdated"), ("new", "created")):
        make_datasets(dataset_input(name), owner=owner)
        Dataset.objects.filter(name=name).update(status=status)

    def names(query: str) -> set[str]:
        page = client_of(owner).get(f"/datasets/{query}").content.decode()
        return {name for name in ("good", "bad", "old", "new") if f"/datasets/{name}/" in page}

    assert names("") == {"good", "new"}
    assert names("?status=all") == {"good", "bad", "old", "new"}
    assert names("?status=verifyFailed") == {"bad"}
    assert names("?search=OO") == {"good"}
    assert names("?modality=Image") == set()


def test_faults_are_shown_with_rows_to_owners_and_without_to_others(owner: User):
    (dataset,) = make_datasets(dataset_input("bad"), owner=owner)
    settled(dataset, FAULTY)
    mine = client_of(owner).get("/datasets/bad/").content.decode()
    assert "An empty cell" in mine
    assert "4711, 4712" in mine
    assert "and 5 more" in mine
    assert "4711" in client_of(owner).get("/datasets/bad/faults.csv").content.decode()
    other = client_of(make_user()).get("/datasets/bad/").content.decode()
    assert "An empty cell" in other
    assert "4711" not in other


def test_an_owner_of_the_task_approves_and_takes_back_on_its_page(owner: User, task: Task):
    (dataset,) = make_datasets(dataset_input("wanted", [task]), owner=owner)
    settled(dataset, CLEAN)
    decides, page = client_of(task.owners.get()), f"/tasks/{task.pk}/"
    assert "wait for your approval" not in client_of(owner).get("/datasets/").content.decode()
    assert "1 connection request waits" in decides.get("/datasets/").content.decode()
    assert "/approve/" in decides.get(page).content.decode()
    assert "/approve/" not in client_of(owner).get(page).content.decode()
    binding = Binding.objects.get()
    assert decides.post(f"/connection-requests/{binding.pk}/approve/").status_code == 302
    assert "Withdraw…" in decides.get(page).content.decode()
    decides.post(f"/connection-requests/{binding.pk}/reject/", {"comment": "Another label guide."})
    assert "Another label guide." in client_of(owner).get("/datasets/wanted/").content.decode()


def test_a_list_costs_a_fixed_number_of_queries(owner: User, task: Task, django_assert_max_num_queries: Any):
    for number in range(3):
        make_datasets(dataset_input(f"d{number}", [task]), owner=owner)
    client = client_of(owner)
    client.get("/datasets/")
    with django_assert_max_num_queries(20):
        client.get("/datasets/")
    for number in range(3, 12):
        make_datasets(dataset_input(f"d{number}", [task]), owner=owner)
    with django_assert_max_num_queries(20):
        client.get("/datasets/")


def test_tasks_that_somebody_else_connected_meanwhile_stay(task: Task, owner: User):
    second, third = make_task("hate in posts"), make_task("hate in chats")
    (dataset,) = make_datasets(dataset_input("hate-en", tasks=[task, second]), owner=owner)
    dataset = settled(dataset, CLEAN)
    client, address = client_of(owner), "/datasets/hate-en/tasks/"
    shown = [str(one.pk) for one in (task, second)]
    page = client.get(address).content.decode()
    assert all(f'name="initial-tasks" value="{key}"' in page for key in shown)
    fourth = make_task("hate in mails")
    change_dataset(actor=ACTOR, dataset=dataset, tasks=[task, third])  # takes the second away, adds the third
    sent = {"initial-tasks": shown, "tasks": [str(second.pk), str(fourth.pk)]}  # takes the first away, adds the fourth
    assert client.post(address, sent).status_code == 302
    assert {one.task for one in dataset.bindings.select_related("task")} == {third, fourth}
