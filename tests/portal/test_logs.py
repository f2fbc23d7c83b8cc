"""Build and deployment logs: pages, search, the growing end, download."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from mop.accounts.models import User
from mop.onboarding.models import LogKind, LogLine
from mop.onboarding.views import pieces
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from support.browsing import client_of

pytestmark = pytest.mark.dialect

URL = "/models/toxicity/versions/v1.0.0/logs/build/"
TAIL = f"/live{URL}"


def write(revision: Revision, *texts: str, first: int = 1) -> None:
    LogLine.objects.bulk_create(
        LogLine(revision=revision, kind=LogKind.BUILD, number=number, at=timezone.now(), text=text)
        for number, text in enumerate(texts, start=first)
    )


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="L(\d+)"', html)]


def test_a_long_log_opens_at_its_end_and_pages_both_ways(revision: Revision, owner: User):
    write(revision, *(f"line {number}" for number in range(1, 1201)))
    client = client_of(owner)
    html = client.get(URL).content.decode()
    assert numbers(html) == list(range(701, 1201))
    assert "1200 lines" in html
    previous = re.search(r'href="(\?[^"]*)" rel="prev"', html)
    assert previous is not None
    html = client.get(URL + previous[1].replace("&amp;", "&")).content.decode()
    assert numbers(html) == list(range(201, 701))
    assert numbers(client.get(f"{URL}?after=0").content.decode()) == list(range(1, 501))


@pytest.mark.parametrize("query", ["?after=x&before=-1", "?after=99999999999999999999", "?before=0"])
def test_odd_places_are_no_fault(query: str, revision: Revision, owner: User):
    write(revision, "one")
    assert client_of(owner).get(URL + query).status_code == 200


def test_search_shows_only_lines_that_hold_the_text_and_marks_it(revision: Revision, owner: User):
    write(revision, "Installing numpy", "done", "NUMPY <b>installed</b>")
    html = client_of(owner).get(f"{URL}?search=numpy").content.decode()
    assert numbers(html) == [1, 3]
    assert "<mark>NUMPY</mark> &lt;b&gt;" in html
    assert "No line matches" in client_of(owner).get(f"{URL}?search=absent").content.decode()


def test_the_end_grows_while_the_pipeline_runs_and_stops_with_it(revision: Revision, owner: User):
    client = client_of(owner)
    write(revision, "one")
    assert f'hx-get="{TAIL}?after=1"' in client.get(URL).content.decode()
    assert client.get(f"{TAIL}?after=1").status_code == 204
    write(revision, "two", first=2)
    grown = client.get(f"{TAIL}?after=1").content.decode()
    assert numbers(grown) == [2]
    assert f'hx-get="{TAIL}?after=2"' in grown
    Revision.objects.update(status=RevisionStatus.VERIFIED)
    ended = client.get(f"{TAIL}?after=2")
    assert (ended.status_code, ended.content.strip()) == (200, b"")


def test_the_download_holds_every_line(revision: Revision, owner: User):
    write(revision, *(f"line {number}" for number in range(1, 1201)))
    response = client_of(owner).get(f"{URL}download/")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert 'filename="toxicity-v1.0.0-build.log"' in response.headers["Content-Disposition"]
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert len(lines) == 1200
    assert re.fullmatch(r" {2}1200 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ line 1200", lines[-1])


def test_there_are_only_two_logs(revision: Revision, owner: User):
    assert client_of(owner).get(URL.replace("build", "secret")).status_code == 404


@pytest.mark.parametrize(
    ("text", "search", "expected"),
    [
        ("abc", "", ["abc"]),
        ("xAbxab", "ab", ["x", "Ab", "x", "ab", ""]),
        ("aaa", "aa", ["", "aa", "a"]),
        ("İstanbul", "s", ["İstanbul"]),
    ],
)
def test_matches_are_every_second_piece(text: str, search: str, expected: list[str]):
    assert pieces(text, search) == expected
    assert "".join(pieces(text, search)) == text
