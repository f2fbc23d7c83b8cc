"""Reading records: severities, and everything that a hostile record could be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mop.scanning.dependencies.records import RECORD_BYTES_MAX, read_record
from mop.scanning.dependencies.severities import severity_of_vector
from mop.scanning.findings import Severity
from support.osv import affects, record

LOG4SHELL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"


def read(**changes: Any) -> Any:
    value = record("GHSA-1", affected=[affects("alpha", {"introduced": "0"})])
    return read_record(json.dumps({**value, **changes}).encode())


@pytest.mark.parametrize(
    ("kind", "vector", "severity"),
    [
        ("CVSS_V3", LOG4SHELL, Severity.CRITICAL),  # 10.0
        ("CVSS_V3", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Severity.HIGH),  # 7.5
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Severity.MEDIUM),  # 6.1
        ("CVSS_V3", "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", Severity.LOW),  # 1.8
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Severity.LOW),  # 0.0
        ("CVSS_V2", "AV:N/AC:L/Au:N/C:C/I:C/A:C", Severity.HIGH),  # 10.0; version 2 knows no critical
        ("CVSS_V2", "AV:N/AC:M/Au:N/C:N/I:P/A:N", Severity.MEDIUM),  # 4.3
        ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Severity.CRITICAL),  # 9.3
        ("CVSS_V4", "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", Severity.MEDIUM),  # 4.8
        ("CVSS_V3", "CVSS:3.1/AV:N", None),
        ("CVSS_V3", "", None),
        ("CVSS_V3", f"{LOG4SHELL}/" * 100, None),
        ("CVSS_V9", LOG4SHELL, None),
    ],
)
def test_a_vector_has_the_severity_of_its_score(kind: str, vector: str, severity: Severity | None):
    assert severity_of_vector(kind, vector) == severity


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"severity": [{"type": "CVSS_V3", "score": LOG4SHELL}]}, Severity.CRITICAL),
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        (
            {
                "severity": [{"type": "CVSS_V2", "score": "AV:N/AC:M/Au:N/C:N/I:P/A:N"}],
                "database_specific": {"severity": "high"},
            },
            Severity.HIGH,
        ),
        (
            {"severity": [{"type": "CVSS_V3", "score": "broken"}], "database_specific": {"severity": "low"}},
            Severity.LOW,
        ),
        (
            {"affected": [affects("alpha", {"introduced": "0"}, severity=[{"type": "CVSS_V3", "score": LOG4SHELL}])]},
            Severity.CRITICAL,
        ),
        ({"severity": [{"type": ["CVSS_V3"], "score": {}}], "database_specific": {"severity": ["high"]}}, None),
        ({"severity": "high", "database_specific": "high"}, None),
        ({}, None),
    ],
)
def test_a_record_has_the_worst_severity_that_it_states(changes: dict[str, Any], severity: Severity | None):
    assert read(**changes).severity == severity


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "../../etc/passwd"},
        {"id": "x" * 101},
        {"id": "GHSA 1\n"},
        {"modified": None},
        {"modified": "yesterday"},
        {"modified": "0001-01-01T00:00:00+14:00"},
        {"affected": {}},
        {"affected": ["alpha"]},
        {"affected": [{"package": "alpha"}]},
        {"affected": [{"package": {"ecosystem": "PyPI"}}]},
        {"affected": [affects("alpha") | {"versions": [1.0]}]},
        {"affected": [affects("alpha") | {"versions": "1.0"}]},
        {"affected": [affects("alpha") | {"ranges": [[]]}]},
        {"affected": [affects("alpha") | {"ranges": [{"type": "ECOSYSTEM", "events": {"introduced": "0"}}]}]},
        {"affected": [affects("alpha") | {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": 0}]}]}]},
        {"affected": [affects("alpha")] * 20_001},
        {"aliases": ["CVE-1"] * 201},
    ],
)
def test_a_record_of_another_form_is_refused_whole(changes: dict[str, Any]):
    with pytest.raises(ValueError):
        read(**changes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"GHSA-1"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": ' + b'{"a":' * 50_000,
        b'{"id": "GHSA-1", "modified": "\\ud800"}',
        b" " * (RECORD_BYTES_MAX + 1),
    ],
)
def test_what_is_no_record_is_refused(data: bytes):
    with pytest.raises(ValueError):
        read_record(data)


def test_aliases_that_are_no_identifiers_and_names_that_no_package_has_are_left_out():
    one = read(aliases=["CVE-1", "x y", 7, "<script>"], affected=[affects("alpha"), affects("a/../b"), affects("")])
    assert (one.aliases, one.packages) == (frozenset({"CVE-1"}), frozenset({"alpha"}))


def test_a_summary_is_one_short_line():
    assert read(summary="first\nsecond").summary == "first"
    assert read(summary=None, details="\n  told\nmore").summary == "told"
    assert len(read(summary="x" * 10_000).summary) == 300
    assert read(summary=7, details=None).summary == ""
