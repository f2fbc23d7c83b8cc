"""The wizard and Upgrade version: defaults, errors beside fields, values that survive, who may."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from mop.accounts.models import User
from mop.catalog.models import InstanceType, Task
from mop.catalog.services import offer_instance_type
from mop.registry import source_check
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision
from support.browsing import client_of, send
from support.factories import ACTOR, make_model, make_revision_input, make_task


@pytest.fixture
def task(db: None) -> Task:
    return make_task("hate in text")


@pytest.fixture
def folder() -> str:
    path = settings.MOP_FILE_ROOTS[0] / "wizard"
    path.mkdir(exist_ok=True)
    (path / "inference.py").touch()
    return path.as_uri()


def shown_values(html: str) -> dict[str, Any]:
    """The values that the form on a page holds, as a browser would send them."""
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        is_box = attributes.get("type") == "checkbox"
        if "name" in attributes and "disabled" not in tag and (not is_box or " checked" in tag):
            values[attributes["name"]] = attributes.get("value", "on")
    for name, inside in re.findall(r'<select name="([a-z_]+)".*?>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inside) or re.search(r'value="([^"]*)"', inside)
        values[name] = chosen[1] if chosen else ""
    for name, inside in re.findall(r'<textarea name="([a-z_]+)"[^>]*>\s*(.*?)</textarea>', html, re.DOTALL):
        values[name] = inside.strip()
    return {name: value for name, value in values.items() if name not in {"csrfmiddlewaretoken", "next"}}


def first_step(client: Client, **changes: Any):
    values = shown_values(client.get("/add-model/").content.decode()) | changes
    return send(client, "/add-model/", values)


def test_a_first_model_needs_only_a_url_and_a_task(owner: User, task: Task, folder: str):
    client = client_of(owner)
    second = first_step(client, model_url=folder).headers["Location"]
    response = send(
        client, second, {f"task_{task.taxonomy_id}": task.pk, f"customized_name_{task.taxonomy_id}": "hate"}
    )
    model = Model.objects.get()
    assert response.headers["Location"] == f"/models/{model.name}/?details=v1.0.0"
    assert re.fullmatch(r"olivia-model-[a-z]{4}", model.name)
    assert model.description.startswith("This model is created by olivia on MOP on ")
    assert [owner.pk for owner in model.owners.all()] == [owner.pk]
    assert model.connections.get().customized_name == "hate"
    revision = model.revisions.get()
    assert revision.note.startswith(f"This version for model {model.name} is created by olivia on MOP on ")
    assert revision.configuration() == {
        "instance_type": "Standard_F4s_v2",
        "server": "mop",
        "worker_number": 1,
        "thread_number": 8,
        "batch_enabled": True,
        "batch_max_size": 12,
        "batch_idle_size": 3,
        "batch_max_interval": 0.002,
    }
    assert (revision.regression_enabled, revision.load_test_option) == (True, "PerConcurrency")
    assert revision.sample_post_data is None


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "has space", "Use letters, digits, _ and - only."),
        ("name", "", "Fill this in."),
        ("version", "-1", "Start with a letter or digit"),
        ("model_url", "", "Fill this in."),
        ("model_url", "https://elsewhere.example/x/y", "elsewhere.example"),
        ("model_url", "file:///etc", "is not under an allowed root"),
        ("sample_post_data", "{text:", "This is not JSON."),
        ("server", "apache", "Choose one of the values"),
        ("worker_number", "0", "Enter at least 1."),
        ("batch_idle_size", "13", "must not be over the max batch size, 12"),
        ("instance_type", "Standard_Imaginary", "Choose one of the values"),
    ],
)
def test_a_wrong_field_is_told_beside_it_and_the_values_stay(
    field: str, value: str, message: str, owner: User, task: Task, folder: str
):
    response = first_step(client_of(owner), **({"model_url": folder, "note": "my own note"} | {field: value}))
    html = response.content.decode()
    assert response.status_code == 422
    beside = re.search(rf'<ul class="field__errors" id="id_{field}_error">(.*?)</ul>', html, re.DOTALL)
    assert beside is not None
    assert message in beside[1]
    assert f'href="#id_{field}"' in html
    assert "my own note" in html


def test_a_wrong_url_is_told_in_the_summary_and_beside_the_field_and_not_once_more_below(owner: User, task: Task):
    html = first_step(client_of(owner), model_url="file:///etc").content.decode()
    assert html.count("is not under an allowed root") == 2
    assert '<div id="principal" role="status"></div>' in html


def test_a_taken_name_is_told_in_the_first_step(owner: User, model: Model, folder: str):
    response = first_step(client_of(owner), model_url=folder, name="toxicity")
    assert response.status_code == 422
    assert "taken or reserved" in response.content.decode()


def test_only_the_users_own_teams_can_be_chosen(owner: User, stranger: User, task: Task, folder: str):
    response = first_step(client_of(owner), model_url=folder, team=stranger.teams.get().pk)
    assert response.status_code == 422
    assert "Choose one of the values" in response.content.decode()


def test_a_second_step_without_a_task_or_with_bad_names_is_refused(owner: User, task: Task, folder: str):
    other = make_task(taxonomy="Violence")
    client = client_of(owner)
    second = first_step(client, model_url=folder).headers["Location"]
    assert "Connect at least one task." in send(client, second).content.decode()
    both = {f"task_{task.taxonomy_id}": task.pk, f"task_{other.taxonomy_id}": other.pk}
    nameless = send(client, second, both)
    assert nameless.status_code == 422
    assert "Give the name that the model&#x27;s output uses." in nameless.content.decode()
    same = {f"customized_name_{task.taxonomy_id}": "x", f"customized_name_{other.taxonomy_id}": "x"}
    assert "they must differ" in send(client, second, both | same).content.decode()
    foreign = send(client, second, {f"task_{task.taxonomy_id}": other.pk})
    assert "Choose one of the values" in foreign.content.decode()
    assert not Model.objects.exists()


def test_the_only_task_that_there_is_is_chosen_beforehand(owner: User, task: Task, folder: str):
    client = client_of(owner)
    second = first_step(client, model_url=folder).headers["Location"]
    assert f'<option value="{task.pk}" selected>' in client.get(second).content.decode()
    make_task("another")
    assert f'<option value="{task.pk}" selected>' not in client.get(second).content.decode()


def test_back_keeps_both_steps(owner: User, task: Task, folder: str):
    client = client_of(owner)
    second = first_step(client, model_url=folder, name="kept").headers["Location"]
    choice = {f"task_{task.taxonomy_id}": task.pk, f"customized_name_{task.taxonomy_id}": "mine"}
    first = send(client, second, choice | {"back": "1"}).headers["Location"]
    values = shown_values(client.get(first).content.decode())
    assert values["name"] == "kept"
    again = send(client, first, values).headers["Location"]
    assert again == second
    assert 'value="mine"' in client.get(second).content.decode()


def test_two_drafts_of_one_session_do_not_mix(owner: User, task: Task, folder: str):
    client = client_of(owner)
    one = first_step(client, model_url=folder, name="one").headers["Location"]
    two = first_step(client, model_url=folder, name="two").headers["Location"]
    assert one != two
    for second in (one, two):
        send(client, second, {f"task_{task.taxonomy_id}": task.pk, f"customized_name_{task.taxonomy_id}": "hate"})
    assert sorted(Model.objects.values_list("name", flat=True)) == ["one", "two"]


def test_a_name_taken_between_the_steps_leads_back_to_the_first(owner: User, task: Task, folder: str):
    client = client_of(owner)
    second = first_step(client, model_url=folder, name="raced").headers["Location"]
    make_model("raced", owner=owner, tasks=(task,))
    response = send(
        client, second, {f"task_{task.taxonomy_id}": task.pk, f"customized_name_{task.taxonomy_id}": "hate"}
    )
    assert response.status_code == 422
    assert 'id="id_name_error"' in response.content.decode()


def test_another_persons_draft_is_gone(owner: User, stranger: User, task: Task, folder: str):
    second = first_step(client_of(owner), model_url=folder).headers["Location"]
    assert client_of(stranger).get(second).headers["Location"] == "/add-model/"


def test_the_principal_is_named_for_the_url(owner: User, folder: str):
    client = client_of(owner)
    assert "MOP reads this as the user" in client.get("/add-model/principal/", {"model_url": folder}).content.decode()
    assert "Allowed here: file:///" in client.get("/add-model/principal/").content.decode()
    refused = client.get("/add-model/principal/", {"model_url": "https://x.example/a/b"})
    assert "note--warn" in refused.content.decode()


def test_the_principal_of_a_container_comes_with_the_command_that_grants_the_role(owner: User, settings: Any):
    settings.MOP_AZURE_ACCOUNTS = '[{"name": "models", "account_key": "c2VjcmV0"}]'
    url = "https://models.blob.core.windows.net/box/folder"
    html = client_of(owner).get("/add-model/principal/", {"model_url": url}).content.decode()
    assert "Storage Blob Data Reader" in html
    assert "az role assignment create" in html
    assert "c2VjcmV0" not in html


def test_upgrade_starts_from_the_last_version(model: Model, owner: User):
    Revision.objects.update(thread_number=3, batch_enabled=False, sample_post_data={"text": "x"})
    client = client_of(owner)
    values = shown_values(client.get("/models/toxicity/upgrade/").content.decode())
    assert values["version"] == "v1.0.1"
    assert values["thread_number"] == "3"
    assert "batch_enabled" not in values
    values["sample_post_data"] = '{"text": "y"}'
    response = send(client, "/models/toxicity/upgrade/", values)
    assert response.headers["Location"] == "/models/toxicity/?details=v1.0.1"
    created = Revision.objects.get(version="v1.0.1")
    assert (created.thread_number, created.batch_enabled, created.sample_post_data) == (3, False, {"text": "y"})
    assert created.model_url == Revision.objects.get(version="v1.0.0").model_url


def test_upgrade_proposes_a_version_that_is_free_and_asks_where_the_instance_type_is_retired(model: Model, owner: User):
    create_revision(actor=ACTOR, user=owner, model=model, revision=make_revision_input("v1.0.1"))
    create_revision(actor=ACTOR, user=owner, model=model, revision=make_revision_input("v1.0.0-final"))
    today = timezone.localdate().isoformat()
    create_revision(actor=ACTOR, user=owner, model=model, revision=make_revision_input(today))
    usual = InstanceType.objects.get(name="Standard_F4s_v2")
    offer_instance_type(actor=ACTOR, instance_type=usual, is_offered=False)
    client = client_of(owner)
    page = client.get("/models/toxicity/upgrade/").content.decode()
    assert shown_values(page)["version"] == f"{today}.2"
    assert "Standard_F4s_v2 is retired: choose another one" in page
    values = shown_values(page) | {"instance_type": ""}
    assert send(client, "/models/toxicity/upgrade/", values).status_code == 422
    assert send(client, "/models/toxicity/upgrade/", values | {"instance_type": "Standard_F2s_v2"}).status_code == 302
    assert Revision.objects.get(version=f"{today}.2").instance_type.name == "Standard_F2s_v2"


def test_a_version_that_stands_is_refused_beside_its_field(model: Model, owner: User):
    client = client_of(owner)
    values = shown_values(client.get("/models/toxicity/upgrade/").content.decode()) | {"version": "v1.0.0"}
    response = send(client, "/models/toxicity/upgrade/", values)
    assert response.status_code == 422
    assert 'id="id_version_error"' in response.content.decode()


def test_without_any_task_the_second_step_says_whom_to_ask(owner: User, administrator: User, folder: str):
    for user, text in ((owner, "Ask an administrator to define one"), (administrator, 'href="/tasks/add/"')):
        client = client_of(user)
        second = first_step(client, model_url=folder).headers["Location"]
        assert text in client.get(second).content.decode()


def test_a_folder_that_is_missing_or_empty_is_told_in_the_first_step(owner: User, task: Task, folder: str):
    for url in (f"{folder}-that-is-not-there", _empty_folder()):
        response = first_step(client_of(owner), model_url=url)
        assert response.status_code == 422
        assert 'id="id_model_url_error"' in response.content.decode()


def test_all_faults_are_told_at_once(owner: User, model: Model, folder: str):
    html = first_step(client_of(owner), model_url=f"{folder}-missing", name="toxicity").content.decode()
    assert 'id="id_name_error"' in html
    assert 'id="id_model_url_error"' in html


def test_a_storage_that_does_not_answer_in_time_is_left_to_the_pipeline(
    owner: User, task: Task, folder: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(source_check, "SECONDS", 0.0)
    assert first_step(client_of(owner), model_url=f"{folder}-missing").status_code == 302


def test_what_is_typed_is_found_again_after_a_reload(owner: User, folder: str):
    client = client_of(owner)
    kept = send(client, "/add-model/keep/", {"name": "half-typed", "model_url": "file:///some"}, form="/add-model/")
    address = kept.headers["HX-Replace-Url"]
    again = send(client, f"{address}keep/", {"name": "half-typed", "model_url": folder}, form=address)
    assert again.headers["HX-Replace-Url"] == address
    page = client.get(address)
    assert page.status_code == 200
    values = shown_values(page.content.decode())
    assert (values["name"], values["model_url"]) == ("half-typed", folder)
    assert client.get("/add-model/").content.decode().count("half-typed") == 0


def _empty_folder() -> str:
    path = settings.MOP_FILE_ROOTS[0] / "nothing-in-it"
    path.mkdir(exist_ok=True)
    return path.as_uri()
