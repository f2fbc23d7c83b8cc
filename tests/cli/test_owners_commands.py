"""The commands of owners: publish, edit, tasks and sample of a model; groups."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.commands import Result
from mop.accounts.models import User
from mop.contract_runs.models import ContractRun
from mop.datasets.models import Dataset
from mop.registry.group_models import ModelGroup
from mop.registry.models import Model, Revision
from support.contract_runs import prove
from support.datasets import dataset_input, make_datasets
from support.factories import make_model, make_task, make_team, make_user, put

Mop = Callable[..., Result]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def verified(model: Model) -> Revision:
    put(Revision.objects.filter(model=model), status="verified")
    prove(model.revisions.get())
    return model.revisions.get()


def test_a_verified_version_is_published_and_made_private_again(mop: Mop, model: Model):
    refused = mop("model", "publish", "toxicity")
    assert refused.code != 0
    assert "verified" in refused.err
    put(Revision.objects.filter(model=model), status="verified")
    assert mop("model", "publish", "toxicity").err == "toxicity v1.0.0 is public\n"
    assert mop("model", "unpublish", "toxicity", "--version", "v1.0.0", "--json").json["publish_status"] == "private"


def test_a_version_is_set_aside_after_a_question(mop: Mop, verified: Revision):
    assert mop("model", "outdated", "toxicity", "--version", "v1.0.0", "--yes").code == 0
    verified.refresh_from_db()
    assert verified.status == "outdated"


def test_description_and_tags_are_edited(mop: Mop, model: Model):
    assert mop("model", "edit", "toxicity").code == 64
    edited = mop("model", "edit", "toxicity", "--description", "New words", "--tag", "fast", "--tag", "small", "--json")
    assert (edited.json["description"], edited.json["tags"]) == ("New words", ["fast", "small"])
    assert mop("model", "edit", "toxicity", "--tag", "", "--json").json["tags"] == []


def test_owners_come_and_go_and_one_may_leave_a_model_that_one_then_sees_no_more(mop: Mop, model: Model):
    make_user("sam")
    assert mop("model", "owners", "remove", "toxicity", "ada", "--yes").code == 64  # the last one
    assert mop("model", "owners", "add", "toxicity", "nobody").code == 64
    assert mop("model", "owners", "add", "toxicity", "sam").err == "owners of toxicity: ada, sam\n"
    assert mop("model", "owners", "add", "toxicity", "sam", "--json").json["owners"] == ["ada", "sam"]
    left = mop("model", "owners", "remove", "toxicity", "ada", "--yes")
    assert (left.code, left.err) == (0, "owners of toxicity: sam\n")
    assert mop("model", "show", "toxicity").code == 64
    assert [owner.username for owner in model.owners.all()] == ["sam"]


def test_owners_of_a_dataset_come_and_go(mop: Mop, user: User):
    make_user("sam")
    (dataset,) = make_datasets(dataset_input("hate-en"), owner=user)
    assert mop("dataset", "owners", "remove", "hate-en", "ada", "--yes").code == 64  # the last one
    assert mop("dataset", "owners", "add", "hate-en", "nobody").code == 64
    assert mop("dataset", "owners", "add", "hate-en", "sam").err == "owners of hate-en: ada, sam\n"
    assert mop("dataset", "owners", "add", "hate-en", "sam", "--json").json["owners"] == ["ada", "sam"]
    left = mop("dataset", "owners", "remove", "hate-en", "ada", "--yes")
    assert (left.code, left.err) == (0, "owners of hate-en: sam\n")
    assert [owner.username for owner in dataset.owners.all()] == ["sam"]


def test_a_dataset_is_set_aside_after_a_question(mop: Mop, user: User, monkeypatch: pytest.MonkeyPatch):
    (dataset,) = make_datasets(dataset_input("hate-en"), owner=user)
    Dataset.objects.filter(pk=dataset.pk).update(status="verified")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    refused = mop("dataset", "outdated", "hate-en")
    assert refused.code == 130
    assert "cannot be undone" in refused.err
    assert mop("dataset", "outdated", "hate-en", "--yes").err == "hate-en is outdated\n"


def test_a_task_is_added_checked_again_and_disconnected(mop: Mop, verified: Revision):
    make_task("blood", taxonomy="Violence")
    added = mop("model", "add-task", "toxicity", "blood", "--as", "gore")
    assert added.code == 0, added.err
    assert [line.split()[:3] for line in added.out.splitlines()[1:]] == [
        ["hate", "in", "text"],
        ["blood", "Violence", "gore"],
    ]
    states = {item["task"]: item["versions"][0]["state"] for item in mop("model", "tasks", "toxicity", "--json").json}
    assert states == {"hate in text": "passed", "blood": "queued"}
    ContractRun.objects.all().delete()
    assert mop("model", "check-task", "toxicity", "blood", "--json").json["state"] == "queued"
    ContractRun.objects.all().delete()
    assert mop("model", "disconnect-task", "toxicity", "blood").err == "The task blood is disconnected from toxicity.\n"
    assert verified.model.connections.count() == 1
    assert mop("model", "disconnect-task", "toxicity", "blood").code != 0


def test_a_sample_is_shown_and_changed_by_a_run(mop: Mop, verified: Revision, tmp_path: Path):
    put(Revision.objects.all(), sample_post_data={"text": "old"})
    assert mop("model", "sample", "toxicity").json == {"text": "old"}
    (tmp_path / "sample.json").write_text('{"text": "new"}')
    changed = mop("model", "sample", "toxicity", "--set", f"@{tmp_path}/sample.json")
    assert "verifies the sample; the present one counts until it passed" in changed.err
    verified.refresh_from_db()
    assert verified.sample_post_data == {"text": "old"}
    assert mop("model", "sample", "toxicity", "--set", "{").code == 64


def test_a_group_is_made_filled_renamed_and_deleted(mop: Mop, model: Model, user: User):
    make_model("other", owner=user)
    made = mop("group", "create", "Candidates", "toxicity", "--json")
    assert (made.json["name"], made.json["model_count"]) == ("Candidates", 1)
    assert mop("group", "add", "Candidates", "other", "--json").json["model_count"] == 2
    assert mop("group", "remove", "Candidates", "toxicity").err == "toxicity no longer in Candidates\n"
    assert mop("group", "rename", "Candidates", "Finalists").code == 0
    listed = mop("group", "list").out.splitlines()
    assert listed[0].split() == ["ID", "NAME", "OWNER", "MODELS", "LISTED"]
    assert listed[1].split()[1:] == ["Finalists", "ada", "1", "yes"]
    assert mop("group", "delete", "Finalists", "--yes").err == "deleted the group Finalists\n"
    assert not ModelGroup.objects.exists()
    assert Model.objects.count() == 2


def test_a_group_is_shared_hidden_and_found_by_its_id_where_two_have_the_name(mop: Mop, user: User):
    make_user("sam")
    make_team("Moderation")
    key = str(mop("group", "create", "Mine", "--json").json["id"])
    assert mop("group", "share", "Mine", "--user", "sam").err == "Mine is shared with sam\n"
    assert mop("group", "share", key, "--team", "Moderation").code == 0
    assert mop("group", "unshare", "Mine", "--user", "sam").code == 0
    again = mop("group", "unshare", "Mine", "--user", "sam")
    assert "Mine is not shared with sam." in again.err
    assert mop("group", "hide", "Mine", "--json").json["is_listed"] is False
    assert mop("group", "unhide", "Mine", "--json").json["is_listed"] is True
    unknown = mop("group", "add", "Nothing", "toxicity")
    assert "`mop group list` shows what there is." in unknown.err


def test_an_upgrade_takes_the_url_as_create_does(mop: Mop, model: Model):
    url = model.revisions.get().model_url
    upgraded = mop("model", "upgrade", "toxicity", url, "--json")
    assert (upgraded.code, upgraded.json["version"]) == (0, "v1.0.1")
    twice = mop("model", "upgrade", "toxicity", url, "--url", url)
    assert twice.code == 64
    assert "give the model url once" in twice.err


def test_contract_runs_are_listed_and_ended(mop: Mop, verified: Revision):
    put(Revision.objects.all(), sample_post_data={"text": "old"})
    assert mop("model", "sample", "toxicity", "--set", '{"text": "new"}').code == 0
    [run] = [one for one in mop("model", "checks", "toxicity", "--json").json if one["state"] == "queued"]
    [line] = [line for line in mop("model", "checks", "toxicity").out.splitlines() if line.startswith(run["id"])]
    assert line.split()[1:5] == ["sample", "post", "data", "queued"]
    assert mop("model", "cancel-check", "toxicity", run["id"]).err == f"Contract run {run['id']} is cancelled.\n"
    assert mop("model", "cancel-check", "toxicity", run["id"]).code == 64
    assert mop("model", "sample", "toxicity").json == {"text": "old"}


def test_a_webhook_is_edited(mop: Mop, user: User, settings: Any):
    settings.MOP_WEBHOOK_HOSTS = ["hooks.example.com"]
    hook = mop("webhook", "create", "https://hooks.example.com/mop", "--kind", "verified", "--json").json
    assert mop("webhook", "edit", str(hook["id"])).code == 64
    assert mop("webhook", "edit", str(hook["id"]), "--kind", "verified", "--every-kind").code == 64
    edited = mop("webhook", "edit", str(hook["id"]), "--description", "Chat.", "--json").json
    assert (edited["description"], edited["kinds"], edited["url"]) == ("Chat.", ["verified"], hook["url"])
    assert mop("webhook", "edit", str(hook["id"]), "--every-kind", "--json").json["kinds"] is None
    assert mop("webhook", "edit", str(hook["id"]), "--url", "https://elsewhere.example.com/").code == 64
