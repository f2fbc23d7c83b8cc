"""A scan that somebody asks for: what was not looked at to its end is no result, whatever is found meanwhile."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from mop.findings.models import Scan
from mop.findings.rescans import request_rescan
from mop.hosting import this_host
from mop.hosting.tools import HostTools
from mop.onboarding.rescans import end_step, scan_step
from mop.registry.models import Revision
from security.hostile import plain
from support.bundles import keep_artifact
from support.factories import ACTOR, make_model
from support.scans import scan_later, verify

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]
ORDINARY = {"model/weights.pkl": pickle.dumps({"a": 1}), "src/inference.py": b"class ModelInference:\n    pass\n"}


@pytest.fixture(autouse=True)
def _tools(host_tools: HostTools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_host, "_tools", host_tools)


def verified(**files: bytes) -> Revision:
    """A verified version of a folder that is in the store, scanned once."""
    revision = verify(make_model().revisions.get())
    Revision.objects.filter(pk=revision.pk).update(artifact_digest=keep_artifact(ORDINARY | files))
    scan_later(revision)
    return revision


def rescanned(revision: Revision) -> str:
    """Do what a worker does with a rescan; the name of the error that it leaves."""
    rescan = request_rescan(actor=ACTOR, revision=revision)
    outcome = async_to_sync(scan_step)(str(revision.pk), rescan.workflow_id)
    async_to_sync(end_step)(rescan.workflow_id, outcome)
    left = type(rescan).objects.filter(pk=rescan.pk).first()
    return "" if left is None else str((left.failure or {}).get("name"))


def test_a_rescan_without_end_concludes_nothing_and_says_why(settings: Any):
    revision = verified()
    before = Scan.objects.get(revision=revision, is_current=True)
    settings.MOP_SCAN_DEADLINE = 0.01
    assert rescanned(revision) == "ScanIncompleteError"
    assert Scan.objects.get(revision=revision, is_current=True) == before
    revision.refresh_from_db()
    assert revision.status == "verified"

    settings.MOP_SCAN_DEADLINE = 600.0  # what was seen of it meanwhile is not kept
    assert rescanned(revision) == ""
    after = Scan.objects.get(revision=revision, is_current=True)
    assert (after.reason, after.incomplete, after.verdicts) == ("rescan", {}, {"clean": len(ORDINARY)})


def test_what_new_rules_find_in_an_old_artifact_makes_its_version_vulnerable():
    revision = verified(**{"model/late.bin": plain("/tmp/fired")})
    assert rescanned(revision) == ""
    revision.refresh_from_db()
    assert revision.status == "vulnerable"
    assert Scan.objects.get(revision=revision, is_current=True).decision == "vulnerable"
