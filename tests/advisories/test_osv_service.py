"""Asking an OSV service: what it may answer, what is asked again, and what becomes of silence."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mop.advisories import osv_requests
from mop.advisories.osv_service import KEPT_SECONDS, QUIET_SECONDS, SECONDS, OsvService
from mop.scanning.dependencies.packages import Package
from support.installation import free_port
from support.osv import Osv, World, affects, osv, record

ALPHA, BETA = Package("alpha", "1.0"), Package("beta", "1.0")


def world_of(*identifiers: str, **more: Any) -> World:
    records = {name: record(name, affected=[affects("alpha", {"introduced": "0"})], **more) for name in identifiers}
    return World({"alpha": ["1.0"]}, records, {("alpha", "1.0"): frozenset(identifiers)})


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service() -> Iterator[Osv]:
    with osv(world_of("GHSA-1", "GHSA-2", "GHSA-3", "GHSA-4", "GHSA-5")) as running:
        yield running


def test_packages_are_asked_for_in_one_request_and_their_records_by_name(service: Osv):
    answers = OsvService(service.url).ask([ALPHA, BETA, ALPHA])
    assert sorted(one.identifier for one in answers.advisories["alpha"]) == sorted(service.world.records)
    assert (set(answers.advisories), answers.unanswered) == ({"alpha"}, {})
    assert sorted(service.requests) == [
        *(f"GET /v1/vulns/GHSA-{number}" for number in range(1, 6)),
        "POST /v1/querybatch",
    ]


def test_pages_of_a_package_are_followed_to_their_end(service: Osv):
    service.page = 2
    answers = OsvService(service.url).ask([ALPHA, BETA])
    assert len(answers.advisories["alpha"]) == 5
    assert service.requests.count("POST /v1/querybatch") == 3


def test_pages_without_end_are_given_up_and_told(service: Osv):
    body = json.dumps({"results": [{"next_page_token": "0"}]}).encode()
    service.answer = lambda request: (200, {}, body) if "querybatch" in request else None
    answers = OsvService(service.url).ask([ALPHA])
    assert answers.unanswered == {ALPHA: "the service names more advisories than are read"}
    assert len(service.requests) == 20


def test_more_packages_than_a_request_may_hold_are_asked_for_in_several(service: Osv):
    packages = [Package(f"package-{number}", "1") for number in range(2001)]
    assert OsvService(service.url).ask([*packages, ALPHA]).unanswered == {}
    assert service.requests.count("POST /v1/querybatch") == 3


def test_what_was_answered_is_not_asked_again_for_an_hour_and_records_until_they_change(service: Osv):
    clock = Clock()
    asking = OsvService(service.url, clock)
    first = asking.ask([ALPHA, BETA])
    asked = len(service.requests)
    assert asking.ask([BETA, ALPHA]) == first
    assert len(service.requests) == asked
    clock.now += KEPT_SECONDS
    changed = service.world.records["GHSA-1"] | {"modified": "2026-03-03T00:00:00Z", "summary": "changed"}
    service.world = World(service.world.versions, {**service.world.records, "GHSA-1": changed}, service.world.truth)
    again = asking.ask([ALPHA, BETA])
    assert service.requests[asked:] == ["POST /v1/querybatch", "GET /v1/vulns/GHSA-1"]
    assert "changed" in {one.summary for one in again.advisories["alpha"]}


def test_a_local_label_is_not_told(service: Osv):
    answers = OsvService(service.url).ask([Package("alpha", "1.0+ours")])
    assert len(answers.advisories["alpha"]) == 5


def test_a_package_without_a_name_of_an_index_is_not_told(service: Osv):
    OsvService(service.url).ask([Package("../x", "1"), Package("a" * 300, "1"), Package("", "1")])
    assert service.requests == []


def test_a_service_that_is_not_there_is_not_asked_again_for_five_minutes():
    port, clock = free_port(), Clock()
    asking = OsvService(f"http://127.0.0.1:{port}", clock)
    first = asking.ask([ALPHA]).unanswered[ALPHA]
    assert first == f"http://127.0.0.1:{port} could not be asked (ConnectError)"
    with socket.create_server(("127.0.0.1", port)) as listening:
        listening.setblocking(False)
        clock.now += QUIET_SECONDS - 1
        assert asking.ask([ALPHA, BETA]).unanswered == {ALPHA: first, BETA: first}
        with pytest.raises(BlockingIOError):
            listening.accept()
    clock.now += 2
    with osv(world_of("GHSA-1")) as back:
        asking.url = back.url
        assert asking.ask([ALPHA, BETA]).unanswered == {}


def test_what_is_known_is_still_told_while_the_service_is_silent(service: Osv):
    clock = Clock()
    asking = OsvService(service.url, clock)
    known = asking.ask([ALPHA])
    service.answer = lambda _request: (503, {}, b"{}")
    answers = asking.ask([ALPHA, BETA])
    assert answers.advisories == known.advisories
    assert answers.unanswered == {BETA: f"{service.url} answered with status 503"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (404, b"{}"),
        (429, b"{}"),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b'{"results": {}}'),
        (200, b'{"results": []}'),
        (200, b'{"results": [{}, {}]}'),
        (200, b'{"results": [null]}'),
        (200, b'{"results": [{"vulns": {}}]}'),
        (200, b'{"results": [{"vulns": [null]}]}'),
        (200, b'{"results": [{"vulns": [{"id": "../../v1/admin"}]}]}'),
        (200, b'{"results": [{"next_page_token": 7}]}'),
    ],
)
def test_an_answer_of_another_form_leaves_the_package_not_audited(status: int, body: bytes, service: Osv):
    service.answer = lambda _request: (status, {}, body)
    answers = OsvService(service.url).ask([ALPHA])
    assert set(answers.unanswered) == {ALPHA}
    assert answers.advisories == {}
    assert len(service.requests) == 1


def test_a_redirect_to_elsewhere_is_not_followed(service: Osv):
    with osv(world_of("GHSA-1")) as other:
        service.answer = lambda _request: (307, {"Location": f"{other.url}/v1/querybatch"}, b"")
        assert OsvService(service.url).ask([ALPHA]).unanswered == {ALPHA: f"{service.url} answered with status 307"}
        assert other.requests == []


def test_an_answer_without_end_is_cut(service: Osv, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(osv_requests, "ANSWER_BYTES_MAX", 1000)
    service.answer = lambda _request: (200, {}, b'{"results": [{}]' + b" " * 1000 + b"}")
    assert OsvService(service.url).ask([ALPHA]).unanswered == {
        ALPHA: f"{service.url} answered with more than 1,000 bytes"
    }


def test_a_compressed_answer_that_nobody_asked_for_is_not_unpacked(service: Osv):
    service.answer = lambda _request: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b" + b"\0" * 100)
    assert "answered no JSON" in OsvService(service.url).ask([ALPHA]).unanswered[ALPHA]


def test_a_service_that_takes_too_long_in_all_is_given_up(service: Osv):
    clock = Clock()

    def slow(_request: str) -> None:
        clock.now += SECONDS + 1

    service.answer = slow
    answers = OsvService(service.url, clock).ask([ALPHA])
    assert answers.unanswered == {ALPHA: f"{service.url} took too long"}
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"{}", "names the advisory GHSA-2 and does not have it"),
        (200, b"{}", "the advisory GHSA-2 cannot be read"),
        (200, json.dumps(record("GHSA-1", affected=[])).encode(), "gave another advisory than GHSA-2"),
    ],
)
def test_one_record_that_can_not_be_had_is_told_and_the_others_hold(
    status: int, body: bytes, reason: str, service: Osv
):
    service.answer = lambda request: (status, {}, body) if request.endswith("GHSA-2") else None
    answers = OsvService(service.url).ask([ALPHA, BETA])
    assert sorted(one.identifier for one in answers.advisories["alpha"]) == ["GHSA-1", "GHSA-3", "GHSA-4", "GHSA-5"]
    assert set(answers.unanswered) == {ALPHA}
    assert reason in answers.unanswered[ALPHA]


def test_an_advisory_that_is_named_and_does_not_hold_is_no_clean_bill(service: Osv):
    wrong = record("GHSA-1", affected=[affects("alpha", {"introduced": "5.0"})])
    service.world = World(service.world.versions, {"GHSA-1": wrong}, {("alpha", "1.0"): frozenset({"GHSA-1"})})
    assert OsvService(service.url).ask([ALPHA]).unanswered == {
        ALPHA: "the service names GHSA-1, which does not speak of it"
    }


def test_an_address_that_is_none_is_a_reason_and_no_error():
    assert set(OsvService("http://[::1").ask([ALPHA]).unanswered) == {ALPHA}


def test_the_time_of_a_real_clock_rises():
    assert OsvService("http://127.0.0.1").clock is time.monotonic


def test_a_version_that_is_none_is_not_told_since_it_could_spoil_the_request_for_all(service: Osv):
    answers = OsvService(service.url).ask([Package("alpha", "2004d"), Package("alpha", "9" * 300)])
    assert (service.requests, answers.unanswered) == ([], {})


def test_one_record_over_which_the_service_stumbles_leaves_the_others(service: Osv):
    service.answer = lambda request: (500, {}, b"") if request.endswith("GHSA-2") else None
    asking = OsvService(service.url)
    assert len(asking.ask([ALPHA]).advisories["alpha"]) == 4
    asked = len(service.requests)
    assert asking.ask([ALPHA, BETA]).unanswered.keys() == {ALPHA}
    assert service.requests[asked:] == ["POST /v1/querybatch", "GET /v1/vulns/GHSA-2"]  # it was not left alone


def test_answers_that_are_too_much_together_are_given_up(service: Osv, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(osv_requests, "ALL_BYTES_MAX", 500)
    answers = OsvService(service.url).ask([ALPHA])
    assert answers.unanswered.keys() == {ALPHA}
    assert len(answers.advisories.get("alpha", ())) < 5
