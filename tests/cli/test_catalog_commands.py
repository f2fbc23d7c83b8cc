"""`mop taxonomy`, `mop instance-type`, and `mop task show`, `edit`, `headline`."""

from __future__ import annotations

import pytest

from cli.conftest import Mop
from mop.accounts.models import User
from mop.catalog.models import InstanceType, Task, Taxonomy
from support.evaluation_results import approved_dataset
from support.factories import make_task, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("engine_database")]


@pytest.fixture
def user() -> User:
    return make_user("ada", is_administrator=True)


@pytest.fixture
def task(user: User) -> Task:
    return make_task("kinds", taxonomy="Violence", labels=["none", "threat"], owners=[user])


def test_taxonomies_are_listed_defined_and_described(mop: Mop):
    rows = mop("taxonomy", "list").out.splitlines()[1:]
    assert {row.split()[0] for row in rows} >= {"Hate", "Self-harm", "Sexual", "Violence", "Jailbreak", "Defensive"}
    assert len(mop("taxonomy", "list", "--json").json) == len(rows)
    made = mop("taxonomy", "create", "Spam", "--description", "Unwanted offers.", "--json")
    assert (made.code, made.json) == (0, {"name": "Spam", "description": "Unwanted offers."})
    assert mop("taxonomy", "create", "Spam").code == 64
    assert mop("taxonomy", "edit", "Spam", "--description", "Offers.").err == "the taxonomy Spam is changed\n"
    assert Taxonomy.objects.get(name="Spam").description == "Offers."
    assert mop("taxonomy", "edit", "Sham", "--description", "x").code == 64


def test_instance_types_are_listed_defined_retired_and_offered_again(mop: Mop):
    size = ("--vcpus", "8", "--memory-gib", "32", "--gpus", "1", "--gpu-name", "T4")
    assert mop("instance-type", "create", "Large", *size).err == "the instance type Large is defined\n"
    [line] = [line for line in mop("instance-type", "list").out.splitlines() if line.startswith("Large")]
    assert line.split() == ["Large", "8", "32", "GiB", "1", "T4", "yes"]
    assert mop("instance-type", "retire", "Large", "--json").json["is_offered"] is False
    assert "Large" not in mop("instance-type", "list").out
    assert "Large" in mop("instance-type", "list", "--retired").out
    assert mop("instance-type", "offer", "Large").err == "Large is offered\n"
    assert InstanceType.objects.get(name="Large").is_enabled
    assert mop("instance-type", "create", "None", "--vcpus", "0", "--memory-gib", "1").code == 64


def test_a_task_is_shown_and_edited(task: Task, mop: Mop):
    shown = mop("task", "show", "kinds")
    assert (shown.code, [line.split()[-1] for line in shown.out.splitlines() if line.startswith("owners")]) == (
        0,
        ["ada"],
    )
    assert "headline dataset: none: no dataset is approved for the task" in shown.out
    assert mop("task", "show", "kinds", "--json").json["labels"] == ["none", "threat"]
    assert mop("task", "edit", "kinds").code == 64
    make_user("bo")
    changed = mop("task", "edit", "kinds", "--description", "Threats.", "--owner", "bo", "--owner", "ada", "--json")
    assert (changed.json["description"], changed.json["owners"]) == ("Threats.", ["ada", "bo"])
    assert mop("task", "edit", "kinds", "--owner", "nobody").code == 64
    assert [one.username for one in task.owners.order_by("username")] == ["ada", "bo"]


def test_the_headline_dataset_of_a_task_is_chosen_and_left_to_the_largest(task: Task, mop: Mop):
    approved_dataset(task, name="kinds-en")
    approved_dataset(task, name="kinds-de")
    assert mop("task", "headline", "kinds", "kinds-de").out == "kinds-de (chosen by an owner)\n"
    assert mop("task", "headline", "kinds", "--json").json["dataset"] == "kinds-de"
    assert mop("task", "headline", "kinds", "kinds-de", "--largest").code == 64
    assert mop("task", "headline", "kinds", "kinds-fr").code == 64
    assert mop("task", "headline", "kinds", "--largest", "--json").json["is_chosen"] is False
