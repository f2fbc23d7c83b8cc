"""Importing an export of OSV: whole or not at all, and whatever somebody may hand over in its place."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mop.advisories import archive
from mop.advisories.models import AdvisoryImport, AffectedPackage, ImportedAdvisory
from mop.advisories.selectors import audit, knowledge
from mop.advisories.services import import_advisories
from mop.audit.models import AuditEvent
from mop.errors import AdvisoryImportError
from mop.scanning.dependencies.packages import Package
from mop.scanning.findings import Severity
from support.factories import ACTOR
from support.osv import affects, record, write_export

pytestmark = pytest.mark.django_db
ALPHA = Package("alpha", "1.0")


@pytest.fixture(autouse=True)
def _imported(settings: Any) -> None:
    settings.MOP_ADVISORIES = "imported"


def one(
    identifier: str, *, package: str = "alpha", modified: str = "2026-01-01T00:00:00Z", **more: Any
) -> dict[str, Any]:
    return record(identifier, affected=[affects(package, {"introduced": "0"})], modified=modified, **more)


def load(folder: Path, *records: dict[str, Any], force: bool = False) -> AdvisoryImport:
    return import_advisories(actor=ACTOR, file=write_export(folder / "all.zip", list(records)), force=force)


def refused(file: Path) -> AdvisoryImportError:
    """Importing fails, and what was there is there still."""
    before = list(ImportedAdvisory.objects.values_list("identifier", "record"))
    with pytest.raises(AdvisoryImportError) as caught:
        import_advisories(actor=ACTOR, file=file, force=True)
    assert list(ImportedAdvisory.objects.values_list("identifier", "record")) == before
    return caught.value


def identifiers() -> list[str]:
    return [finding.details["identifier"] for finding in audit([ALPHA]).findings]


def test_an_export_is_imported_and_audited_with_its_date(tmp_path: Path):
    done = load(
        tmp_path,
        one("GHSA-1", modified="2026-05-06T07:08:09Z"),
        one("PYSEC-2", package="Be_ta"),
        record("GO-1", affected=[{"package": {"ecosystem": "Go", "name": "alpha"}}]),
    )
    assert (done.records, done.passed_over, done.source) == (2, 1, "all.zip")
    assert f"{done.newest_modified:%Y-%m-%d %H:%M:%S}" == "2026-05-06 07:08:09"
    assert identifiers() == ["GHSA-1"]
    audited = audit([ALPHA, Package("be-ta", "3")])
    assert (len(audited.findings), audited.not_audited, audited.source) == (2, (), "imported")
    assert audited.dated == done.newest_modified
    event = AuditEvent.objects.get(action="advisories.imported")
    assert (event.data["records"], event.data["sha256"]) == (2, done.sha256)


def test_the_next_export_replaces_what_it_does_not_hold_and_leaves_the_rest(tmp_path: Path):
    load(tmp_path, one("GHSA-1"), one("GHSA-2"), one("GHSA-3", summary="before"))
    load(tmp_path, one("GHSA-2"), one("GHSA-3", summary="after"), one("GHSA-4", package="beta"))
    assert sorted(ImportedAdvisory.objects.values_list("identifier", flat=True)) == ["GHSA-2", "GHSA-3", "GHSA-4"]
    assert AffectedPackage.objects.count() == 3
    assert "after" in audit([ALPHA]).findings[1].message


def test_an_older_export_is_refused_unless_it_is_forced(tmp_path: Path):
    load(tmp_path, one("GHSA-1", modified="2026-05-01T00:00:00Z"))
    older = one("GHSA-2", modified="2026-04-01T00:00:00Z")
    with pytest.raises(AdvisoryImportError, match="2026-04-01 00:00, older than what is there"):
        load(tmp_path, older)
    assert identifiers() == ["GHSA-1"]
    load(tmp_path, older, force=True)
    assert identifiers() == ["GHSA-2"]


def test_the_digest_changes_with_what_is_known_and_with_nothing_else(tmp_path: Path):
    digests = [knowledge().digest]
    for records in ([one("GHSA-1")], [one("GHSA-1"), one("GHSA-2")], [one("GHSA-1"), one("GHSA-2", summary="new")]):
        load(tmp_path, *records)
        digests.append(knowledge().digest)
    load(tmp_path, *reversed(records))
    assert len(set(digests)) == 4
    assert knowledge().digest == digests[-1]


def test_whoever_asked_is_told_after_the_commit_when_something_changed(
    tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    monkeypatch.setattr("mop.advisories.services.AFTER_IMPORT", [lambda: told.append(knowledge().digest)])
    with django_capture_on_commit_callbacks(execute=True):
        load(tmp_path, one("GHSA-1"))
        assert told == []
    assert told == [knowledge().digest]
    with django_capture_on_commit_callbacks(execute=True):
        load(tmp_path, one("GHSA-1"))
    assert len(told) == 1


def test_before_the_first_import_nothing_is_called_clean():
    (finding,) = audit([ALPHA]).findings
    assert finding.rule == "not-audited"
    assert "mop advisories import" in finding.message


def test_an_installation_that_audits_nothing_says_so(settings: Any):
    settings.MOP_ADVISORIES = "off"
    (finding,) = audit([ALPHA]).findings
    assert (finding.rule, "MOP_ADVISORIES=off" in finding.message) == ("not-audited", True)


def test_finding_advisories_of_many_packages_takes_few_queries(tmp_path: Path, django_assert_num_queries: Any):
    load(tmp_path, *(one(f"GHSA-{number}", package=f"package-{number}") for number in range(600)))
    with django_assert_num_queries(3):
        audited = audit([Package(f"package-{number}", "1") for number in range(600)])
    assert len(audited.findings) == 600


REQUESTS = "Unintended leak of Proxy-Authorization header in requests"
AS_OSV_WRITES = (
    {
        "id": "GHSA-j8r2-6x86-q33q",
        "summary": REQUESTS,
        "details": "### Impact\n\nSince Requests v2.3.0, Requests has been ...",
        "aliases": ["CVE-2023-32681", "PYSEC-2023-74"],
        "modified": "2026-02-04T04:22:11.105238Z",
        "published": "2023-05-22T20:36:32Z",
        "database_specific": {"cwe_ids": ["CWE-200"], "severity": "MODERATE", "github_reviewed": True},
        "references": [{"type": "WEB", "url": "https://nvd.nist.gov/vuln/detail/CVE-2023-32681"}],
        "affected": [
            {
                "package": {"name": "requests", "ecosystem": "PyPI", "purl": "pkg:pypi/requests"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.3.0"}, {"fixed": "2.31.0"}]}],
                "versions": ["2.10.0", "2.30.0", "2.3.0"],
                "database_specific": {"source": "https://github.com/github/advisory-database/..."},
            }
        ],
        "schema_version": "1.7.3",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N"}],
        "credits": [{"name": "somebody", "contact": ["https://example.org"], "type": "REPORTER"}],
    },
    {
        "id": "PYSEC-2023-74",
        "details": "Requests is a HTTP library.\n\nSince Requests 2.3.0 ...",
        "aliases": ["CVE-2023-32681", "GHSA-j8r2-6x86-q33q"],
        "modified": "2023-06-05T01:13:00.534166123Z",
        "published": "2023-05-26T18:15:00Z",
        "affected": [
            {
                "package": {"name": "requests", "ecosystem": "PyPI"},
                "ranges": [
                    {
                        "type": "GIT",
                        "repo": "https://github.com/psf/requests",
                        "events": [{"introduced": "0"}, {"fixed": "74ea7cf7a6a27a4eeb2ae24e162bcc942a6706d5"}],
                    },
                    {"type": "ECOSYSTEM", "events": [{"introduced": "2.3.0"}, {"fixed": "2.31.0"}]},
                ],
                "versions": ["2.3.0", "2.30.0"],
            }
        ],
        "schema_version": "1.4.0",
    },
    {
        "id": "MAL-2024-0001",
        "summary": "Malicious code in reqeusts-toolbelt (PyPI)",
        "modified": "2024-06-25T13:31:02Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "reqeusts-toolbelt"},
                "versions": ["0.0.1"],
                "database_specific": {"cwes": [{"cweId": "CWE-506"}]},
            }
        ],
        "database_specific": {"malicious-packages-origins": [{"source": "x", "sha256": "0" * 64}]},
    },
    {
        "id": "PYSEC-2022-43012",
        "modified": "2024-11-25T22:42:00Z",
        "withdrawn": "2024-11-22T04:37:05Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "requests"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            }
        ],
    },
)


def test_records_as_osv_writes_them_are_imported_and_matched(tmp_path: Path):
    done = load(tmp_path, *AS_OSV_WRITES)
    assert (done.records, f"{done.newest_modified:%Y-%m-%d}") == (4, "2026-02-04")
    audited = audit(
        [Package("requests", "2.30.0"), Package("reqeusts-toolbelt", "0.0.1"), Package("requests", "2.31.0")]
    )
    malware, leak = audited.findings
    assert (malware.rule, malware.path) == ("malicious-package", "environment:reqeusts-toolbelt-0.0.1")
    assert (leak.severity, leak.path) == (Severity.MEDIUM, "environment:requests-2.30.0")
    assert leak.message == f"requests 2.30.0 has the advisory CVE-2023-32681: {REQUESTS}"
    assert leak.details == {
        "identifier": "CVE-2023-32681",
        "aliases": ["GHSA-j8r2-6x86-q33q", "PYSEC-2023-74"],
        "fixed": ["2.31.0"],
        "url": "https://osv.dev/vulnerability/GHSA-j8r2-6x86-q33q",
    }
    assert audited.not_audited == ()


# what is no export ------------------------------------------------------------------------------------------


def zipped(file: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(name, data)
    return file


GOOD = json.dumps(one("GHSA-1"))


@pytest.mark.parametrize(
    "name",
    [
        "../GHSA-1.json",
        "/etc/cron.d/x.json",
        "a/GHSA-1.json",
        "GHSA-1.txt",
        ".json",
        "a\\b.json",
        "x" * 200 + ".json",
        "\x1b[1m.json",
    ],
)
def test_a_member_that_is_no_record_by_its_name_is_refused(name: str, tmp_path: Path):
    load(tmp_path, one("GHSA-9"))
    error = refused(zipped(tmp_path / "bad.zip", {"GHSA-1.json": GOOD, name: GOOD}))
    assert "is not named as a record" in error.message
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff",
        b'{"id": "GHSA-2"}',
        b'{"id": "../x", "modified": "2026-01-01"}',
    ],
)
def test_one_record_that_can_not_be_read_refuses_all(data: bytes, tmp_path: Path):
    load(tmp_path, one("GHSA-9"))
    error = refused(zipped(tmp_path / "bad.zip", {"GHSA-1.json": GOOD, "GHSA-2.json": data}))
    assert "Its member GHSA-2.json is no advisory" in error.message


def test_two_records_of_one_identifier_are_refused(tmp_path: Path):
    load(tmp_path, one("GHSA-9"))
    error = refused(zipped(tmp_path / "bad.zip", {"GHSA-1.json": GOOD, "GHSA-2.json": GOOD}))
    assert error.message == "It has two records GHSA-1."


def test_a_huge_record_is_refused_before_it_is_unpacked_whole(tmp_path: Path):
    load(tmp_path, one("GHSA-9"))
    huge = b'{"id": "GHSA-1", "details": "' + b"x" * (archive.RECORD_BYTES_MAX + 1) + b'"}'
    assert "has more than 8,388,608 bytes" in refused(zipped(tmp_path / "bad.zip", {"GHSA-1.json": huge})).message


def test_a_bomb_of_many_records_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    load(tmp_path, one("GHSA-9"))
    monkeypatch.setattr(archive, "EXPANSION_FLOOR_BYTES", 1024**2)
    members = {f"GHSA-{number}.json": json.dumps(one(f"GHSA-{number}", details="x" * 1_000_000)) for number in range(6)}
    file = zipped(tmp_path / "bad.zip", members)
    assert file.stat().st_size < 20_000
    assert "more than 100 times its size" in refused(file).message


def crowded(members: int) -> bytes:
    """A zip whose directory names one small member so many times."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as written:
        written.writestr("a.json", "{}")
    data = whole.getvalue()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    total = members * len(entry)
    record64 = b"PK\x06\x06" + (44).to_bytes(8, "little") + b"\x2d\0\x2d\0" + b"\0" * 8
    record64 += b"".join(number.to_bytes(8, "little") for number in (members, members, total, start))
    locator = b"PK\x06\x07" + b"\0" * 4 + (start + total).to_bytes(8, "little") + b"\x01\0\0\0"
    last = b"PK\x05\x06" + b"\0" * 4 + b"\xff" * 12 + b"\0\0"
    return data[:start] + entry * members + record64 + locator + last


