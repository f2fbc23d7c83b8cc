"""Pages of results: who sees what, what is withheld, what is compared, and how many queries it takes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.errors import EvaluationMappingError
from mop.evaluation.models import Evaluation
from mop.evaluation.services import publish, rerun, start_missing
from mop.evaluation.templatetags.evaluation_ui import MINUS
from mop.registry.models import Model, Revision
from mop.registry.publishing import publish_revision
from mop.registry.statuses import RevisionStatus
from support.api import Api
from support.evaluation_results import add_version, approved_dataset, evaluate, failed, running, verified
from support.factories import ACTOR, make_model, make_task, make_token, make_user, put
from support.load_tests import enabled
from support.load_tests import finished as finished_load_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user("olivia")


@pytest.fixture
def task() -> Task:
    return make_task("kinds", taxonomy="Violence", labels=["none", "threat", "graphic"])


@pytest.fixture
def model(owner: User, task: Task) -> Model:
    return make_model("measured", owner=owner, tasks=(task,))


@pytest.fixture
def row(model: Model, task: Task) -> Evaluation:
    """A finished evaluation of a private version."""
    approved_dataset(task, name="kinds-en")
    (found,) = evaluate(verified(model.revisions.get()))
    return found


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def details(row: Evaluation, what: str = "") -> str:
    where = [row.revision.model.name, row.revision.version, row.task_id, row.dataset.name]
    return reverse("evaluation:details", args=where) + what


def test_the_model_page_shows_its_results_with_intervals(row: Evaluation, owner: User):
    page = text(client_of(owner), "/models/measured/evaluation/")
    assert f"{row.macro_f1:.3f}" in page
    assert "95 % interval" in page
    assert details(row) in page


def test_details_show_matrix_report_curves_slices_and_digests(row: Evaluation, owner: User):
    page = text(client_of(owner), details(row))
    counts = row.result.document["matrix"]
    for count in (counts[0][0], counts[1][1], counts[2][2]):
        assert f">{count}</td>" in page
    for heading in (
        "Confusion matrix",
        "Classification report",
        "Curves",
        "Slices",
        "Threshold explorer",
        "Provenance",
    ):
        assert heading in page
    assert row.dataset_digest[:16] in page


def test_small_slices_are_withheld_in_page_api_merge_and_downloads_alike(row: Evaluation, owner: User):
    client = client_of(owner)
    merge = "?merge=threat&merge=graphic"
    api = f"/api/v1/models/measured/revisions/{row.revision.version}/evaluations/kinds/kinds-en"
    for url in (details(row), details(row, merge), api, api + merge, details(row, "download/csv/")):
        content = text(client, url)
        assert "under 10 rows, or would reveal a slice that is" in content
    withheld = {one["value"] for one in row.result.document["withheld"]}
    assert withheld == {"voice", "chat"}
    for merged in ("", merge):
        for one in client.get(api + merged).json()["slices"]:
            assert (one["rows"] is None and one["metrics"] is None) == (one["value"] in withheld)
    lines = text(client, details(row, "download/csv/")).splitlines()
    assert [line for line in lines if "source=voice" in line and ",f1" in line] == []
    assert len([line for line in lines if "source=voice" in line]) == 1


def test_merged_labels_are_computed_again_and_what_can_not_be_merged_is_said(row: Evaluation, owner: User):
    client = client_of(owner)
    page = text(client, details(row, "?merge=threat&merge=graphic"))
    counts = row.result.document["matrix"]
    merged = sum(counts[place][other] for place in (1, 2) for other in (1, 2))
    assert f">{merged}</td>" in page
    assert "threat + graphic" in page
    assert "cannot be merged" in text(client, details(row, "?merge=none&merge=threat&merge=graphic"))


def test_a_stranger_sees_nothing_of_a_private_version_and_everything_of_a_public_one(row: Evaluation):
    client = client_of(make_user())
    text(client, details(row), 404)
    assert f"{row.macro_f1:.3f}" not in text(client, f"/tasks/{row.task_id}/results/")
    publish_revision(actor=ACTOR, revision=row.revision)
    text(client, details(row))
    for url in (f"/tasks/{row.task_id}/results/", "/datasets/kinds-en/results/", "/datasets/kinds-en/"):
        assert f"{row.macro_f1:.3f}" in text(client, url)


def test_the_best_model_on_a_dataset_is_one_that_can_be_used(row: Evaluation):
    publish_revision(actor=ACTOR, revision=row.revision)
    client = client_of(make_user())

    def best() -> str:
        return text(client, f"/tasks/{row.task_id}/results/").split('id="best"')[1].split("</section>")[0]

    assert "measured v1.0.0" in best()
    put(Revision.objects.filter(pk=row.revision_id), status=RevisionStatus.VULNERABLE)
    assert "measured v1.0.0" not in best()
    assert f"{row.macro_f1:.3f}" in text(client, f"/tasks/{row.task_id}/results/"), "it stays visible"
    put(Revision.objects.filter(pk=row.revision_id), status=RevisionStatus.VERIFIED)
    row.dataset.bindings.update(state="rejected")
    assert "measured v1.0.0" not in best()


def test_a_single_published_result_is_shown_and_links_nowhere(row: Evaluation):
    publish(actor=ACTOR, evaluation=row)
    client = client_of(make_user())
    for url in (f"/tasks/{row.task_id}/results/", "/datasets/kinds-en/results/", "/datasets/kinds-en/"):
        page = text(client, url)
        assert "measured v1.0.0" in page
        assert f"{row.macro_f1:.3f}" in page
        assert "/models/measured" not in page
    text(client, details(row), 404)
    # it competes with nobody
    assert "No public version was measured" in text(client, f"/tasks/{row.task_id}/")


def test_slices_of_a_comparison_are_withheld_as_those_of_the_results(
    row: Evaluation, model: Model, owner: User, settings: Settings
):
    evaluate(add_version(model, "v2"), skill=0.97)
    client = client_of(owner)
    address = f"/api/v1/models/measured/revisions/v2/evaluations/kinds/{row.dataset.name}?with=v1.0.0"
    least = settings.MOP_EVALUATION_SLICE_ROWS_MIN

    def told() -> list[bool]:
        answer = client.get(address).json()
        return [bool(answer["comparison"]["slices"]), any(one["metrics"] for one in answer["slices"])]

    assert told() == [True, True]
    settings.MOP_EVALUATION_SLICE_ROWS_MIN = least + 1
    assert told() == [False, False]  # kept from before, and not counted again yet
    settings.MOP_EVALUATION_SLICE_ROWS_MIN = least - 1
    assert told() == [True, True]


def test_of_a_published_result_nothing_is_told_of_the_runs_of_its_private_version(row: Evaluation):
    publish(actor=ACTOR, evaluation=row)
    again = rerun(actor=ACTOR, evaluation=row)
    failed(again, EvaluationMappingError("The secret plan does not fit."))
    reader = make_user()
    api = Api(token=make_token(reader), client=Client())
    (shown,) = api.call("GET", "/datasets/kinds-en/evaluations").json()["items"]
    assert (shown["status"], shown["error"], shown["tries"], shown["progress"]) == ("finished", None, 1, 100)
    assert shown["headline"] == row.macro_f1
    for url in (f"/tasks/{row.task_id}/results/", "/datasets/kinds-en/results/"):
        page = text(client_of(reader), url)
        assert "measured v1.0.0" in page
        assert "mappingError" not in page
    assert "last run: mappingError" in text(client_of(row.revision.model.owners.get()), "/models/measured/evaluation/")


def test_pinned_results_are_compared_and_significant_differences_marked(row: Evaluation, model: Model, owner: User):
    (better,) = evaluate(add_version(model, "v2"), skill=0.97)
    client = client_of(owner)
    page = text(client, f"/models/measured/evaluation/?compare=1&pin={row.pk}&pin={better.pk}")
    assert "Pinned for comparison" in page
    assert re.search(r"▲ \+0\.\d{3}", page)
    other_way = text(client, f"/models/measured/evaluation/?compare=1&pin={better.pk}&pin={row.pk}")
    assert re.search(rf"▼ {MINUS}0\.\d{{3}}", other_way)
    assert "McNemar" in text(client, details(better, "?with=v1.0.0"))
    assert re.search(r"▲ \+0\.\d{3}", text(client, "/models/measured/"))  # beside the version


def test_a_version_that_differs_on_few_rows_has_no_counts(row: Evaluation, model: Model, owner: User):
    (same,) = evaluate(add_version(model, "v2"))
    Evaluation.objects.filter(pk=same.pk).update(predictions_digest=row.predictions_digest)
    page = text(client_of(owner), details(same, "?with=v1.0.0"))
    assert "fewer than 10 rows" in page
    assert "McNemar" not in page


def test_a_comparison_whose_predictions_are_gone_says_so(row: Evaluation, model: Model, owner: User):
    (other,) = evaluate(add_version(model, "v2"), keeps=False)
    page = text(client_of(owner), f"/models/measured/evaluation/?compare=1&pin={row.pk}&pin={other.pk}")
    assert "predictions cannot be read" in page


def test_runs_show_their_state_and_offer_the_next_step(model: Model, task: Task, owner: User):
    for name in ("a", "b", "c"):
        approved_dataset(task, name=name, groups={})
    revision = verified(model.revisions.get())
    start_missing(actor=ACTOR, revision=revision)
    queued, runs, broken = Evaluation.objects.order_by("dataset__name")
    running(runs, progress=45)
    failed(broken, EvaluationMappingError("The labels do not fit."))
    client = client_of(owner)
    page = text(client, "/models/measured/evaluation/")
    assert all(word in page for word in ("queued", "45 %", "mapping error", "The labels do not fit."))
    assert "Cancel…" in text(client, details(queued))
    assert "45 % of the rows" in text(client, details(runs))
    page = text(client, details(broken))
    assert "Labels of the task" in page
    assert "Try again…" in page
    live = client.get(f"/live{details(runs)}")
    assert live.status_code == 200
    assert client.get(f"/live{details(runs)}", headers={"If-None-Match": live["ETag"]}).status_code == 304


def test_the_page_says_which_version_waits_for_its_load_test(row: Evaluation, model: Model, owner: User):
    add_version(model, "v2")
    client = client_of(owner)
    assert "waiting for the load test" not in text(client, "/models/measured/evaluation/")
    test = enabled(Revision.objects.get(version="v2"))
    assert "v2 is waiting for the load test" in text(client, "/models/measured/evaluation/")
    finished_load_test(test, [])
    assert "waiting for the load test" not in text(client, "/models/measured/evaluation/")


def test_the_rank_is_of_the_newest_version_that_was_measured_unless_one_is_chosen(
    row: Evaluation, model: Model, owner: User
):
    add_version(model, "v2")
    client = client_of(owner)
    page = text(client, "/models/measured/rank/")
    assert "Rank percentile of v1.0.0" in page
    assert "Top 100 %" in page
    assert "not measured on an approved dataset" in text(client, "/models/measured/rank/?version=v2")


def test_cancel_rerun_publish_and_withdraw_ask_and_then_act(row: Evaluation, owner: User):
    client = client_of(owner)
    for what, words in (("publish", "Everybody sees"), ("withdraw", "no longer"), ("rerun", "left for the model")):
        assert words in text(client, details(row, f"{what}/"))
        assert client.post(details(row, f"{what}/")).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.is_published, row.is_measured) == ("queued", False, True)
    assert client.post(details(row, "cancel/")).status_code == 302
    row.refresh_from_db()
    assert row.state == "cancelled"
    assert f"{row.macro_f1:.3f}" in text(client, details(row))  # the result before it stands


def test_row_numbers_are_for_owners_of_the_dataset_alone(row: Evaluation, owner: User):
    Evaluation.objects.filter(pk=row.pk).update(
        error_counts={"UserScriptException": 7}, failed_rows={"UserScriptException": [4711]}
    )
    row.result.document["matrix"][0][-1] += 1
    row.result.save()
    assert "4711" not in text(client_of(owner), details(row))
    publish_revision(actor=ACTOR, revision=row.revision)
    assert "4711" in text(client_of(row.dataset.owners.get()), details(row))


def test_a_disconnected_task_hides_its_results(row: Evaluation, owner: User, model: Model):
    model.connections.all().delete()
    assert "No result yet" in text(client_of(owner), "/models/measured/evaluation/")
    text(client_of(owner), details(row), 404)


def test_hostile_names_are_text_and_no_formula(model: Model, task: Task, owner: User):
    groups = {"source": {"<script>alert(1)</script>": 200, "=cmd()": 200}}
    approved_dataset(task, name="hostile", groups=groups)
    (row,) = evaluate(verified(model.revisions.get()))
    client = client_of(owner)
    page = text(client, details(row))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page
    assert "\n=" not in text(client, details(row, "download/csv/"))


LISTS = (
    "/models/measured/evaluation/",
    "/models/measured/",
    "/models/measured/rank/",
    "{task}",
    "{results}",
    "{dataset}",
)


def test_queries_do_not_grow_with_versions_and_datasets(
    row: Evaluation,
    model: Model,
    task: Task,
    owner: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
):
    publish_revision(actor=ACTOR, revision=row.revision)
    client = client_of(owner)
    urls = [
        url.format(
            task=f"/tasks/{task.pk}/", results=f"/tasks/{task.pk}/results/", dataset="/datasets/kinds-en/results/"
        )
        for url in LISTS
    ]
    before = [queries_of(client, url) for url in urls]
    for name in ("second", "third"):
        approved_dataset(task, name=name, groups={})
    revisions = [add_version(model, version) for version in ("v2", "v3")]
    for revision in [*revisions, row.revision]:
        evaluate(Revision.objects.get(pk=revision.pk), keeps=False)
    for revision in revisions:
        publish_revision(actor=ACTOR, revision=revision)
    # with more than one result, what was before it is looked up: a fixed number of further queries
    for url, few in zip(urls, before, strict=True):
        with django_assert_max_num_queries(few + 3):
            text(client, url)


def queries_of(client: Client, url: str) -> int:
    from django.db import connection  # noqa: PLC0415 - the test's own
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - as above

    with CaptureQueriesContext(connection) as captured:
        text(client, url)
    return len(captured)


def test_sorts_averages_and_filters_stand_in_the_address(row: Evaluation, model: Model, owner: User):
    evaluate(add_version(model, "v2"), skill=0.95)
    client = client_of(owner)
    assert shown_versions(client, "?average=weighted&sort=-recall") == ["v2", "v1.0.0"]
    order = [shown_versions(client, f"?sort={sort}") for sort in ("-f1", "f1")]
    assert order == [["v2", "v1.0.0"], ["v1.0.0", "v2"]]
    assert shown_versions(client, "?version=v2") == ["v2"]
    assert "No result matches" in text(client, "/models/measured/evaluation/?dataset=unheard-of")
    for odd in (
        "?page=99",
        "?page=x",
        "?sort=evil",
        "?average=evil",
        "?pin=x&compare=1",
        "?pin=" + "0" * 32 + "&compare=1",
    ):
        text(client, f"/models/measured/evaluation/{odd}")


def shown_versions(client: Client, query: str) -> list[str]:
    page = text(client, f"/models/measured/evaluation/{query}")
    return re.findall(r'<span class="strong n">\s*(v[\d.]+)', page)


def test_the_api_gives_documents_ranks_leaderboards_and_files(row: Evaluation, model: Model, owner: User):
    publish_revision(actor=ACTOR, revision=row.revision)
    (other,) = evaluate(add_version(model, "v2"), skill=0.95)
    client = client_of(owner)
    api = "/api/v1/models/measured/revisions"
    listed = client.get(f"{api}/v1.0.0/evaluations").json()["items"]
    assert [(one["dataset"], one["status"], one["visibility"]) for one in listed] == [
        ("kinds-en", "finished", "public")
    ]
    found: dict[str, Any] = client.get(f"{api}/v2/evaluations/kinds/kinds-en?with=v1.0.0").json()
    assert found["status"] == "finished"
    assert found["labels"] == ["none", "threat", "graphic"]
    assert found["confusion_matrix"]["columns"][-1] == "no answer"
    assert found["confusion_matrix"]["counts"] == other.result.document["matrix"]
    assert found["metrics"]["macro_f1"] == pytest.approx(other.macro_f1)
    assert found["intervals"]["macro_f1"]["low"] < other.macro_f1 < found["intervals"]["macro_f1"]["high"]
    assert set(found["digests"]) == {"artifact", "environment", "dataset", "mapping", "metric_code"}
    assert found["comparison"]["metrics"]["macro_f1"]["is_significant"]
    ranks = client.get(f"{api}/v2/rank").json()["items"]
    assert {(one["metric"], one["place"], one["versions"]) for one in ranks if one["metric"] == "f1"} == {("f1", 1, 2)}
    board = client.get("/api/v1/tasks/kinds/leaderboard").json()
    assert [(one["version"], one["place"]) for one in board["items"]] == [("v1.0.0", 1)]  # v2 is private
    for kind, first in (("csv", b"model,version"), ("json", b"["), ("parquet", b"PAR1")):
        answer = client.get(f"{api}/v2/evaluations.{kind}")
        assert answer.status_code == 200
        assert answer.content.startswith(first)
    assert client.get(f"{api}/v2/evaluations.exe").status_code == 404
    assert client.get(f"{api}/v2/evaluations/kinds/kinds-en?merge=a&merge=b").status_code == 422
