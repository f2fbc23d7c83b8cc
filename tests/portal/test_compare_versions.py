"""Versions of a model beside each other."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision
from support.browsing import client_of
from support.factories import make_revision_input, publish, put
from support.load_tests import enabled, finished, step_result

HERE = "/models/toxicity/compare/"


@pytest.fixture
def versions(model: Model, owner: User) -> None:
    for version, workers in (("v1.0.1", 1), ("v1.0.2", 4)):
        given = make_revision_input(version, worker_number=workers)
        create_revision(actor=actor_of(owner), user=owner, model=model, revision=given)


def shown(html: str) -> list[str]:
    return re.findall(r'<th scope="col"><a href="/models/toxicity/versions/([^/]+)/">', html)


def differing(html: str) -> set[str]:
    return set(re.findall(r'<th scope="row" class="pin">([^<]+) <span class="tag tag--warn">differs', html))


@pytest.mark.usefixtures("versions")
def test_the_two_newest_are_compared_until_others_are_chosen(owner: User):
    client = client_of(owner)
    html = client.get(HERE).content.decode()
    assert shown(html) == ["v1.0.2", "v1.0.1"]
    assert "Model configuration" in differing(html)
    assert "Model url" not in differing(html)
    chosen = client.get(f"{HERE}?version=v1.0.0&version=v1.0.2&version=v9").content.decode()
    assert shown(chosen) == ["v1.0.0", "v1.0.2"]
    assert "There is no version v9 that you may see." in chosen
    assert HERE in client.get("/models/toxicity/").content.decode()


@pytest.mark.usefixtures("versions")
def test_results_of_areas_are_compared_too(owner: User):
    put(Revision.objects.all(), status="verified")
    finished(enabled(Revision.objects.get(version="v1.0.2")), [step_result(1, 5.0)])
    html = client_of(owner).get(HERE).content.decode()
    assert "Load test result" in differing(html)
    assert "Status" not in differing(html)


@pytest.mark.usefixtures("versions")
def test_only_what_the_reader_may_see_is_compared(model: Model, owner: User, stranger: User):
    assert client_of(stranger).get(HERE).status_code == 404
    publish(model)
    put(Revision.objects.exclude(version="v1.0.0"), publish_status="private")
    html = client_of(stranger).get(f"{HERE}?version=v1.0.0&version=v1.0.2").content.decode()
    assert "Choose at least two versions." in html
    assert 'value="v1.0.2"' not in html
    assert "Logs" not in client_of(stranger).get("/models/toxicity/").content.decode()


@pytest.mark.usefixtures("versions")
def test_it_takes_a_fixed_number_of_queries(owner: User):
    client = client_of(owner)
    counts = []
    for query in ("?version=v1.0.0&version=v1.0.1", "?version=v1.0.0&version=v1.0.1&version=v1.0.2"):
        with CaptureQueriesContext(connection) as queries:
            client.get(HERE + query)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
