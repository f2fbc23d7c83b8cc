"""A live block stops only when everything on it is final, what follows by itself included."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

import mop
from mop.accounts.models import User
from mop.findings.rescans import end_rescan, request_rescan
from mop.loadtest.jobs import conclude, store_step
from mop.loadtest.models import LoadTest
from mop.loadtest.services import start_after_verified
from mop.registry.advance import advance
from mop.registry.models import Revision
from mop.registry.statuses import CHAIN, RevisionStatus
from support.browsing import client_of
from support.factories import ACTOR, make_model
from support.load_tests import running, step_result
from support.scans import NOTED, WARNS_LOW, keep_scan

VERSION = "/models/toxicity/versions/v1.0.0/"
DETAILS = f"/live{VERSION}"
HISTORY = "/live/models/toxicity/"
MODELS = "/live/models/"
FINDINGS = f"/live{VERSION}findings/"
FILES = f"/live{VERSION}findings/files/"
NOW = f"/live{VERSION}load-test/now/"
RESULTS = f"/live{VERSION}load-test/"
DENIAL = "No load test was requested"


class Watcher:
    """A page's live block: asks while it was told to, as the browser does, and keeps what it shows."""

    def __init__(self, client: Client, url: str) -> None:
        self._client, self._url = client, url
        self.etag = self.html = ""
        self.asks = True

    def poll(self) -> str:
        """What stands on the page after one more question, or none where it asks no more."""
        if self.asks:
            answer = self._client.get(self._url, headers={"If-None-Match": self.etag})
            if answer.status_code == 200:
                self.etag, self.html = answer.headers["ETag"], answer.content.decode()
                self.asks = 'hx-trigger="every' in self.html
        return self.html


def verify(revision: Revision) -> None:
    for status in CHAIN[1:]:
        advance(revision_id=revision.pk, attempt=1, to=status, actor=ACTOR, facts={"artifact_digest": "ab" * 32})


def hand_on(revision: Revision) -> LoadTest:
    start_after_verified(actor=ACTOR, revision_id=str(revision.pk), attempt=1)
    return LoadTest.objects.get()


@pytest.mark.parametrize(
    ("mark", "component"),
    [
        ('hx-trigger="every', "polling.html"),
        ("data-etag", "polling.html"),
        ('class="crumbs"', "breadcrumb.html"),
    ],
)
def test_polling_and_the_page_trail_are_written_in_one_template_each(mark: str, component: str):
    templates = Path(mop.__path__[0]).glob("*/templates/**/*.html")
    assert [path.name for path in templates if mark in path.read_text()] == [component]


@pytest.mark.parametrize("url", [DETAILS, HISTORY, NOW, RESULTS])
def test_it_goes_on_from_verified_to_the_end_of_the_load_test_that_follows(url: str, revision: Revision, owner: User):
    block = Watcher(client_of(owner), url)
    block.poll()
    verify(revision)
    assert DENIAL not in block.poll()
    test = hand_on(revision)
    block.poll()
    running(test, [step_result(1, 90.0)])
    block.poll()
    conclude(str(test.pk), ended="plateau")
    assert "finished" in block.poll() or url == RESULTS
    assert not block.asks


def test_the_last_answer_of_a_load_test_has_its_steps_and_downloads(revision: Revision, owner: User):
    block = Watcher(client_of(owner), RESULTS)
    assert "There is no load test" in block.poll()
    verify(revision)
    test = hand_on(revision)
    running(test, [step_result(1, 90.0)])
    assert "load-test/download/csv/" in block.poll()
    store_step(test.pk, step_result(10, 400.0), 10.0)
    conclude(str(test.pk), ended="plateau")
    assert '<th scope="row">10</th>' in block.poll()
    assert not block.asks


@pytest.mark.parametrize("url", [DETAILS, HISTORY])
def test_it_ends_with_verified_where_no_load_test_follows(url: str, owner: User):
    revision = make_model("toxicity", owner=owner, load_test_option="off").revisions.get()
    block = Watcher(client_of(owner), url)
    block.poll()
    verify(revision)
    assert "notStarted" in block.poll()
    assert not block.asks


@pytest.mark.parametrize("url", [DETAILS, HISTORY, MODELS, FINDINGS, FILES])
def test_it_goes_on_until_a_scan_that_was_asked_for_has_changed_what_is_shown(url: str, owner: User):
    revision = make_model("toxicity", owner=owner, load_test_option="off").revisions.get()
    verify(revision)
    keep_scan(revision, NOTED)
    block = Watcher(client_of(owner), url)
    assert "vulnerable" not in block.poll()
    assert not block.asks
    rescan = request_rescan(actor=ACTOR, revision=revision)
    block.asks = True  # the page was loaded again by the button
    block.poll()
    assert block.asks
    keep_scan(revision, WARNS_LOW)
    advance(revision_id=revision.pk, attempt=1, to=RevisionStatus.VULNERABLE, actor=ACTOR)
    block.poll()
    end_rescan(rescan.workflow_id)
    last = block.poll()
    assert not block.asks
    assert WARNS_LOW.message in last if url == FINDINGS else "vulnerable" in last or url == FILES
