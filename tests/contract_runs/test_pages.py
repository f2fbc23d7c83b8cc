"""The pages of connected tasks and samples."""

from __future__ import annotations

import pytest
from django.test import Client

from mop.contract_runs.models import ContractRun
from mop.contract_runs.services import add_task, change_sample
from mop.errors import TaxonomyMisMatchError, UserScriptException
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from support.contract_runs import fail_run, pass_run, prove
from support.factories import ACTOR, PASSWORD, make_model, make_task, make_user, publish

pytestmark = pytest.mark.django_db
PAGE = "/models/shown/"


@pytest.fixture
def model() -> Model:
    model = make_model("shown", owner=make_user("ada"), tasks=(make_task("hate"),))
    prove(model.revisions.get())
    Revision.objects.filter(model=model).update(status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32)
    return model


@pytest.fixture
def client(client: Client, model: Model) -> Client:
    client.login(username="ada", password=PASSWORD)
    return client


def text_of(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def test_an_owner_adds_a_task_follows_its_check_and_disconnects_it(client: Client, model: Model):
    violence = make_task("violence", taxonomy="Violence")
    assert "is the only connected task" in text_of(client, PAGE)
    answer = client.post(f"{PAGE}tasks/add/", {"task": violence.pk, "customized_name": "violent"}, follow=True)
    page = answer.content.decode()
    assert "The task violence is connected. 1 verified version is being checked with it." in page
    assert "queued" in page
    run = ContractRun.objects.get()
    fail_run(run, TaxonomyMisMatchError("The output has no taxonomy violent."))
    page = text_of(client, PAGE)
    assert "The output has no taxonomy violent." in page
    answer = client.post(f"{PAGE}versions/v1.0.0/tasks/{violence.pk}/check/", follow=True)
    assert "v1.0.0 is being checked with the task violence." in answer.content.decode()
    pass_run(ContractRun.objects.get(state="queued"))
    asked = text_of(client, f"{PAGE}tasks/{violence.pk}/disconnect/")
    assert "Its results are hidden, not lost" in asked
    client.post(f"{PAGE}tasks/{violence.pk}/disconnect/")
    assert model.connections.count() == 1
    last = client.get(f"{PAGE}tasks/{model.connections.get().task_id}/disconnect/")
    assert last.status_code == 409


def test_the_only_task_of_a_model_that_failed_gets_the_right_name(client: Client):
    task = make_task("insults")
    model = make_model("misnamed", owner=make_user("bo"), tasks=(task,))
    Revision.objects.filter(model=model).update(status=RevisionStatus.VERIFY_FAILED)
    client.login(username="bo", password=PASSWORD)
    url = f"/models/misnamed/tasks/add/?task={task.pk}"
    assert f'href="{url}"' in text_of(client, "/models/misnamed/")
    form = text_of(client, url)
    assert "Correct the customized name of insults" in form
    assert f'value="{model.connections.get().customized_name}"' in form
    done = client.post(url, {"task": task.pk, "customized_name": "insult"}, follow=True).content.decode()
    assert "The customized name of insults is insult. Retry the versions that failed" in done
    assert model.connections.get().customized_name == "insult"
    prove(model.revisions.get())
    assert "Correct<span" not in text_of(client, "/models/misnamed/")


def test_the_form_offers_only_tasks_of_further_taxonomies(client: Client):
    make_task("another hate")
    make_task("sexual", taxonomy="Sexual")
    page = text_of(client, f"{PAGE}tasks/add/")
    assert "another hate" not in page
    assert "sexual" in page
    refused = client.post(f"{PAGE}tasks/add/", {"task": "0"})
    assert refused.status_code == 422


def test_the_live_part_answers_304_until_something_changes(client: Client, model: Model):
    url = "/live/models/shown/tasks/"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    add_task(actor=ACTOR, model=model, task=make_task(taxonomy="Violence"))
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_others_see_states_and_no_errors_or_buttons(client: Client, model: Model):
    (run,) = add_task(actor=ACTOR, model=model, task=make_task(taxonomy="Violence"))
    fail_run(run, TaxonomyMisMatchError("a secret of the model's code"))
    publish(model)
    make_user("bob")
    client.login(username="bob", password=PASSWORD)
    page = text_of(client, PAGE)
    assert "failed" in page
    assert "a secret of the model" not in page
    assert "Disconnect task" not in page


def test_a_sample_that_failed_is_there_to_be_corrected_beside_the_one_that_counts(client: Client, model: Model):
    revision = model.revisions.get()
    url = f"{PAGE}versions/v1.0.0/sample/"
    answer = client.post(url, {"sample_post_data": '{"sentence": 1}', "seen": _seen(client, url)}, follow=True)
    assert "is being verified; the present one counts until it passed" in answer.content.decode()
    fail_run(ContractRun.objects.get(), UserScriptException("KeyError: text"))
    page = text_of(client, url)
    assert "KeyError: text" in page
    assert "&quot;sentence&quot;" in page
    assert "The present sample" in page
    details = text_of(client, f"{PAGE}versions/v1.0.0/")
    assert "Change of the sample post data" in details
    revision.refresh_from_db()
    assert revision.sample_post_data is None


def test_the_second_of_two_people_keeps_what_they_typed(client: Client, model: Model):
    url = f"{PAGE}versions/v1.0.0/sample/"
    seen = _seen(client, url)
    run = change_sample(actor=ACTOR, revision=model.revisions.get(), sample={"text": "of the first"})
    assert run is not None
    pass_run(run)
    refused = client.post(url, {"sample_post_data": '{"text": "of the second"}', "seen": seen})
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "Somebody changed the sample post data meanwhile" in page
    assert "of the first" in page
    assert "of the second" in page


def test_a_sample_that_is_no_json_is_told_at_its_field(client: Client):
    refused = client.post(f"{PAGE}versions/v1.0.0/sample/", {"sample_post_data": "{"})
    assert refused.status_code == 422
    assert not ContractRun.objects.exists()


def _seen(client: Client, url: str) -> str:
    return str(client.get(url).context["form"]["seen"].value())
