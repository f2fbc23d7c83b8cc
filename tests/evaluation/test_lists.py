"""Lists of results: metrics of one label, pages by keys, the choice of the headline dataset."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.evaluation import listing
from mop.evaluation.headline import headline_dataset
from mop.evaluation.metrics.intervals import label_intervals
from mop.evaluation.models import Evaluation
from mop.evaluation.results import document_of
from mop.registry.models import Model
from mop.registry.publishing import publish_revision
from support.evaluation_results import add_version, approved_dataset, evaluate, verified
from support.factories import ACTOR, make_model, make_task, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
LIST = "/models/measured/evaluation/"


@pytest.fixture
def owner() -> User:
    return make_user("olivia")


@pytest.fixture
def task(owner: User) -> Task:
    found = make_task("kinds", taxonomy="Violence", labels=["none", "threat", "graphic"])
    found.owners.set([owner])
    return found


@pytest.fixture
def model(owner: User, task: Task) -> Model:
    found = make_model("measured", owner=owner, tasks=(task,))
    approved_dataset(task, name="kinds-en", groups={})
    verified(found.revisions.get())
    return found


@pytest.fixture
def rows(model: Model) -> list[Evaluation]:
    """The results of three versions on one dataset."""
    versions = [model.revisions.get(), add_version(model, "v2.0.0"), add_version(model, "v3.0.0")]
    return [evaluate(one, skill=skill)[0] for one, skill in zip(versions, (0.7, 0.95, 0.8), strict=True)]


@pytest.fixture
def client(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def versions_of(page: str) -> list[str]:
    return re.findall(r'<span class="strong n">\s*(v[\d.]+)', page)


def test_a_label_shows_and_sorts_by_its_own_metrics(rows: list[Evaluation], client: Client):
    page = text(client, f"{LIST}?label=threat&sort=-recall")
    lines = {row.pk: document_of(row).report().labels[1] for row in rows}
    best = sorted(rows, key=lambda row: -(lines[row.pk].recall or 0))
    assert versions_of(page) == [row.revision.version for row in best]
    for row in rows:
        line = lines[row.pk]
        assert line.label == "threat"
        for value in (line.precision, line.recall, line.f1):
            assert f"{value:.3f}" in page
        interval = label_intervals(document_of(row).matrix)[1]["recall"]
        half = (interval.high - interval.low) / 2
        assert f"± {half:.3f}" in page
    assert "Recall, 95 % interval" in page


def test_a_label_that_the_task_does_not_have_is_told_in_each_row_and_no_error(rows: list[Evaluation], client: Client):
    page = text(client, f"{LIST}?label=unheard-of")
    assert len(versions_of(page)) == 3
    assert page.count("no such label") == 3 * 3  # F1, precision and recall
    assert "undefined" not in page
    assert "no such label" not in text(client, f"{LIST}?label=threat")


def test_pinned_results_are_compared_by_the_label(rows: list[Evaluation], client: Client):
    pins = f"&compare=1&pin={rows[0].pk}&pin={rows[1].pk}"
    difference = rows[1].label_scores.get(label="graphic").f1 - rows[0].label_scores.get(label="graphic").f1
    assert f"▲ +{difference:.3f}" in text(client, f"{LIST}?label=graphic{pins}")


def test_leaderboard_rank_and_best_model_follow_the_label(rows: list[Evaluation], client: Client, task: Task):
    for row in rows:
        publish_revision(actor=ACTOR, revision=row.revision)
    scores = {row.revision.version: row.label_scores.get(label="threat").precision for row in rows}
    best = sorted(scores, key=lambda version: -scores[version])
    board = client.get("/api/v1/tasks/kinds/leaderboard?metric=precision&label=threat").json()
    assert [one["version"] for one in board["items"]] == best
    assert board["items"][0]["average"] == scores[best[0]]
    assert board["label"] == "threat"
    items = client.get(f"/api/v1/models/measured/revisions/{best[0]}/rank?label=threat").json()["items"]
    assert {(one["metric"], one["place"]) for one in items if one["metric"] == "precision"} == {("precision", 1)}
    assert f"{scores[best[0]]:.3f}" in text(client, f"/tasks/{task.pk}/results/?label=threat&sort=-precision")
    assert "Per label" in text(client, "/models/measured/rank/?label=threat")


def test_a_result_that_is_counted_anew_has_its_labels_once(rows: list[Evaluation]):
    assert list(rows[0].label_scores.order_by("pk").values_list("label", flat=True)) == ["none", "threat", "graphic"]


@pytest.mark.parametrize("sort", ["-f1", "f1", "-recall", "evaluated", "-samples"])
def test_pages_by_keys_hold_every_row_once_in_the_order_of_one_page(
    model: Model, task: Task, client: Client, monkeypatch: pytest.MonkeyPatch, sort: str
):
    approved_dataset(task, name="kinds-short", groups={})
    revisions = [model.revisions.get(), *(add_version(model, f"v{number}.0.0") for number in range(2, 6))]
    for number, revision in enumerate(revisions):
        evaluate(revision, skill=0.5 + number / 10, keeps=False)
    # undefined values come last, in either direction
    Evaluation.objects.filter(revision=revisions[1]).update(macro_f1=None, macro_recall=None)
    whole = versions_of(text(client, f"{LIST}?sort={sort}"))
    assert len(whole) == 10
    monkeypatch.setattr(listing, "PAGE_ROWS", 3)
    seen, url, addresses = [], f"{LIST}?sort={sort}", []
    while url:
        addresses.append(url)
        page = text(client, url)
        seen += versions_of(page)
        found = re.search(r'href="([^"]+)#results" rel="next"', page)
        url = LIST + found[1].replace("&amp;", "&") if found else ""
    assert seen == whole
    assert len(addresses) == 4
    back = re.search(r'href="([^"]+)#results" rel="prev"', text(client, addresses[2]))
    assert versions_of(text(client, LIST + back[1].replace("&amp;", "&"))) == whole[3:6]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhZnRlciIsIFsxLDIsMyw0LDVdXQ", "bnVsbA", "WyJhZnRlciIsIDVd"])
def test_a_cursor_that_is_none_shows_the_first_page(rows: list[Evaluation], client: Client, cursor: str):
    assert len(versions_of(text(client, f"{LIST}?cursor={cursor}"))) == 3


def test_the_api_lists_page_by_page(model: Model, task: Task, client: Client):
    for name in ("a", "b"):
        approved_dataset(task, name=name, groups={})
    evaluate(model.revisions.get(), keeps=False)
    url = "/api/v1/models/measured/revisions/v1.0.0/evaluations?limit=2"
    first = client.get(url).json()
    second = client.get(f"{url}&cursor={first['next']}").json()
    assert [one["dataset"] for one in first["items"] + second["items"]] == ["a", "b", "kinds-en"]
    assert second["next"] is None


def test_an_owner_of_the_task_chooses_its_headline_dataset(model: Model, task: Task, client: Client):
    approved_dataset(task, name="small", labels={"none": 90, "threat": 40, "graphic": 20}, groups={})
    page = text(client, f"/tasks/{task.pk}/")
    assert f"/tasks/{task.pk}/headline/" in page
    assert "the largest that is approved" in text(client, f"/tasks/{task.pk}/headline/")
    small = task.dataset_bindings.get(dataset__name="small").dataset
    answer = client.post(f"/tasks/{task.pk}/headline/", {"dataset": small.pk}, follow=True)
    assert "The headline dataset of kinds is small." in answer.content.decode()
    assert headline_dataset(task) == small
    api = "/api/v1/tasks/kinds/headline-dataset"
    assert client.get(api).json() == {"task": "kinds", "dataset": "small", "is_chosen": True}
    answer = client.post(f"/tasks/{task.pk}/headline/", {"dataset": ""}, follow=True)
    assert client.get(api).json() == {"task": "kinds", "dataset": "kinds-en", "is_chosen": False}
    assert AuditEvent.objects.filter(action="task.headline_dataset_chosen").count() == 2


def test_a_dataset_that_is_not_approved_is_refused_as_headline(model: Model, task: Task, client: Client):
    other = approved_dataset(make_task("other", labels=["none", "threat"]), name="elsewhere", groups={})
    assert client.post(f"/tasks/{task.pk}/headline/", {"dataset": other.pk}).status_code == 422
    api = "/api/v1/tasks/kinds/headline-dataset"
    body = '{"dataset": "elsewhere"}'
    headers = {"X-CSRFToken": "x"}
    assert client.put(api, body, content_type="application/json", headers=headers).status_code == 409
    unknown = client.put(api, '{"dataset": "nowhere"}', content_type="application/json", headers=headers)
    assert (unknown.status_code, list(unknown.json()["fields"])) == (422, ["dataset"])
    assert client.put(api, '{"dataset": "kinds-en"}', content_type="application/json").json()["is_chosen"]


def test_others_see_the_headline_dataset_and_can_not_choose_it(model: Model, task: Task):
    client = Client()
    client.force_login(make_user("stranger"))
    assert f"/tasks/{task.pk}/headline/" not in text(client, f"/tasks/{task.pk}/")
    assert client.post(f"/tasks/{task.pk}/headline/", {"dataset": ""}).status_code == 403


def test_a_comparison_tells_of_the_slices_that_both_results_show(owner: User, task: Task, client: Client):
    model = make_model("sliced", owner=owner, tasks=(task,))
    approved_dataset(task, name="sliced-en")
    first = verified(model.revisions.get())
    (before,) = evaluate(first, skill=0.6)
    (after,) = evaluate(add_version(model, "v2.0.0"), skill=0.97)
    url = "/api/v1/models/sliced/revisions/v2.0.0/evaluations/kinds/sliced-en?with=v1.0.0"
    slices = client.get(url).json()["comparison"]["slices"]
    shown = {(one.name.column, one.name.value): one for one in document_of(after).slices}
    assert {(one["column"], one["value"]) for one in slices} == set(shown)
    assert not {"voice", "chat"} & {one["value"] for one in slices}
    forum = next(one for one in slices if one["value"] == "forum")
    kept = [document_of(row) for row in (before, after)]
    expected = [
        document.slice_value(next(one for one in document.slices if one.name.value == "forum")) for document in kept
    ]
    assert [forum["first"], forum["second"]] == expected
    assert forum["is_significant"]
    assert forum["interval"]["low"] < forum["difference"] < forum["interval"]["high"]
    assert set(forum) == {
        "column",
        "value",
        "rows",
        "metric",
        "first",
        "second",
        "difference",
        "interval",
        "is_significant",
    }
    page = text(client, f"/models/sliced/versions/v2.0.0/evaluations/{task.pk}/sliced-en/?with=v1.0.0")
    assert "source: forum" in page
    assert "Comparison by slice" in page
