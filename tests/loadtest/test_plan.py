from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from mop.loadtest.endpoint import Endpoint
from mop.loadtest.plan import Plan, Strategy
from mop.loadtest.results import StepResult

PAGE = Path(__file__).parents[2] / "docs" / "load-tests.md"


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": ()},
        {"targets": (0,)},
        {"targets": (10, 1)},
        {"targets": (1, 1)},
        {"targets": (100_001,)},
        {"duration_s": 0},
        {"duration_s": float("nan")},
        {"warm_up_s": -1},
        {"timeout_s": 0},
        {"budget_s": 10, "duration_s": 11},
        {"seed": -1},
        {"precision": 0},
        {"precision": 1},
        {"targets": (100_000,), "duration_s": 3600},
    ],
)
def test_a_plan_that_can_not_be_carried_out_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"\w"):
        Plan(**{"strategy": Strategy.PER_RPS, "targets": (1, 10), **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "a b"},
        {"host": ""},
        {"host": "a\r\nx: y"},
        {"port": 0},
        {"path": "score"},
        {"path": "/a b"},
        {"path": "/a\r\nx: y"},
        {"path": "/" + "a" * 3000},
        {"method": "GET /"},
        {"headers": (("a b", "c"),)},
        {"headers": (("x", "a\r\nb: c"),)},
        {"headers": (("Content-Length", "7"),)},
        {"headers": (("Host", "other"),)},
        {"uds": ""},
        {"uds": "/" + "a" * 107},
    ],
)
def test_a_target_that_is_no_request_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"\w"):
        Endpoint(**{"host": "h", **wrong})


def test_the_bytes_of_a_request():
    endpoint = Endpoint(host="h", port=8080, path="/score?x=1", headers=(("X-MOP-Format", "mop"),), payload=b'{"a":1}')
    assert endpoint.request() == (
        b"POST /score?x=1 HTTP/1.1\r\nhost: h:8080\r\nuser-agent: mop-load-test\r\ncontent-length: 7\r\n"
        b'content-type: application/json\r\nX-MOP-Format: mop\r\n\r\n{"a":1}'
    )
    assert Endpoint(host="::1", port=443, tls=True, method="GET").request() == (
        b"GET / HTTP/1.1\r\nhost: [::1]\r\nuser-agent: mop-load-test\r\n\r\n"
    )
    assert b"content-type: text/plain\r\n" in Endpoint(host="h", headers=(("content-type", "text/plain"),)).request()
    assert b"content-length: 0\r\n" in Endpoint(host="h").request()


def test_the_address_of_a_target():
    assert Endpoint(host="h", path="/score").address == "http://h:80/score"
    assert Endpoint(host="::1", port=8443, tls=True).address == "https://[::1]:8443/"
    assert Endpoint(host="service", uds="/run/s").address == "unix:/run/s"


def test_docs_tell_every_number_of_a_step():
    table = PAGE.read_text().partition("## Numbers of a step")[2].partition("**Percentiles**")[0]
    told = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert told == {field.name for field in dataclasses.fields(StepResult)} - {"target"}
