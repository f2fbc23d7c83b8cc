"""Whether an advisory holds for a version: every way to say it, and what cannot be compared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.scanning.dependencies.advisory_matching import Match, match
from mop.scanning.dependencies.packages import Package
from mop.scanning.dependencies.records import Advisory, read_record
from support.osv import affects, make_world, record


def advisory(*affected: dict[str, Any], **more: Any) -> Advisory:
    return read_record(json.dumps(record("GHSA-1", affected=list(affected), **more)).encode())


def affected_of(versions: list[str], *events: dict[str, str], **more: Any) -> list[str]:
    one = advisory(affects("alpha", *events, **more))
    return [version for version in versions if match(Package("alpha", version), one) == Match.AFFECTED]


ASKED = ["0.9", "1.0", "1.5", "2.0rc1", "2.0", "2.1", "3.0", "4.0"]


@pytest.mark.parametrize(
    ("events", "holds"),
    [
        ([{"introduced": "0"}], ASKED),
        ([{"introduced": "0"}, {"fixed": "2.0"}], ASKED[:4]),  # a candidate is before its release
        ([{"introduced": "1.0"}, {"fixed": "2.0"}], ASKED[1:4]),
        ([{"introduced": "1.0"}, {"last_affected": "2.0"}], ASKED[1:5]),
        ([{"introduced": "1.0"}, {"last_affected": "1.0"}], ["1.0"]),
        ([{"last_affected": "1.0"}, {"introduced": "1.0"}], ["1.0"]),
        ([{"fixed": "4.0"}, {"introduced": "2.1"}, {"fixed": "1.0"}, {"introduced": "0"}], ["0.9", "2.1", "3.0"]),
        ([{"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "2.0"}, {"fixed": "3.0"}], ASKED[1:6]),
        ([{"introduced": "2.0"}, {"fixed": "2.0"}], []),
        ([{"introduced": "0"}, {"limit": "2.0"}], ASKED[:4]),
        ([{"introduced": "0"}, {"limit": "1.0"}, {"limit": "3.0"}], ASKED[:6]),
        ([{"introduced": "0"}, {"limit": "1.0"}, {"limit": "*"}], ASKED),
        ([{"introduced": "v1.0.0"}, {"fixed": "2-rc-1"}], ["1.0", "1.5"]),
    ],
)
def test_a_range_holds_for(events: list[dict[str, str]], holds: list[str]):
    assert affected_of(ASKED, *events) == holds


def test_several_ranges_and_listed_versions_add_up():
    entry = affects("alpha", {"introduced": "0"}, {"fixed": "1.0"}, versions=["2.0"])
    entry["ranges"] += [{"type": "ECOSYSTEM", "events": [{"introduced": "4.0"}]}]
    one = advisory(entry, affects("alpha", versions=["3"]))
    assert [version for version in ASKED if match(Package("alpha", version), one) == Match.AFFECTED] == [
        "0.9",
        "2.0",
        "3.0",
        "4.0",
    ]


def test_versions_are_compared_as_versions_and_a_local_label_is_the_build_of_a_version():
    one = advisory(affects("torch", {"introduced": "2.0"}, {"last_affected": "2.1"}, versions=["1.0.0"]))
    for version in ("1.0", "v1.0.0.0", "2.1+cu118", "2.1.0+cpu", "1+local.7"):
        assert match(Package("torch", version), one) == Match.AFFECTED
    assert match(Package("torch", "2.1.1+cu118"), one) == Match.NOT_AFFECTED


def test_names_are_compared_in_their_canonical_form_and_within_pypi():
    one = advisory(affects("Zope.Interface_x", {"introduced": "0"}))
    assert match(Package.of("zope-interface-X", "1"), one) == Match.AFFECTED
    other = affects("alpha", {"introduced": "0"})
    other["package"]["ecosystem"] = "npm"
    assert match(Package("alpha", "1"), advisory(other)) == Match.NOT_AFFECTED


def test_a_withdrawn_advisory_holds_for_nothing():
    one = advisory(affects("alpha", {"introduced": "0"}), withdrawn="2026-01-01T00:00:00Z")
    assert match(Package("alpha", "1"), one) == Match.NOT_AFFECTED


@pytest.mark.parametrize(
    "entry",
    [
        affects("alpha", {"introduced": "0"}, {"fixed": "the next one"}),
        affects("alpha", {"introduced": "2004d"}),
        affects("alpha", {"introduced": "0"}, {"limit": "x"}),
        affects("alpha", {"fixed": "2.0"}),
        affects("alpha", {"introduced": f"1.{'0' * 300}"}),
        affects("alpha"),
        affects("alpha") | {"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]},
    ],
)
def test_what_can_not_be_compared_is_undecided_and_not_clean(entry: dict[str, Any]):
    assert match(Package("alpha", "1.0"), advisory(entry)) == Match.UNDECIDED


def test_a_version_that_is_none_is_undecided_unless_it_is_listed_by_its_name():
    one = advisory(affects("alpha", {"introduced": "0"}, versions=["2004d"]))
    assert match(Package("alpha", "2004d"), one) == Match.AFFECTED
    assert match(Package("alpha", "2005d"), one) == Match.UNDECIDED


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(min_value=0, max_value=1_000_000))
def test_matching_tells_the_truth_of_worlds_whose_truth_was_chosen(seed: int):
    world = make_world(seed)
    read = {name: read_record(json.dumps(one).encode()) for name, one in world.records.items()}
    # what is kept of an import says the same
    kept = {name: read_record(one.to_json()) for name, one in read.items()}
    assert kept == read
    for (name, version), held in world.truth.items():
        package = Package(name, version)
        found = {one.identifier for one in kept.values() if match(package, one) == Match.AFFECTED}
        assert found == {one for one in held if not read[one].withdrawn}
        assert not [one for one in kept.values() if match(package, one) == Match.UNDECIDED]
