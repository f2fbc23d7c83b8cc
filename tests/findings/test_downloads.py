"""A scan as files: every kind is what its format asks for, and holds nothing of an earlier scan."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from mop.accounts.models import User
from mop.errors import NotFoundError
from mop.findings.downloads import download_of
from mop.findings.models import Scan
from mop.registry.models import Model, Revision
from support.browsing import client_of
from support.scans import BLOCKS, DIGEST, EVERY_ACTION, FILES, PACKAGES, WARNS_LOW, keep_scan, waive

pytestmark = pytest.mark.django_db


def read(kind: str, scan: Scan) -> Any:
    return json.loads(download_of(kind).content(scan))


def test_json_is_the_report_of_mop_scan_with_the_revision_and_the_actions(verified: Revision):
    body = read("json", keep_scan(verified, *EVERY_ACTION).scan)
    assert (body["model"], body["version"], body["artifact_digest"]) == ("toxicity", "v1.0.0", DIGEST)
    assert body["decision"] == "vulnerable"
    assert dt.datetime.fromisoformat(body["scanned_at"]).utcoffset() == dt.timedelta(0)
    assert body["files"] == [file.to_dict() for file in FILES]
    assert [finding["action"] for finding in body["findings"]] == ["block", "warn", "warn", "note"]
    assert body["findings"][0] == {**BLOCKS.to_dict(), "action": "block"}
    assert (body["scanners"], body["incomplete"]) == (["structure", "model-files"], {})


def test_json_of_a_second_scan_holds_nothing_of_the_first(revision: Revision):
    keep_scan(revision, *EVERY_ACTION)
    body = read("json", keep_scan(revision, WARNS_LOW, files=FILES[:1]).scan)
    assert (len(body["files"]), len(body["findings"])) == (1, 1)


def test_sarif_suppresses_what_is_waived_with_its_reason_and_nothing_else(
    revision: Revision, model: Model, owner: User, administrator: User
):
    waiver = waive(model, administrator, owner=owner)
    body = read("sarif", keep_scan(revision, *EVERY_ACTION).scan)
    (run,) = body["runs"]
    assert (body["version"], len(run["results"])) == ("2.1.0", 4)
    suppressed = {result["ruleId"]: result["suppressions"] for result in run["results"] if "suppressions" in result}
    assert list(suppressed) == ["model-files/code-execution"]
    assert suppressed["model-files/code-execution"][0]["justification"] == f"It is ours. (olivia, until {waiver.until})"


def test_the_sbom_names_what_is_installed_and_what_it_needs(revision: Revision):
    body = read("sbom", keep_scan(revision).scan)
    assert (body["bomFormat"], body["metadata"]["component"]["name"]) == ("CycloneDX", "toxicity")
    assert [(one["name"], one["version"]) for one in body["components"]] == [
        (name, version) for name, version, _ in PACKAGES
    ]
    below = {entry["ref"]: entry["dependsOn"] for entry in body["dependencies"]}
    assert below["pkg:pypi/scikit-learn@1.5.0"] == ["pkg:pypi/numpy@1.26.4"]


def test_without_an_environment_there_is_no_sbom(revision: Revision):
    scan = keep_scan(revision, packages=(), is_complete=False).scan
    with pytest.raises(NotFoundError, match="the environment of this version was never built"):
        download_of("sbom").content(scan)


@pytest.mark.parametrize("kind", ["json", "sarif", "sbom"])
def test_the_same_scan_gives_the_same_bytes(revision: Revision, kind: str):
    scan = keep_scan(revision, *EVERY_ACTION).scan
    again = Scan.objects.get(pk=scan.pk)
    assert download_of(kind).content(again) == download_of(kind).content(again)


def test_an_unknown_kind_is_not_found():
    with pytest.raises(NotFoundError, match="there are json, sarif, sbom"):
        download_of("pdf")


@pytest.mark.parametrize(
    ("kind", "name", "media_type"),
    [
        ("json", "toxicity-v1.0.0.findings.json", "application/json"),
        ("sarif", "toxicity-v1.0.0.sarif", "application/sarif+json"),
        ("sbom", "toxicity-v1.0.0.cdx.json", "application/vnd.cyclonedx+json"),
    ],
)
def test_the_page_hands_them_out_as_files(revision: Revision, owner: User, kind: str, name: str, media_type: str):
    keep_scan(revision, *EVERY_ACTION)
    response = client_of(owner).get(f"/models/toxicity/versions/v1.0.0/findings/download/{kind}/")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response.headers["Cache-Control"]
    json.loads(response.content)


def test_pages_of_unknown_kinds_and_of_what_was_not_scanned_are_not_found(revision: Revision, owner: User):
    client = client_of(owner)
    assert client.get("/models/toxicity/versions/v1.0.0/findings/download/json/").status_code == 404
    keep_scan(revision, is_complete=False, packages=())
    assert client.get("/models/toxicity/versions/v1.0.0/findings/download/pdf/").status_code == 404
    assert client.get("/models/toxicity/versions/v1.0.0/findings/download/sbom/").status_code == 404
