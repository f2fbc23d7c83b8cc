"""The owners of a dataset: added and removed by page and API, never the last."""

from __future__ import annotations

import pytest
from django.test import Client

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.datasets.models import Dataset
from mop.notifications.models import Notification
from support.api import Api
from support.datasets import dataset_input, make_datasets
from support.factories import make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return make_user("olivia")


@pytest.fixture
def dataset(owner: User) -> Dataset:
    return make_datasets(dataset_input("hate"), owner=owner)[0]


def owners_of(dataset: Dataset) -> set[str]:
    return set(dataset.owners.values_list("username", flat=True))


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_owner_adds_another_and_removes_them_after_a_question(owner: User, dataset: Dataset):
    make_user("sam")
    client = client_of(owner)
    assert "A dataset needs at least one owner." in client.get("/datasets/hate/").content.decode()
    assert client.post("/datasets/hate/owners/add/", {"username": "sam"}).headers["Location"] == "/datasets/hate/"
    assert owners_of(dataset) == {"olivia", "sam"}
    question = client.get("/datasets/hate/owners/remove/?username=sam").content.decode()
    assert "Remove sam from the owners of hate?" in question
    assert owners_of(dataset) == {"olivia", "sam"}
    client.post("/datasets/hate/owners/remove/", {"username": "sam"})
    assert owners_of(dataset) == {"olivia"}
    actions = AuditEvent.objects.filter(object_type="dataset", action__contains="owner").values_list(
        "action", flat=True
    )
    assert sorted(actions) == ["dataset.owner_added", "dataset.owner_removed"]
    told = Notification.objects.filter(recipient__username="sam").order_by("id").values_list("title", flat=True)
    assert list(told) == ["You are now an owner of hate", "You are no longer an owner of hate"]


def test_a_name_that_nobody_has_is_told_beside_the_field(owner: User, dataset: Dataset):
    make_user("samantha")
    answer = client_of(owner).post("/datasets/hate/owners/add/", {"username": "samant"})
    assert answer.status_code == 422
    assert "Do you mean one of these: samantha?" in answer.content.decode()


def test_the_last_owner_stays(owner: User, dataset: Dataset):
    answer = client_of(owner).post("/datasets/hate/owners/remove/", {"username": "olivia"})
    assert answer.status_code == 409
    assert "olivia is the last owner of hate" in answer.content.decode()
    assert owners_of(dataset) == {"olivia"}


def test_who_was_taken_off_changes_nothing_and_sees_no_rows(owner: User, dataset: Dataset):
    sam = make_user("sam")
    dataset.owners.add(sam)
    Api(token=make_token(owner)).delete("/datasets/hate/owners/sam")
    assert client_of(sam).get("/datasets/hate/faults.csv").status_code == 403
    assert client_of(sam).get("/datasets/hate/").status_code == 200


def test_the_api_adds_and_removes_owners_and_names_who_does_not_exist(owner: User, dataset: Dataset):
    api = Api(token=make_token(owner))
    make_user("sam")
    added = api.post("/datasets/hate/owners", {"username": "sam"})
    assert (added.status_code, added.json()["owners"]) == (201, ["olivia", "sam"])
    assert api.post("/datasets/hate/owners", {"username": "nobody"}).status_code == 422
    assert api.delete("/datasets/hate/owners/nobody").status_code == 404
    assert api.delete("/datasets/hate/owners/sam").status_code == 204
    assert api.delete("/datasets/hate/owners/olivia").status_code == 409


def test_an_administrator_reassigns_what_a_leaver_owned(dataset: Dataset):
    admin = make_user("admin", is_administrator=True)
    make_user("sam")
    client = client_of(admin)
    client.post("/datasets/hate/owners/add/", {"username": "sam"})
    client.post("/datasets/hate/owners/remove/", {"username": "olivia"})
    assert owners_of(dataset) == {"sam"}
    assert "/owners/add/" not in client_of(make_user("stranger")).get("/datasets/hate/").content.decode()
