"""What a worker's scan decides: blocked before anything is installed, waived, warned of, decided about again."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from environments.packages import PackageIndex, wheel
from support.installation import CHAIN, Installation, Submitted
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox
SECONDS = 60.0
BLOCK_SECRETS = '[rules]\n"secrets/*" = "block"\n'


class Touches:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.marker), "w"))


def write_hostile(folder: Path, marker: Path) -> Path:
    write_model(folder)
    (folder / "model" / "weights.bin").write_bytes(pickle.dumps(Touches(marker)))
    return folder


def findings_of(mop: Installation, revision: Submitted) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = mop.call("GET", f"{revision.path}/findings?limit=200")["items"]
    return found


def test_code_in_a_checkpoint_blocks_before_anything_is_installed(
    mop: Installation, index: PackageIndex, tmp_path: Path
):
    marker = tmp_path / "marker"
    index.add(wheel("tiny-scan", "1.0"))
    mop.start_worker()
    folder = write_hostile(mop.folders / "hostile", marker)
    (folder / "src" / "requirements.txt").write_text("mop-utils>=2.0\ntiny-scan==1.0\n")
    revision = mop.submit(folder)
    shown = mop.wait(revision, "vulnerable")
    assert shown["error"]["name"] == "BlockingFindingsError"
    assert "model/weights.bin" in shown["error"]["message"]
    assert shown["error"]["hint"]
    mop.assert_each_status_once(revision, ending=(*CHAIN[:3], "vulnerable"))
    assert not any("tiny_scan" in name for name in index.downloads), "the package was fetched"
    scan = mop.call("GET", f"{revision.path}/scan")
    assert (scan["decision"], scan["is_complete"], scan["verdicts"]["infected"]) == ("vulnerable", False, 1)
    blocking = [finding for finding in findings_of(mop, revision) if finding["action"] == "block"]
    assert [(finding["path"], finding["severity"]) for finding in blocking] == [("model/weights.bin", "critical")]
    files = {file["path"]: file["verdict"] for file in mop.call("GET", f"{revision.path}/files")["items"]}
    assert files["model/weights.bin"] == "infected"
    assert files["model/words.txt"] == "clean"
    # never started again
    assert mop.call("POST", f"{revision.path}/retry", status=409)["name"] == "ConflictError"

    finding = blocking[0]
    waiver = {name: finding[name] for name in ("scanner", "rule", "path")} | {
        "owner": "administrator",
        "reason": "written by the team itself; loaded with weights_only",
        "until": (dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=30)).isoformat(),
    }
    waivers = f"/models/{revision.model}/waivers"
    assert mop.call("POST", waivers, waiver, status=403)["name"] == "NotAllowedError"
    with mop.as_administrator():
        given = mop.call("POST", waivers, waiver, status=201)
    answer = mop.call("POST", f"/models/{revision.model}/revisions", {"version": "v2"})
    second = Submitted(answer["id"], answer["model"], answer["version"])
    shown = mop.wait(second, "verified")
    assert any("model/weights.bin" in warning for warning in shown["warnings"])
    waived = [finding for finding in findings_of(mop, second) if finding["waiver"]]
    assert [finding["action"] for finding in waived] == ["warn"]
    # when the waiver ends, what only it kept from blocking is vulnerable
    with mop.as_administrator():
        mop.call("DELETE", f"{waivers}/{given['id']}", status=204)
    match_now(mop)
    assert mop.show(second)["status"] == "vulnerable"
    assert not marker.exists()


def test_start_up_code_in_a_private_wheel_blocks(mop: Installation, tmp_path: Path):
    marker = tmp_path / "marker"
    mop.start_worker()
    folder = write_model(mop.folders / "startup")
    packages = folder / "privatepkgs"
    packages.mkdir()
    name, content = wheel("tiny-startup", "1.0", files={"tiny_startup.pth": f"import os; open({str(marker)!r}, 'w')\n"})
    (packages / name).write_bytes(content)
    revision = mop.submit(folder)
    mop.wait(revision, "vulnerable")
    assert any(finding["scanner"] == "wheels" for finding in findings_of(mop, revision))
    assert not marker.exists()


def test_a_rescan_by_a_stricter_policy_makes_a_verified_version_vulnerable(mop: Installation):
    mop.start_worker()
    folder = write_model(mop.folders / "secret")
    (folder / "src" / "keys.txt").write_text('aws_access_key_id = "AKIA' + "Q3XW7LZ2MNB4VC6T" + '"\n')
    revision = mop.submit(folder)
    shown = mop.wait(revision, "verified")
    assert any(warning.startswith("Scan: ") for warning in shown["warnings"]), shown["warnings"]
    policy = mop.root / "home" / "policy.toml"
    policy.write_text(BLOCK_SECRETS)
    try:
        mop.call("POST", f"{revision.path}/rescan", status=202)
        wait_for(
            lambda: mop.call("GET", f"{revision.path}/scan")["rescan"] is None,
            seconds=SECONDS,
            what="the rescan ends",
            note=lambda: mop.story(revision),
        )
    finally:
        policy.unlink()
    assert mop.show(revision)["status"] == "vulnerable"
    scan = mop.call("GET", f"{revision.path}/scan")
    assert (scan["reason"], scan["decision"]) == ("rescan", "vulnerable")
    assert mop.told(f"{revision.model} {revision.version} is vulnerable")


def test_an_imported_advisory_is_matched_with_what_is_verified(mop: Installation, index: PackageIndex, tmp_path: Path):
    index.add(wheel("tiny-old", "1.0"))
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "old", requirements="tiny-old==1.0\n"))
    shown = mop.wait(revision, "verified")
    assert shown["warnings"] == []
    sbom = mop.call("GET", f"{revision.path}/findings/sbom")
    assert "pkg:pypi/tiny-old@1.0" in {component["purl"] for component in sbom["components"]}
    export = tmp_path / "all.zip"
    record = {
        "id": "PYSEC-2026-1",
        "modified": "2026-11-01T00:00:00Z",
        "summary": "tiny-old opens the door",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "tiny-old"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
            }
        ],
    }
    with zipfile.ZipFile(export, "w") as archive:
        archive.writestr("PYSEC-2026-1.json", json.dumps(record))
    done = mop.run("-m", "mop.cli", "advisories", "import", str(export), seconds=SECONDS)
    assert done.returncode == 0, done.stderr
    # the import lets a worker match at once
    wait_for(
        lambda: any(
            finding["scanner"] == "dependencies" and finding["action"] == "warn"
            for finding in findings_of(mop, revision)
        ),
        seconds=SECONDS,
        what="the advisory is matched",
        note=lambda: mop.story(revision),
    )
    shown = mop.show(revision)
    assert shown["status"] == "verified"
    assert any("tiny-old" in warning for warning in shown["warnings"])
    assert "tiny-old" in mop.told(f"{revision.model} {revision.version} has 1 new finding")["reason"]


def match_now(mop: Installation) -> None:
    """What the workers do every five minutes."""
    program = "import django; django.setup(); from mop.findings.reassessment import reassess; reassess()"
    mop.run("-c", program, seconds=SECONDS).check_returncode()
