"""The search of the top bar and its page: everything that areas register, as far as the reader may see it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.registry.models import Model
from mop.registry.search import find_models
from mop.registry.search_index import has_index
from support.browsing import client_of
from support.factories import make_model, publish

TOP_BAR = {"HX-Request": "true", "HX-Target": "search-hits"}


@pytest.fixture(autouse=True)
def known_index(db: None) -> None:
    """A process looks once whether there is an index, in a query of its own."""
    has_index()


def found(user: User, text: str, **headers: str) -> str:
    return client_of(user).get("/search/", {"q": text}, headers=headers).content.decode()


def test_models_are_found_by_those_who_may_see_them(model: Model, owner: User, stranger: User):
    assert 'href="/models/toxicity/"' in found(owner, "toxic")
    assert 'href="/models/toxicity/"' not in found(stranger, "toxic")
    publish(model)
    assert 'href="/models/toxicity/"' in found(stranger, "TOXIC")


def test_tasks_are_found_by_name(model: Model, owner: User):
    task = model.connections.get().task
    assert f'href="/tasks/{task.pk}/"' in found(owner, task.name)


def test_the_top_bar_gets_its_hits_alone(model: Model, owner: User):
    html = found(owner, "toxic", **TOP_BAR)
    assert "<html" not in html
    assert 'href="/models/toxicity/"' in html
    assert "/search/?q=toxic" in html
    assert "Nothing found" in found(owner, "nowhere-at-all", **TOP_BAR)


@pytest.mark.parametrize("text", ["", "t", "   ", "%", "\x00x"])
def test_a_text_that_says_nothing_finds_nothing(model: Model, owner: User, text: str):
    assert "/models/toxicity/" not in found(owner, text)


def test_nobody_searches_without_signing_in(client: Client):
    assert client.get("/search/", {"q": "toxic"}).status_code == 302


def test_the_number_of_queries_does_not_grow_with_the_hits(model: Model, owner: User):
    client = client_of(owner)
    counts = []
    for turn in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get("/search/", {"q": "tox"}, headers=TOP_BAR)
        counts.append(len(queries))
        for number in range(4):
            make_model(f"toxin-{turn}-{number}", owner=owner)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("few", [1000, 1])
def test_names_that_begin_so_come_first_whether_few_or_many_fit(
    owner: User, stranger: User, few: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mop.registry.search.FEW", few)
    for name in ("a-toxic", "b-toxic", "toxic-b", "toxic-a", "other"):
        make_model(name, owner=owner)
    make_model("toxic-0", owner=stranger)
    assert [hit.name for hit in find_models(owner, "toxic", 3)] == ["toxic-a", "toxic-b", "a-toxic"]
    assert [hit.name for hit in find_models(owner, "oxic", 10)] == ["a-toxic", "b-toxic", "toxic-a", "toxic-b"]


def test_many_models_are_searched_by_the_index(model: Model, owner: User):
    with CaptureQueriesContext(connection) as queries:
        assert [hit.name for hit in find_models(owner, "xici", 5)] == ["toxicity"]
    if connection.vendor == "sqlite":
        assert "registry_model_search MATCH" in queries[0]["sql"]
