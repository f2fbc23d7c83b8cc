"""Bundles that are made: the same bytes each time, verified by MOP and by the command of the OpenSSF."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from mop.errors import ArtifactDamagedError, ConflictError, SigningKeyError
from mop.registry.models import Revision
from mop.releases.bundles.making import make_bundle
from mop.releases.bundles.models import Bundle
from mop.releases.bundles.services import begin_version_bundle, fail, make_again, source_of
from mop.releases.bundles.verification import verify
from mop.releases.services import change_gate
from mop.storage.signing_keys import SigningKeys
from support.bundles import (
    FILES,
    begun,
    content_of,
    keep_artifact,
    make,
    measured_version,
    new_key,
    parts_in,
    public_pem,
    store,
)
from support.factories import ACTOR, make_model, make_user, put

pytestmark = pytest.mark.django_db

OFFICIAL = shutil.which("model_signing", path=str(Path(sys.executable).parent)) or "model_signing"


def test_a_bundle_holds_artifact_environment_evidence_and_card_and_verifies() -> None:
    key = new_key()
    bundle = begun(measured_version())
    made = make(bundle, key)
    content = content_of(bundle)
    assert len(content) == made.size == bundle.size
    parts = parts_in(content)
    assert list(parts)[:2] == ["signature.json", "manifest.json"]
    assert {path: parts[f"artifact/{path}"] for path in FILES} == FILES
    others = [path for path in parts if not path.startswith("artifact/")][2:]
    assert others == [
        "card/card.html",
        "card/card.json",
        "card/card.md",
        "environment/lock.json",
        "environment/requirements.txt",
        "environment/sbom.cdx.json",
        "evidence/evaluations/0001.json",
        "evidence/evaluations/0002.json",
        "evidence/findings.json",
        "evidence/gates.json",
        "evidence/load-tests/0001.json",
    ]
    lines = parts["environment/requirements.txt"].decode().splitlines()
    assert "../artifact/privatepkgs/fast-1.0-py3-none-any.whl" in lines
    found = verify(io.BytesIO(content), [key.public_key()], total=len(content))
    assert [(check.name, check.holds) for check in found.checks] == [
        (name, True) for name in ("signature", "parts", "artifact", "environment", "gates", "numbers", "card")
    ], found.checks
    assert (found.sha256, found.size) == (bundle.sha256, bundle.size)
    gates = json.loads(parts["evidence/gates.json"])
    # two tasks with four conditions each; that about findings is asked once
    assert f"{len(gates['rows'])} conditions, {gates['result']}" in found.checks[4].detail
    assert len(gates["rows"]) == 7


def test_made_again_it_has_the_same_bytes_whatever_was_measured_since() -> None:
    key = new_key()
    revision = measured_version()
    bundle = begun(revision)
    first = make(bundle, key)
    put(Revision.objects.filter(pk=revision.pk), note="changed since")
    for connection in revision.model.connections.select_related("task"):
        change_gate(actor=ACTOR, owner=connection.task, conditions="all datasets: macro F1 >= 0.99")
    again = make_again(actor=ACTOR, bundle=bundle)
    assert (again.state, again.attempt) == ("making", 2)
    assert make(again, key) == first
    other = make(make_again(actor=ACTOR, bundle=again), new_key())
    assert other.sha256 != first.sha256


def test_the_command_of_the_openssf_verifies_the_unpacked_bundle(tmp_path: Path) -> None:
    key = new_key()
    bundle = begun(measured_version())
    make(bundle, key)
    folder = tmp_path / "unpacked"
    with tarfile.open(fileobj=io.BytesIO(content_of(bundle))) as archive:
        archive.extractall(folder, filter="data")
    command = [
        *(OFFICIAL, "verify", "key", folder, "--no-ignore-git-paths"),
        *("--signature", folder / "signature.json", "--public_key", public_pem(tmp_path, key)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "Verification succeeded" in done.stdout + done.stderr) == (0, True), done.stderr
    (folder / "evidence/gates.json").write_text("{}")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_an_old_bundle_verifies_with_the_old_public_key_after_a_rotation() -> None:
    old, new = new_key(), new_key()
    bundle = begun(measured_version())
    make(bundle, old)
    content = content_of(bundle)
    assert verify(io.BytesIO(content), [new.public_key(), old.public_key()]).holds
    refused = verify(io.BytesIO(content), [new.public_key()])
    assert "no accepted key has made it" in refused.checks[0].detail
    again = make_again(actor=ACTOR, bundle=bundle)
    make(again, new)
    assert verify(io.BytesIO(content_of(again)), [new.public_key()]).holds


def test_without_a_key_there_is_no_bundle_and_the_operator_is_told_how_to_make_one() -> None:
    bundle = begun(measured_version())
    with pytest.raises(SigningKeyError) as caught:
        async_to_sync(make_bundle)(source_of(bundle.pk, 1), store=store(), keys=SigningKeys(None, ()))
    assert "mop bundle new-key" in caught.value.hint
    assert fail(bundle.pk, 1, caught.value) == "failed"
    bundle.refresh_from_db()
    assert (bundle.state, bundle.error["name"]) == ("failed", "SigningKeyError")


def test_a_damaged_artifact_makes_no_bundle() -> None:
    bundle = begun(measured_version())
    manifest = async_to_sync(store().get_manifest)(bundle.artifact_digest)
    blob = store().path_of(next(file.sha256 for file in manifest.files if file.path.endswith(".bin")))
    assert blob is not None
    before = blob.read_bytes()
    blob.chmod(0o600)
    try:
        blob.write_bytes(before[::-1])
        with pytest.raises(ArtifactDamagedError, match="is not what was signed"):
            make(bundle, new_key())
        blob.write_bytes(before[:-1])
        with pytest.raises(ArtifactDamagedError, match="cut short"):
            make(bundle, new_key())
    finally:
        blob.write_bytes(before)
    bundle.refresh_from_db()
    assert bundle.state == "making"


def test_evidence_that_contradicts_the_report_makes_no_bundle() -> None:
    bundle = begun(measured_version())
    gates = json.loads(bundle.documents["evidence/gates.json"])
    gates["rows"][0]["parts"][0]["value"] = 0.999
    Bundle.objects.update(documents={**bundle.documents, "evidence/gates.json": json.dumps(gates)})
    with pytest.raises(ArtifactDamagedError, match="gates: all datasets: macro F1"):
        make(bundle, new_key())


def test_only_verified_versions_have_bundles_and_one_at_a_time_is_made() -> None:
    admin = make_user(is_administrator=True)
    waiting = make_model().revisions.get()
    with pytest.raises(ConflictError, match="only verified versions"):
        begin_version_bundle(actor=ACTOR, user=admin, revision=waiting)
    revision = measured_version()
    bundle = begun(revision)
    with pytest.raises(ConflictError, match="being made"):
        begun(revision)
    make(bundle, new_key())
    assert begun(revision).pk != bundle.pk
    assert Bundle.objects.count() == 1
    revision.delete()
    assert not Bundle.objects.exists()


def test_garbage_collection_keeps_the_parts_of_a_bundle() -> None:
    from mop.areas.registry import registered  # noqa: PLC0415 - when Django is set up

    columns = [(one.table, one.column) for area in registered() for one in area.artifacts]
    assert (Bundle._meta.db_table, "digest") in columns
    bundle = begun(measured_version())
    made = make(bundle, new_key())
    names = {file.path for file in async_to_sync(store().get_manifest)(made.digest).files}
    assert {"signature.json", "manifest.json", "artifact/src/inference.py"} <= names


def test_a_file_name_that_fits_no_bundle_says_so() -> None:
    revision = measured_version()
    digest = keep_artifact({"/".join(["d" * 200] * 5) + "/" + "n" * 17: b""})
    put(Revision.objects.filter(pk=revision.pk), artifact_digest=digest)
    with pytest.raises(ArtifactDamagedError, match="longer than 1024 bytes"):
        make(begun(revision), new_key())
