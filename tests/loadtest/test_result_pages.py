"""The result of a load test in the portal: panel, page, live parts, downloads; and in the version history."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.loadtest.models import LoadTest
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision
from support.browsing import client_of, send
from support.factories import make_revision_input, publish, put
from support.load_tests import enabled, finished, running, step_result

PANEL = "/models/toxicity/?load-test=v1.0.0"
PAGE = "/models/toxicity/versions/v1.0.0/load-test/"
STEPS = [step_result(1, 90.0), step_result(10, 400.0), step_result(20, 401.0, failed=90)]


@pytest.fixture
def revision(model: Model, owner: User) -> Revision:
    """One of two verified versions."""
    add_version(owner, model, "v2.0.0")
    Revision.objects.filter(model=model).update(status="verified")
    return model.revisions.get(version="v1.0.0")


def add_version(owner: User, model: Model, version: str) -> Revision:
    return create_revision(actor=actor_of(owner), user=owner, model=model, revision=make_revision_input(version))


def page(user: User, url: str = PAGE, **headers: str) -> str:
    response = client_of(user).get(url, headers=headers)
    assert response.status_code == 200
    return str(response.content.decode())


def test_without_a_load_test_the_result_says_so_and_offers_one_to_owners_alone(
    revision: Revision, owner: User, stranger: User
):
    assert "There is no load test" in page(owner)
    assert "load-test/enable/" in page(owner)
    publish(revision.model)
    assert "load-test/enable/" not in page(stranger)
    Revision.objects.filter(pk=revision.pk).update(status="environmentCreating")
    html = page(owner)
    assert "notAvailable" in html
    assert "load-test/enable/" not in html


def test_enabling_by_the_form_leads_to_the_panel_of_the_queued_test(revision: Revision, owner: User):
    client = client_of(owner)
    wrong = send(client, f"{PAGE}enable/", {"option": "PerRPS", "steps": "1,x", "arrivals": "uniform"})
    assert wrong.status_code == 422
    assert "is not a list of numbers" in wrong.content.decode()
    refused = send(client, f"{PAGE}enable/", {"option": "PerRPS", "steps": "5,1", "arrivals": "uniform"})
    assert refused.status_code == 422
    assert not LoadTest.objects.exists()
    form = {"option": "PerRPS", "steps": "1, 5", "duration": "2.5", "seed": "3", "arrivals": "poisson"}
    assert send(client, f"{PAGE}enable/", form).headers["Location"] == PANEL
    plan = LoadTest.objects.get().plan
    assert (plan["targets"], plan["duration_s"], plan["seed"], plan["arrivals"]) == ([1, 5], 2.5, 3, "poisson")
    assert "waits until a host runs nothing else" in page(owner, PANEL)


def test_cancelling_asks_first(revision: Revision, owner: User):
    running(enabled(revision))
    client = client_of(owner)
    assert "what was measured of the step that runs" in page(owner, f"{PAGE}cancel/")
    assert send(client, f"{PAGE}cancel/").headers["Location"] == PANEL
    assert LoadTest.objects.get().state == "cancelled"
    assert send(client, f"{PAGE}cancel/").status_code == 409


def test_the_panel_has_four_charts_the_table_and_the_conditions(revision: Revision, owner: User):
    finished(enabled(revision), STEPS, ended="failing")
    html = page(owner, PANEL, **{"HX-Request": "true", "HX-Target": "panel"})
    assert html.lstrip().startswith("<aside")
    assert "Load test result (v1.0.0) · PerConcurrency" in html
    for title in ("Request Per Second", "Latency (ms)", "Total request count", "Resource util percentage"):
        assert f'<figcaption class="chart__title">{title}</figcaption>' in html
    for name in ("P50", "P90", "P95", "P99", "Average", "Successful", "User failed", "System failed", "CPU", "Memory"):
        assert f"</svg>{name}</li>" in html
    assert "</svg>GPU</li>" not in html
    assert "The last step failed more than 1 % of its requests." in html
    for fact in ("Standard_F4s_v2", "2 vCPU", "level 2", "0.1.0", "5f2b" * 16, "ab12" * 16, "uniform", "<dd>7</dd>"):
        assert fact in html
    assert "hx-get" not in html.partition("panel__head")[2].partition("Conditions")[0]  # nothing asks again


def test_a_doubtful_step_says_why(revision: Revision, owner: User):
    finished(enabled(revision), [step_result(1, 90.0, doubts=["lag: the generator was late by 3.00 ms"])])
    html = page(owner)
    assert "may have measured the load generator" in html
    assert "late by 3.00 ms" in html


def test_a_payload_that_stayed_in_mop_format_is_told(revision: Revision, owner: User):
    test = finished(enabled(revision), STEPS)
    LoadTest.objects.filter(pk=test.pk).update(
        conditions=test.conditions | {"format": "mop", "not_json": "Object of type ndarray is not JSON serializable"}
    )
    assert "in MOP format: the converted input is not JSON (Object of type ndarray" in page(owner)


def test_a_failed_test_shows_reason_and_hint(revision: Revision, owner: User):
    test = enabled(revision)
    LoadTest.objects.filter(pk=test.pk).update(
        state="failed",
        ended_at=test.created_at,
        error={"name": "DeploymentCrashedError", "message": "it died", "hint": "Look at it", "place": None, "also": []},
    )
    html = page(owner)
    for text in ("DeploymentCrashedError", "it died", "Look at it", "Run again"):
        assert text in html


def test_while_it_runs_numbers_and_results_ask_again_each_with_an_etag_of_its_own(revision: Revision, owner: User):
    test = running(enabled(revision), STEPS[:1], target=10)
    html = page(owner)
    assert "step 2, 10 clients: counting 12 of 300 s, 392.6 answers a second, P50 19.1 ms, P99 30.2 ms" in html
    client = client_of(owner)
    urls = (f"/live{PAGE}now/?run=1", f"/live{PAGE}?run=1")
    etags = [client.get(url)["ETag"] for url in urls]
    assert all(etag in html for etag in (etag.replace('"', "&quot;") for etag in etags))

    def unchanged() -> list[bool]:
        answers = [client.get(url, headers={"If-None-Match": etag}) for url, etag in zip(urls, etags, strict=True)]
        return [answer.status_code == 304 for answer in answers]

    assert unchanged() == [True, True]
    LoadTest.objects.filter(pk=test.pk).update(note="keeps the step")
    assert unchanged() == [False, True]
    running(test, STEPS[1:2], target=20)
    assert unchanged() == [False, False]
    finished(test, STEPS[2:])
    for url in urls:
        assert "hx-get" not in client.get(url).content.decode()


def test_others_runs_are_laid_over_as_far_as_the_reader_may_see_them(
    revision: Revision, model: Model, owner: User, stranger: User
):
    other = model.revisions.get(version="v2.0.0")
    finished(enabled(revision), STEPS)
    finished(enabled(other), [step_result(1, 70.0)])
    assert 'name="with" value="v2.0.0"' in page(owner)
    html = page(owner, f"{PAGE}?with=v2.0.0,v9,v1.0.0")
    assert "Against v2.0.0" in html
    assert "v2.0.0 RPS: 70 at concurrency count 1" in html
    assert "chart__line--dash-1" in html
    put(Revision.objects.filter(pk=revision.pk), publish_status="public")
    html = page(stranger, f"{PAGE}?with=v2.0.0")
    for absent in ("Against v2.0.0", "v2.0.0 RPS", 'name="with"'):
        assert absent not in html


def test_only_runs_of_the_same_kind_are_offered(revision: Revision, model: Model, owner: User):
    finished(enabled(revision), STEPS)
    finished(enabled(model.revisions.get(version="v2.0.0"), option="PerRPS"), [step_result(1, 1.0)])
    assert "Compare with other versions" not in page(owner)


def test_earlier_runs_can_be_read(revision: Revision, owner: User):
    finished(enabled(revision), [step_result(1, 55.5)])
    finished(enabled(revision), [step_result(1, 77.7)])
    assert "77.7" in page(owner)
    assert "55.5" in page(owner, f"{PAGE}?run=1")
    for wrong in ("3", "0", "x", "9" * 40):
        assert client_of(owner).get(f"{PAGE}?run={wrong}").status_code == 404


def test_the_numbers_are_downloaded_as_csv_and_json(revision: Revision, owner: User):
    finished(enabled(revision), STEPS)
    client = client_of(owner)
    response = client.get(f"{PAGE}download/csv/")
    assert response["Content-Disposition"] == 'attachment; filename="toxicity-v1.0.0-load-test-1.csv"'
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(row["target"], row["rps"], row["requests_system_failed"], row["trusted"]) for row in rows] == [
        ("1", "90.0", "0", "yes"),
        ("10", "400.0", "0", "yes"),
        ("20", "401.0", "90", "yes"),
    ]
    assert (rows[0]["modality"], rows[0]["gpu_percent"]) == ("Text", "")
    document = json.loads(client.get(f"{PAGE}download/json/").content)
    assert [step["target"] for step in document["tests"][0]["steps"]] == [1, 10, 20]
    assert client.get(f"{PAGE}download/xml/").status_code == 404


def test_the_history_shows_each_versions_state_and_leads_on(revision: Revision, model: Model, owner: User):
    test = running(enabled(revision))
    html = page(owner, "/models/toxicity/")
    assert ">Load test result</th>" in html
    assert f'id="load-test-{revision.pk}"' in html
    assert "/models/toxicity/versions/v2.0.0/load-test/enable/" in html
    assert 'hx-trigger="every 3s"' in html  # the history asks again while a load test runs
    client = client_of(owner)
    etag = client.get("/live/models/toxicity/")["ETag"]
    finished(test, STEPS)
    assert client.get("/live/models/toxicity/", headers={"If-None-Match": etag}).status_code == 200


def test_the_number_of_queries_does_not_grow_with_versions(revision: Revision, model: Model, owner: User):
    finished(enabled(revision), STEPS)
    client = client_of(owner)

    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    before = count("/models/toxicity/")
    for number in range(3, 6):
        other = add_version(owner, model, f"v{number}.0.0")
        Revision.objects.filter(pk=other.pk).update(status="verified")
        finished(enabled(other), STEPS)
    assert count("/models/toxicity/") == before


def test_the_details_of_a_version_show_the_state_of_its_load_test(revision: Revision, owner: User):
    finished(enabled(revision), STEPS)
    html = page(owner, "/models/toxicity/versions/v1.0.0/")
    assert "The load test finished." in html


def test_a_version_that_waits_for_a_load_test_on_its_host_says_so(revision: Revision, owner: User, model: Model):
    waiting = add_version(owner, model, "v3.0.0")
    Revision.objects.filter(pk=waiting.pk).update(host="worker-1")
    test = enabled(revision)
    LoadTest.objects.update(host="worker-1")
    url = "/models/toxicity/versions/v3.0.0/"
    text = "a load test has its host to itself"
    assert text not in page(owner, url)  # it waits itself
    running(test)
    assert text in page(owner, url)
    Revision.objects.filter(pk=waiting.pk).update(host="worker-2")
    assert text not in page(owner, url)
