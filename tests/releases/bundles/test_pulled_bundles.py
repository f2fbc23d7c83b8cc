"""Bundles given out: to whom, in ranges, and pulled and verified by the command line where no server is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.engine.watch import Run
from mop.registry.models import Revision
from mop.releases.bundles.models import Bundle
from mop.releases.bundles.services import BUNDLE_JOB, begin_release_bundle, waiting_bundles, wanted_bundles
from mop.releases.judging import gate_document
from mop.releases.models import Service, ServiceKind
from mop.releases.release_models import Release, ReleaseTask
from mop.releases.requests.notices import message_of
from mop.releases.requests.tokens import create_service_token
from mop.releases.services import create_service
from support.api import Api
from support.bundles import begun, content_of, make, measured_version, new_key, public_pem
from support.factories import ACTOR, make_token, make_user
from support.releases import approved, make_service, releasable

pytestmark = pytest.mark.django_db


def _service(name: str, *admins: User) -> Service:
    owner = make_user(is_administrator=True)
    return create_service(actor=ACTOR, user=owner, name=name, kind=ServiceKind.RAIO, admins=list(admins) or [owner])


def _approved(revision: Revision, service: Service) -> Release:
    """A release as an approval leaves it."""
    admin = service.admins.first()
    release = Release.objects.create(
        service=service,
        revision=revision,
        model_name=revision.model.name,
        version=revision.version,
        artifact_digest=revision.artifact_digest,
        state="approved",
        requested_by=admin,
        decided_by=admin,
        decided_at=timezone.now(),
        evidence_digest="0" * 64,
        evidence_at_decision={"gates": gate_document(revision, service).to_dict()},
    )
    for one in revision.model.connections.select_related("task"):
        ReleaseTask.objects.create(
            release=release,
            taxonomy=one.taxonomy,
            task=one.task,
            modality=one.task.modality,
            customized_name=one.customized_name,
        )
    return release


def _token(service: Service, *scopes: str) -> Api:
    _, secret = create_service_token(
        actor=ACTOR, user=service.created_by, service=service, name="pull", scopes=scopes or ("bundle:read",)
    )
    return Api(token=secret)


def _body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_service_takes_the_bundle_of_its_release_and_nobody_elses() -> None:
    key = new_key()
    admin, stranger = make_user(), make_user()
    service, other = _service("Moderation", admin), _service("Other")
    release = _approved(measured_version(), service)
    path = f"/services/Moderation/releases/{release.pk}/bundle"
    api = _token(service)
    assert api.get(path).status_code == 404
    bundle = begin_release_bundle(actor=ACTOR, release=release)
    assert begin_release_bundle(actor=ACTOR, release=release) == bundle
    waiting = api.get(path)
    assert (waiting.status_code, waiting.json()["name"]) == (409, "BundleNotReadyError")
    assert api.get(f"{path}/status").json()["state"] == "making"
    make(bundle, key)
    status = api.get(f"{path}/status").json()
    assert (status["state"], status["sha256"], status["release"]) == ("ready", bundle.sha256, release.pk)
    answer = api.get(path)
    assert answer["ETag"] == f'"{bundle.sha256}"'
    assert answer["Content-Length"] == str(bundle.size)
    content = _body(answer)
    assert content == content_of(bundle)
    assert b'"release":{"id":%d,"service":"Moderation","taxonomies":["Hate","Violence"]}' % release.pk in content
    assert _body(Api(token=make_token(admin)).get(path)) == content
    for caller, expected in (
        (_token(other), 404),
        (_token(service, "release:acknowledge"), 403),
        (Api(token=make_token(stranger)), 403),
        (Api(), 401),
        (Api(token="mops_unknown"), 401),
    ):
        assert caller.get(path).status_code == expected
        assert caller.get(f"{path}/status").status_code == expected
    assert api.get(f"/services/Other/releases/{release.pk}/bundle").status_code == 404
    assert api.post(path).status_code in (401, 403)


def test_ranges_resume_a_download_and_gzip_leaves_them_alone() -> None:
    revision = measured_version()
    bundle = begun(revision)
    make(bundle, new_key())
    content, size, etag = content_of(bundle), bundle.size, f'"{bundle.sha256}"'
    client = Client()
    client.force_login(make_user(is_administrator=True))
    path = f"/api/v1/models/{revision.model.name}/revisions/{revision.version}/bundle"

    def get(**headers: str):
        return client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    whole = get(Accept_Encoding="gzip")
    assert (whole.status_code, whole["Content-Length"], whole["ETag"]) == (200, str(size), etag)
    assert _body(whole) == content
    assert size is not None
    for asked, begin, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=500-1499", 500, 1500),
        (f"bytes={size - 10}-", size - 10, size),
        ("bytes=-700", size - 700, size),
        (f"bytes=-{size * 2}", 0, size),
        (f"bytes=1000-{size * 2}", 1000, size),
    ):
        answer = get(Range=asked, Accept_Encoding="gzip")
        assert (answer.status_code, answer["Content-Range"]) == (206, f"bytes {begin}-{end - 1}/{size}")
        assert (_body(answer), answer["Content-Length"]) == (content[begin:end], str(end - begin))
    for asked in (f"bytes={size}-", "bytes=-0"):
        answer = get(Range=asked)
        assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{size}")
    for asked in ("bytes=5-1", "bytes=-", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"):
        assert get(Range=asked).status_code == 200
    assert get(Range="bytes=5-", If_Range=etag).status_code == 206
    assert get(Range="bytes=5-", If_Range='"another"').status_code == 200
    unchanged = get(If_None_Match=f'"x", {etag}')
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert get(If_None_Match='"x"').status_code == 200


def test_administrators_have_bundles_made_and_failures_are_told() -> None:
    revision = measured_version()
    path = f"/models/{revision.model.name}/revisions/{revision.version}/bundle"
    admin = Api(token=make_token(make_user(is_administrator=True)))
    owner = Api(token=make_token(revision.model.owners.get()))
    assert owner.post(path).status_code == 403
    assert admin.get(path).status_code == 404
    assert admin.post(path).status_code == 202
    assert admin.post(path).status_code == 409
    Bundle.objects.update(error={"name": "SigningKeyError", "message": "There is no key.", "hint": ""})
    assert admin.get(f"{path}/status").json()["state"] == "failed"
    answer = admin.get(path)
    assert (answer.status_code, answer.json()["message"]) == (503, "There is no key.")
    assert admin.post(path).status_code == 202


def test_a_lost_enqueue_is_found_and_work_that_nobody_wants_ends() -> None:
    bundle = begun(measured_version())
    run = Run(str(bundle.pk), 1)
    assert wanted_bundles([run, Run(str(bundle.pk), 2), Run("99999", 1)]) == {run}
    assert list(waiting_bundles(timezone.now())) == [bundle]
    assert BUNDLE_JOB.args(bundle) == (bundle.pk, 1)
    make(bundle, new_key())
    assert wanted_bundles([run]) == set()
    assert not waiting_bundles(timezone.now()).exists()


def test_a_release_of_fewer_tasks_holds_the_evidence_of_those_gates() -> None:
    revision = measured_version()
    service = _service("Moderation")
    release = _approved(revision, service)
    hate = Task.objects.get(taxonomy__name="Hate", connections__model=revision.model)
    release.tasks.exclude(task=hate).delete()
    rows = [row for row in release.evidence_at_decision["gates"]["rows"] if row["task"] in ("", hate.name)]
    release.evidence_at_decision = {"gates": {"result": release.evidence_at_decision["gates"]["result"], "rows": rows}}
    release.save()
    bundle = begin_release_bundle(actor=ACTOR, release=release)
    tasks = json.loads(bundle.documents["evidence/gates.json"])["tasks"]
    assert [task["name"] for task in tasks] == [hate.name]


def test_the_command_verifies_offline_without_settings_and_says_what_is_wrong(tmp_path: Path) -> None:
    key, other = new_key(), new_key()
    bundle = begun(measured_version())
    make(bundle, key)
    file = tmp_path / "model.tar"
    file.write_bytes(content_of(bundle))
    public, wrong = public_pem(tmp_path, key), public_pem(tmp_path, other, "other.pem")
    before = sorted(path.name for path in tmp_path.iterdir())

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-X", "importtime", "-m", "mop.cli", "bundle", "verify", *map(str, arguments)]
        bare = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env={**bare, "HOME": str(tmp_path)}, cwd=tmp_path
        )

    done = run(file, "--key", wrong, "--key", public, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["holds"], found["sha256"]) == (0, True, bundle.sha256), done.stderr[-2000:]
    assert found["bundle"]["model"] == bundle.model_name
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"django.conf", "mop.conf.settings", "mop.registry.models", "httpx", "dbos"}
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    refused = run(file, "--key", wrong)
    assert refused.returncode == 1
    assert "no accepted key has made it" in refused.stdout
    assert "do not use it" in refused.stderr
    file.write_bytes(file.read_bytes()[:-1])
    assert "its manifest asks for" in run(file, "--key", public).stdout


def test_an_approval_fixes_the_evidence_and_the_services_webhook_is_told_when_the_bundle_is_ready() -> None:
    revision = releasable(measured_version(), modalities=["Text"])
    service = make_service("Moderation", kind=ServiceKind.RAIO)
    release = approved(revision, service)
    bundle = Bundle.objects.get(release=release)
    enclosed = json.loads(bundle.documents["evidence/gates.json"])
    assert enclosed["rows"] == release.evidence_at_decision["gates"]["rows"]
    make(bundle, new_key())
    event = release.events.get(what="bundleReady")
    told = message_of(event)["bundle"]
    assert told["url"].endswith(f"/api/v1/services/Moderation/releases/{release.pk}/bundle")
    assert (told["sha256"], told["size"], told["key"]) == (bundle.sha256, bundle.size, bundle.key)
    admin = Client()
    admin.force_login(service.admins.get())
    page = admin.get(reverse("releases:release", args=[release.pk])).content.decode()
    assert bundle.sha256 in page