def test_a_hundred_thousand_members_of_one_place_are_refused(tmp_path: Path):
    file = tmp_path / "bad.zip"
    file.write_bytes(crowded(100_000))
    with zipfile.ZipFile(file) as written:
        assert len(written.infolist()) == 100_000
    assert "Its member a.json is no advisory" in refused(file).message


def test_more_members_than_any_export_has_are_refused_before_one_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archive, "MEMBERS_MAX", 1000)
    file = tmp_path / "bad.zip"
    file.write_bytes(crowded(1001))
    assert refused(file).message == "It has more than 1,000 members."


def test_a_directory_longer_than_any_export_has_is_not_read_into_memory(tmp_path: Path):
    file = tmp_path / "bad.zip"
    file.write_bytes(crowded(600_000))
    assert refused(file).message == "It cannot be read as a zip: its directory is too long."


@pytest.mark.parametrize("data", [b"", b"PK", b"GHSA-1", b"PK\x05\x06" + b"\xff" * 18, b"\0" * 100_000])
def test_a_file_that_is_no_zip_is_refused(data: bytes, tmp_path: Path):
    (tmp_path / "bad.zip").write_bytes(data)
    assert refused(tmp_path / "bad.zip").message


def test_a_zip_that_was_cut_or_changed_is_refused(tmp_path: Path):
    load(tmp_path, one("GHSA-9"))
    whole = write_export(tmp_path / "good.zip", [one(f"GHSA-{number}") for number in range(50)]).read_bytes()
    changed = bytearray(whole)
    changed[200] ^= 0xFF
    for data in (whole[: len(whole) // 2], whole[:-30], bytes(changed)):
        (tmp_path / "bad.zip").write_bytes(data)
        refused(tmp_path / "bad.zip")


def test_an_encrypted_member_is_refused(tmp_path: Path):
    data = bytearray(write_export(tmp_path / "good.zip", [one("GHSA-1")]).read_bytes())
    for mark in (b"PK\x01\x02", b"PK\x03\x04"):
        data[data.index(mark) + (8 if mark == b"PK\x01\x02" else 6)] |= 1
    (tmp_path / "bad.zip").write_bytes(bytes(data))
    assert "or is encrypted" in refused(tmp_path / "bad.zip").message


def test_an_export_without_a_pypi_package_is_refused(tmp_path: Path):
    other = record("GO-1", affected=[{"package": {"ecosystem": "Go", "name": "alpha"}}])
    file = write_export(tmp_path / "bad.zip", [other])
    assert refused(file).message == "None of its 1 records speaks of a PyPI package."


def test_what_is_no_file_is_refused(tmp_path: Path):
    assert "is no file" in refused(tmp_path).message
    assert "is no file" in refused(tmp_path / "missing.zip").message


def test_a_file_larger_than_any_export_is_refused(tmp_path: Path):
    with (tmp_path / "bad.zip").open("wb") as file:
        file.truncate(archive.FILE_BYTES_MAX + 1)  # it takes no room
    assert "more than 1,073,741,824 bytes" in refused(tmp_path / "bad.zip").message
