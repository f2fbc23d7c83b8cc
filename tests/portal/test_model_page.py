"""A model's page, the Details of its revisions, and what can be done there."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.services import Actor
from mop.contract_runs.models import ContractRun, Subject
from mop.errors import (
    ModelStructureError,
    ModelUrlForbiddenError,
    MopError,
    StorageUnavailableError,
    UserScriptException,
)
from mop.notifications.models import Notification
from mop.registry.advance import advance
from mop.registry.editing import change_model
from mop.registry.models import Model, Revision, RevisionEvent
from mop.registry.services import add_owner, create_revision, retry_revision
from mop.registry.statuses import CHAIN, RevisionStatus
from support.browsing import client_of, send
from support.factories import make_model, make_revision_input, make_task, make_user, publish, put
from support.load_tests import enabled, finished, step_result
from support.scans import keep_scan, make_finding

WORKER = Actor.system("worker")
QUERIES_MAX = 12
PANEL = {"HX-Request": "true", "HX-Target": "panel"}
PRIVATE_PAGES = [
    "/models/toxicity/",
    "/live/models/toxicity/",
    "/models/toxicity/versions/v1.0.0/",
    "/live/models/toxicity/versions/v1.0.0/",
    "/models/toxicity/upgrade/",
    "/models/toxicity/delete/",
    "/models/toxicity/versions/v1.0.0/note/",
    "/models/toxicity/versions/v1.0.0/delete/",
    "/models/toxicity/versions/v1.0.0/logs/build/",
    "/live/models/toxicity/versions/v1.0.0/logs/build/",
    "/models/toxicity/versions/v1.0.0/logs/build/download/",
]
OWNER_PAGES = PRIVATE_PAGES[4:]
OWNER_ACTIONS = [
    "/models/toxicity/description/",
    "/models/toxicity/owners/add/",
    "/models/toxicity/owners/remove/",
    "/models/toxicity/upgrade/",
    "/models/toxicity/delete/",
    "/models/toxicity/versions/v1.0.0/note/",
    "/models/toxicity/versions/v1.0.0/retry/",
    "/models/toxicity/versions/v1.0.0/cancel/",
    "/models/toxicity/versions/v1.0.0/delete/",
]


def queries(client: Client, address: str, **given: Any) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address, **given).status_code == 200
    return len(found)


def end(revision: Revision, to: RevisionStatus, error: MopError | None = None, **given: object) -> None:
    advance(revision_id=revision.pk, attempt=revision.attempt, to=to, actor=WORKER, error=error, **given)


def details(user: User, **headers: str) -> str:
    return client_of(user).get("/models/toxicity/versions/v1.0.0/", headers=headers).content.decode()


@pytest.mark.parametrize("url", PRIVATE_PAGES)
def test_a_private_model_is_not_found_by_others(url: str, model: Model, stranger: User):
    assert client_of(stranger).get(url).status_code == 404


@pytest.mark.parametrize("url", OWNER_PAGES)
def test_pages_of_owners_are_refused_to_those_who_see_the_model(url: str, model: Model, stranger: User):
    publish(model)
    assert client_of(stranger).get(url).status_code == 403


@pytest.mark.parametrize("url", OWNER_ACTIONS)
def test_actions_of_owners_are_refused_to_others(url: str, model: Model, stranger: User):
    stranger_client = client_of(stranger)
    assert send(stranger_client, url, form="/models/").status_code == 404
    publish(model)
    assert send(stranger_client, url, form="/models/").status_code == 403
    assert Model.objects.filter(pk=model.pk).exists()


def test_a_stranger_is_shown_no_action_and_no_log(model: Model, stranger: User):
    publish(model)
    html = client_of(stranger).get("/models/toxicity/?details=v1.0.0").content.decode()
    for absent in ("Upgrade version", "Delete", "Add owner", "Edit", "Cancel</button>", "logs/build"):
        assert absent not in html


def test_an_administrator_reads_logs_and_changes_owners_but_does_not_change_the_model(
    model: Model, administrator: User, stranger: User
):
    client = client_of(administrator)
    html = client.get("/models/toxicity/").content.decode()
    assert "Add owner" in html
    assert "Upgrade version" not in html
    assert client.get("/models/toxicity/versions/v1.0.0/logs/build/").status_code == 200
    send(client, "/models/toxicity/owners/add/", {"username": "sam"}, form="/models/toxicity/")
    assert stranger in model.owners.all()


def test_the_page_shows_information_mapping_tasks_and_history(model: Model, owner: User):
    html = client_of(owner).get("/models/toxicity/").content.decode()
    for text in ("Newest usable", "Connected tasks", "hate in text", "Model version history"):
        assert text in html
    assert 'data-copy="toxicity"' in html
    assert str(model.revisions.get().pk) in html


def test_the_number_of_queries_does_not_grow_with_versions_and_tasks(owner: User):
    tasks = (make_task(), make_task(taxonomy="Violence"), make_task(taxonomy="Sexual"))
    make_model("small", owner=owner, tasks=tasks[:2])  # of a single one nobody asks whether it may go
    large = make_model("large", owner=owner, tasks=tasks)
    for number in range(1, 6):
        create_revision(actor=actor_of(owner), user=owner, model=large, revision=make_revision_input(f"v1.0.{number}"))
    client = client_of(owner)
    assert queries(client, "/models/small/") == queries(client, "/models/large/") <= QUERIES_MAX


@pytest.mark.parametrize("status", ["created", "endpointCreating", "verified", "verifyFailed"])
def test_a_page_takes_few_queries_whatever_is_known_of_a_version(owner: User, status: str):
    model = make_model("toxicity", owner=owner)
    put(Revision.objects.filter(), status="verified")
    revision = model.revisions.get()
    finished(enabled(revision), [step_result(1, 5.0), step_result(2, 9.0)])
    finished(enabled(revision), [step_result(1, 6.0), step_result(2, 9.5)])
    keep_scan(revision, make_finding())
    ContractRun.objects.create(revision=revision, subject=Subject.SAMPLE, queue="q", created_by_label="olivia")
    change_model(actor=actor_of(owner), model=model, tags=["fast", "small"])
    put(Revision.objects.filter(), status=status)
    Notification.objects.create(recipient=owner, event="x", kind="x", title="x", scope_type="model", scope_id=model.pk)
    client = client_of(owner)
    for page in ("/models/toxicity/", "/models/toxicity/?version=v1.0.0", "/models/toxicity/versions/v1.0.0/"):
        assert queries(client, page) <= QUERIES_MAX, page
    for panel in ("details", "load-test"):  # a page, and what another page shows
        address = f"/models/toxicity/?{panel}=v1.0.0"
        assert queries(client, address) <= 2 * QUERIES_MAX, panel
        assert queries(client, address, headers=PANEL) <= QUERIES_MAX, panel


def test_the_description_is_changed(model: Model, owner: User):
    send(client_of(owner), "/models/toxicity/description/", {"description": "New words"}, form="/models/toxicity/")
    model.refresh_from_db()
    assert model.description == "New words"


def test_the_note_is_changed(revision: Revision, owner: User):
    send(client_of(owner), "/models/toxicity/versions/v1.0.0/note/", {"note": "Tuned"})
    revision.refresh_from_db()
    assert revision.note == "Tuned"


def test_owners_are_added_and_removed_but_never_the_last(model: Model, owner: User, stranger: User):
    client = client_of(owner)
    here = "/models/toxicity/"
    unknown = send(client, f"{here}owners/add/", {"username": "nobody"}, form=here)
    assert unknown.status_code == 422
    assert "There is no user &#x27;nobody&#x27;." in unknown.content.decode()
    last = send(client, f"{here}owners/remove/", {"username": "olivia"}, form=here)
    assert last.status_code == 409
    assert "Add another owner first." in last.content.decode()
    assert send(client, f"{here}owners/remove/", {"username": "sam"}, form=here).status_code == 404
    send(client, f"{here}owners/add/", {"username": "sam"}, form=here)
    gone = send(client, f"{here}owners/remove/", {"username": "olivia"}, form=here)
    assert gone.headers["Location"] == "/models/"
    assert list(model.owners.all()) == [stranger]


def test_details_open_as_a_panel_for_htmx_and_with_the_page_otherwise(model: Model, owner: User):
    client = client_of(owner)
    panel = client.get("/models/toxicity/?details=v1.0.0", headers={"HX-Request": "true", "HX-Target": "panel"})
    assert '<aside id="panel"' in panel.content.decode()
    assert "<html" not in panel.content.decode()
    whole = client.get("/models/toxicity/?details=v1.0.0").content.decode()
    assert "Details of v1.0.0" in whole
    assert "Model version history" in whole
    assert client.get("/models/toxicity/?details=v9").status_code == 404


def test_a_waiting_revision_says_for_which_host_and_its_place(owner: User):
    make_model("earlier", owner=make_user())
    make_model("toxicity", owner=owner)
    assert "waits for a Standard_F4s_v2 host: place 2 of 2 in the queue" in details(owner)


def test_the_phase_that_runs_says_how_long_it_usually_takes(revision: Revision, owner: User):
    assert "usually" not in details(owner)
    for number, seconds in enumerate((40, 50, 60, 70, 80)):
        earlier = make_model(f"earlier-{number}", owner=owner).revisions.get()
        begun = earlier.events.get().at
        RevisionEvent.objects.create(
            revision=earlier,
            attempt=1,
            status=RevisionStatus.DATA_DOWNLOADED,
            at=begun + dt.timedelta(seconds=seconds),
            actor_label="worker",
        )
    assert "so far</span>, usually 50 s to 1 min 10 s" in details(owner)
    end(revision, RevisionStatus.VERIFY_FAILED, ModelStructureError("Wrong."))
    assert "usually" not in details(owner)


def test_the_lines_around_the_place_are_shown_to_who_may_read_logs(revision: Revision, owner: User, stranger: User):
    error = UserScriptException("It raised.", place="src/inference.py:84")
    error.source = [(83, "for item in items:"), (84, "    item['<x>']")]
    end(revision, RevisionStatus.VERIFY_FAILED, error)
    html = details(owner)
    assert '<li class="is-here"><span>84</span><code>    item[&#x27;&lt;x&gt;&#x27;]</code></li>' in html
    put(Revision.objects.filter(pk=revision.pk), publish_status="public")
    told = details(stranger)
    assert "inference.py raised an exception." in told
    assert "It raised." not in told
    assert "for item in items" not in told


def test_a_failed_revision_says_why_where_and_how_to_fix_it(revision: Revision, owner: User):
    error = ModelStructureError(
        "src/inference.py is missing.", place="src", hint="Add it.", also=["model/ is <empty>."]
    )
    end(revision, RevisionStatus.VERIFY_FAILED, error)
    html = details(owner)
    for text in ("ModelStructureError", "src/inference.py is missing.", "Add it.", "model/ is &lt;empty&gt;."):
        assert text in html
    assert 'href="/help/errors/#modelstructureerror"' in html
    assert re.search(r"Retry( the same files)?</button>", html)
    assert "Cancel</button>" not in html
    assert "/live/models/" not in html


@pytest.mark.parametrize(
    ("error", "primary"),
    [
        (ModelStructureError("model/ is missing."), "Upgrade version"),
        (UserScriptException("init raised."), "Upgrade version"),
        (StorageUnavailableError("No answer, five times."), "Retry"),
        (ModelUrlForbiddenError("The url may not be read."), "Retry"),
    ],
)
def test_the_first_action_after_a_failure_is_the_one_that_can_help(
    revision: Revision, owner: User, error: MopError, primary: str
):
    end(revision, RevisionStatus.VERIFY_FAILED, error)
    html = details(owner)
    (first,) = re.findall(r"btn--primary[^>]*>\s*(?:<svg.*?</svg>)?\s*([\w ]+?)\s*<", html, re.DOTALL)
    assert first == primary
    assert re.search(r"Retry( the same files)?</button>", html)


def test_a_revision_to_be_retried_says_when(revision: Revision, owner: User):
    end(
        revision,
        RevisionStatus.TO_BE_RETRIED,
        StorageUnavailableError("No answer."),
        retry_at=timezone.now() + dt.timedelta(minutes=3),
    )
    html = details(owner)
    assert "MOP tries again in about" in html
    assert "StorageUnavailableError" in html


def test_a_verified_revision_says_what_it_was_given(revision: Revision, owner: User):
    facts = {
        "granted": {"level": 2, "cpus": 2.0, "memory_bytes": 8 * 1024**3, "parts": ["bubblewrap", "rlimits"]},
        "artifact_digest": "ab" * 32,
        "artifact_files": 4,
        "artifact_bytes": 2048,
        "python_version": "3.11.9",
        "pip_version": "24.0",
        "warnings": ["Something <odd>."],
    }
    for status in CHAIN[1:]:
        end(revision, status, facts=facts)
    html = details(owner)
    for text in (
        "2 of 4 vCPU",
        "8 GiB of 8 GiB",
        "level 2: bubblewrap, rlimits",
        "3.11.9, pip 24.0",
        "ab" * 32,
        "Something &lt;odd&gt;.",
    ):
        assert text in html
    assert html.count('class="line__row"') == len(CHAIN)


def test_earlier_attempts_stay_on_the_timeline(revision: Revision, owner: User):
    end(revision, RevisionStatus.VERIFY_FAILED, ModelStructureError("Wrong."))
    retry_revision(actor=actor_of(owner), revision=revision)
    html = details(owner)
    assert "Status timeline, attempt 2" in html
    assert "<summary>Attempt 1</summary>" in html
    timeline = html.partition('<ol class="line">')[2].partition("</ol>")[0]
    assert timeline.count("is-ahead") == len(CHAIN) - 1


def test_live_details_move_on_change_only_and_stop_at_the_end(revision: Revision, owner: User):
    client = client_of(owner)
    url = "/live/models/toxicity/versions/v1.0.0/"
    first = client.get(url)
    assert 'hx-trigger="every 2s"' in first.content.decode()
    assert client.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    end(revision, RevisionStatus.VERIFY_FAILED, ModelStructureError("Wrong."))
    last = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert last.status_code == 200
    assert "hx-trigger" not in last.content.decode()


def test_a_revision_is_cancelled_and_retried(revision: Revision, owner: User):
    client = client_of(owner)
    here = "/models/toxicity/?details=v1.0.0"
    assert send(client, "/models/toxicity/versions/v1.0.0/cancel/", form=here).headers["Location"] == here
    assert "cancelled by olivia" in client.get(here).content.decode()
    again = send(client, "/models/toxicity/versions/v1.0.0/cancel/", form=here)
    assert again.status_code == 409
    assert "there is nothing to cancel" in again.content.decode()
    send(client, "/models/toxicity/versions/v1.0.0/retry/", form=here)
    revision.refresh_from_db()
    assert (revision.status, revision.attempt) == ("created", 2)


def test_deleting_asks_first_and_names_what_goes(revision: Revision, owner: User):
    create_revision(actor=actor_of(owner), user=owner, model=revision.model, revision=make_revision_input("v1.0.1"))
    client = client_of(owner)
    asked = client.get("/models/toxicity/versions/v1.0.0/delete/").content.decode()
    assert "version v1.0.0 (created)" in asked
    assert "its build and deployment logs" in asked
    assert Revision.objects.count() == 2
    send(client, "/models/toxicity/versions/v1.0.0/delete/")
    assert Revision.objects.get().version == "v1.0.1"
    only = send(client, "/models/toxicity/versions/v1.0.1/delete/")
    assert only.status_code == 409
    assert "Delete the model instead." in only.content.decode()
    assert "version v1.0.1 (created)" in client.get("/models/toxicity/delete/").content.decode()
    send(client, "/models/toxicity/delete/")
    assert not Model.objects.exists()


def test_only_public_revisions_are_shown_to_others(model: Model, owner: User, stranger: User):
    create_revision(actor=actor_of(owner), user=owner, model=model, revision=make_revision_input("v2.0.0-secret"))
    put(Revision.objects.filter(version="v1.0.0"), publish_status="public")
    html = client_of(stranger).get("/models/toxicity/").content.decode()
    assert "v1.0.0" in html
    assert "v2.0.0-secret" not in html
    assert client_of(stranger).get("/models/toxicity/versions/v2.0.0-secret/").status_code == 404


def test_a_second_owner_sees_the_model(model: Model, owner: User, stranger: User):
    add_owner(actor=actor_of(owner), model=model, user=stranger)
    assert client_of(stranger).get("/models/toxicity/").status_code == 200


def test_the_address_opens_a_versions_full_record(revision: Revision, owner: User):
    client = client_of(owner)
    assert 'id="record"' not in client.get("/models/toxicity/").content.decode()
    html = client.get("/models/toxicity/?version=v1.0.0").content.decode()
    record = html.partition('id="record"')[2].partition("</tr>")[0]
    for text in ("Enable regression test", "Model configuration", "Revision id", str(revision.pk), "Blob Container"):
        assert text in record
    live = client.get("/live/models/toxicity/?version=v1.0.0", headers={"HX-Request": "true"}).content.decode()
    assert 'id="record"' in live
    assert 'id="facts" hx-swap-oob="true"' in live


def test_the_reader_chooses_the_columns_and_goes_back_to_the_usual_ones(model: Model, owner: User):
    client = client_of(owner)
    assert ">Instance type</th>" not in client.get("/models/toxicity/").content.decode()
    chosen = send(
        client,
        "/version-columns/",
        {"action": "apply", "column": ["instance-type", "no-such"], "next": "/models/toxicity/"},
        form="/models/toxicity/",
    )
    assert chosen.headers["Location"] == "/models/toxicity/"
    html = client.get("/models/toxicity/").content.decode()
    assert ">Instance type</th>" in html
    assert ">Version note</th>" not in html
    assert ">Status</th>" in html
    elsewhere = {"action": "reset", "next": "https://elsewhere.example/"}
    assert send(client, "/version-columns/", elsewhere, form="/models/toxicity/").headers["Location"] == "/models/"
    assert ">Version note</th>" in client.get("/models/toxicity/").content.decode()


def test_the_note_is_edited_in_place(revision: Revision, owner: User):
    client, url = client_of(owner), "/models/toxicity/versions/v1.0.0/note/"
    htmx = {"HX-Request": "true"}
    form = client.get(url, headers=htmx).content.decode()
    assert "<html" not in form
    assert "<textarea" in form
    token = client.cookies["csrftoken"].value
    saved = client.post(url, {"note": "in <place>", "csrfmiddlewaretoken": token}, headers=htmx).content.decode()
    assert "in &lt;place&gt;" in saved
    revision.refresh_from_db()
    assert revision.note == "in <place>"
    assert "<textarea" not in client.get(f"{url}?cancel=1", headers=htmx).content.decode()


def test_the_log_card_follows_the_log_that_is_written(revision: Revision, owner: User):
    client, url = client_of(owner), "/live/models/toxicity/versions/v1.0.0/log-card/"
    first = client.get(url)
    assert "Build log</h3>" in first.content.decode()
    for status in CHAIN[1 : CHAIN.index(RevisionStatus.DEPLOYMENT_CREATING) + 1]:
        end(revision, status)
    second = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert "Deployment log</h3>" in second.content.decode()
    assert client.get(url, headers={"If-None-Match": second.headers["ETag"]}).status_code == 304
