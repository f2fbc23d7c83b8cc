"""The Models list: who sees what, filters, paging, live rows, a fixed number of queries."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.notifications.models import Notification
from mop.registry.listing import ModelList, ModelQuery
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from support.browsing import client_of
from support.factories import make_model, make_task, publish, put

pytestmark = pytest.mark.dialect

QUERIES_MAX = 12


def names(html: str) -> list[str]:
    return re.findall(r'id="model-\d+" href="/models/([^/]+)/"', html)


def listed(user: User, query: str = "") -> list[str]:
    return names(client_of(user).get(f"/models/{query}").content.decode())


def set_status(model: Model, status: RevisionStatus) -> None:
    put(Revision.objects.filter(model=model), status=status)


def test_a_private_model_is_listed_for_owner_and_administrator_only(
    model: Model, owner: User, stranger: User, administrator: User
):
    assert listed(owner) == listed(administrator) == ["toxicity"]
    assert listed(stranger) == []
    publish(model)
    assert listed(stranger) == ["toxicity"]
    assert listed(stranger, "?group=mine") == []


def test_outdated_and_failed_models_are_hidden_until_asked_for(model: Model, owner: User):
    set_status(model, RevisionStatus.VERIFY_FAILED)
    assert listed(owner) == []
    assert listed(owner, "?status=all") == listed(owner, "?status=verifyFailed") == ["toxicity"]
    assert listed(owner, "?status=verified") == []


def test_search_sort_and_paging_reproduce_from_the_address(owner: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.registry.views.listing.PAGE_ROWS", (2,))
    task = make_task()
    for letter in "edcba":
        make_model(f"model-{letter}", owner=owner, tasks=(task,))
    client = client_of(owner)
    pages, url = [], "/models/?sort=-name&search=MODEL"
    while url:
        html = client.get(url).content.decode()
        pages.append(names(html))
        following = re.search(r'href="(\?[^"]*)" rel="next"', html)
        url = "/models/" + following[1].replace("&amp;", "&") if following else ""
        previous = re.search(r'href="(\?[^"]*)" rel="prev"', html)
    assert pages == [["model-e", "model-d"], ["model-c", "model-b"], ["model-a"]]
    assert previous is not None
    back = client.get("/models/" + previous[1].replace("&amp;", "&")).content.decode()
    assert names(back) == ["model-c", "model-b"]


@pytest.mark.parametrize("cursor", ["nonsense", "WyJhZnRlciIsMSwyXQ", "WyJhZnRlciIsIngiLCJ4Il0", "W10", "é"])
def test_an_unreadable_cursor_gives_the_first_page(cursor: str, model: Model, owner: User):
    assert client_of(owner).get("/models/", {"cursor": cursor, "sort": "created"}).status_code == 200


@pytest.mark.parametrize("sort", ["name", "-team", "version", "-status", "created", "unknown"])
def test_every_sort_gives_the_rows(sort: str, model: Model, owner: User):
    assert listed(owner, f"?sort={sort}") == ["toxicity"]


def test_the_number_of_queries_does_not_grow_with_the_list(model: Model, owner: User):
    put(Revision.objects.filter(), status="verified")
    Notification.objects.create(recipient=owner, event="x", kind="x", title="x", scope_type="model", scope_id=model.pk)
    client = client_of(owner)
    client.get("/models/")
    with CaptureQueriesContext(connection) as few:
        client.get("/models/")
    for _ in range(5):
        make_model(owner=owner, tasks=(make_task(), make_task(taxonomy="Violence")))
    with CaptureQueriesContext(connection) as many:
        client.get("/models/")
    assert len(many) == len(few) <= QUERIES_MAX


def test_the_menu_of_groups_counts_up_to_a_hundred(
    model: Model, owner: User, stranger: User, administrator: User, monkeypatch: pytest.MonkeyPatch
):
    def counted(user: User) -> list[str]:
        html = client_of(user).get("/models/?search=nothing").content.decode()
        return re.findall(
            r'<span class="count">([^<]+)<', html.partition('id="group-menu"')[2].partition("</details>")[0]
        )

    publish(model)
    make_model("private", owner=owner)
    assert (counted(owner), counted(stranger), counted(administrator)) == (["2", "2"], ["1", "0"], ["2", "0"])
    monkeypatch.setattr("mop.registry.listing.SHOWN_COUNT_MAX", 1)
    counts = ModelList(owner, ModelQuery()).counts()
    assert (counts.everything, counts.own) == (2, 2)  # more than the bound


def test_an_empty_list_offers_to_add_a_model(owner: User):
    assert 'href="/add-model/"' in client_of(owner).get("/models/").content.decode()
    assert "Clear filters" in client_of(owner).get("/models/?search=x").content.decode()


def test_rows_ask_for_themselves_only_while_something_runs(model: Model, owner: User):
    client = client_of(owner)
    assert 'hx-get="/live/models/?status=all"' in client.get("/models/?status=all").content.decode()
    set_status(model, RevisionStatus.VERIFIED)
    assert "/live/models/" not in client.get("/models/?status=all").content.decode()


def test_unchanged_rows_are_answered_304_and_changed_ones_anew(model: Model, owner: User):
    client = client_of(owner)
    etag = client.get("/live/models/").headers["ETag"]
    assert client.get("/live/models/", headers={"If-None-Match": etag}).status_code == 304
    set_status(model, RevisionStatus.DATA_DOWNLOADED)
    changed = client.get("/live/models/", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert "dataDownloaded" in changed.content.decode()


def test_htmx_gets_the_rows_alone(model: Model, owner: User):
    html = client_of(owner).get("/models/", headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith('<div id="models"')


def test_hostile_descriptions_are_text(owner: User):
    model = make_model("hostile", owner=owner)
    Model.objects.filter(pk=model.pk).update(description="<script>alert(1)</script>")
    html = client_of(owner).get("/models/").content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html
