"""Results that an installation keeps, and documents of a server of another version."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_args

import pytest

from mop.api.api import api
from mop.loadtest.conditions import Conditions
from mop.loadtest.documents import LoadTestOut, LoadTestRunOut, StateName
from mop.loadtest.reading import read
from mop.loadtest.results import Progress, StepResult
from mop.loadtest.states import LoadTestState
from support.load_tests import CONDITIONS, step_result

# a row as it was written before results had a type of their own at every edge
KEPT: dict[str, Any] = {
    "target": 10,
    "duration_s": 300.0,
    "rps": 10.0,
    "latency_ms": {"average": 12.1, "p50": 11.0, "p90": 16.9, "p95": 19.7, "p99": 24.1, "max": 31.0},
    "confidence_ms": {"p50": [10.9, 11.2], "p90": [16.4, 17.5], "p95": None, "p99": None},
    "requests": {"total": 3000, "successful": 2999, "user_failed": 0, "system_failed": 1},
    "failures": {"status 503": 1},
    "lag_ms": {"p50": 0.06, "p99": 0.2},
    "generator_cpu": 0.01,
    "untrusted_because": ["lag: the generator was late"],
    "warnings": [],
    "histogram": [[10.48576, 1730], [11.010048, 480]],
    "ended": "complete",
    "began_ns": 123456789,
    "utilization": {"cpu": 31.0, "memory": 12.5, "disk": 0.0, "gpu": None, "gpu_memory": None},
    "trusted": False,
}


def test_a_kept_step_is_read_and_written_as_it_was():
    step = StepResult.from_dict(KEPT)
    assert (step.confidence_ms.p50, step.histogram[0], step.trusted) == ((10.9, 11.2), (10.48576, 1730), False)
    assert json.loads(json.dumps(step.to_dict())) == KEPT | {"retries": 0}


def test_whether_a_step_is_trusted_follows_from_its_doubts_alone():
    assert not StepResult.from_dict(KEPT | {"trusted": True}).trusted
    assert StepResult.from_dict(KEPT | {"untrusted_because": [], "trusted": False}).trusted


def test_fields_of_a_later_version_are_left_out():
    later = KEPT | {"colour": "red", "latency_ms": KEPT["latency_ms"] | {"p999": 40.0}}
    assert StepResult.from_dict(later) == StepResult.from_dict(KEPT)


@pytest.mark.parametrize("wrong", [{"rps": "fast"}, {"ended": "somehow"}, {"requests": None}, {"histogram": [[1]]}])
def test_another_form_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        StepResult.from_dict(KEPT | wrong)


def test_kept_conditions_are_read_and_written_as_they_were():
    assert json.loads(json.dumps(read(Conditions, CONDITIONS).to_dict())) == CONDITIONS


def test_a_document_names_every_state():
    assert set(get_args(StateName)) == {state.value for state in LoadTestState}


def test_the_api_describes_every_field_of_a_run():
    described = api.get_openapi_schema()["components"]["schemas"]
    for kind in (LoadTestRunOut, LoadTestOut, StepResult, Progress, Conditions):
        assert set(described[kind.__name__]["properties"]) == {field.name for field in fields(kind)}
    assert described["LoadTestOut"]["properties"]["steps"]["items"]["$ref"].endswith("/StepResult")


def test_what_the_api_describes_is_what_a_step_holds():
    described = api.get_openapi_schema()["components"]["schemas"]["StepResult"]["properties"]
    assert set(described) == set(step_result(1, 9.0).to_dict())
