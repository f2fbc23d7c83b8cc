"""`mop backup` of an installation at work, and `mop restore` of it elsewhere: everything is there and goes on."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from environments.packages import PackageIndex
from mop.backup.archive import unpack
from mop.storage import ArtifactStore, materialise
from support.installation import Installation, Submitted, running_installation
from support.model_folders import write_model
from support.postgres import running_postgres
from support.signing import make_signing_key, signature_of
from support.waiting import wait_for

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("backup")]


def run_mop(mop: Installation, *arguments: str, code: int = 0, **changes: object) -> Any:
    """A command on the installation; its JSON where it succeeded, else what it said."""
    done = mop.run("-m", "mop.cli", *arguments, seconds=120, **changes)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if "--json" in arguments and not code else done.stderr


@contextlib.contextmanager
def restored(file: Path, original: Installation, **options: object) -> Iterator[Installation]:
    """A new installation from a backup, with its portal running."""
    root = Path(tempfile.mkdtemp(prefix="mop-r-", dir="/tmp"))
    mop = Installation(root, file_roots=original.folders, **options)
    try:
        answer = run_mop(mop, "restore", str(file), "--json")
        assert (answer["aside"], answer["left_out"]) == (None, [])
        mop.api.headers["Authorization"] = original.api.headers["Authorization"]
        mop.start_portal()
        yield mop
    finally:
        try:
            mop.stop()
        finally:
            shutil.rmtree(root, ignore_errors=True)


def submit_some(mop: Installation, name: str, count: int) -> list[Submitted]:
    return [mop.submit(write_model(mop.folders / f"{name}{number}")) for number in range(count)]


def go_on(original: Installation, copy: Installation, verified: Submitted, others: list[Submitted]) -> None:
    """What must hold in the copy: the token, what was verified, and that what was on its way arrives."""
    assert copy.show(verified) == original.show(verified)
    assert copy.log(verified, "build") == original.log(verified, "build")
    copy.start_worker("w9")  # of another name, as another host would have
    for revision in others:
        assert copy.wait(revision, "verified")["attempt"] == 1
    again = copy.call("POST", f"/models/{verified.model}/revisions", {"version": "v2"})
    copy.wait(Submitted(again["id"], again["model"], again["version"]), "verified")


@pytest.mark.second_tier
async def test_an_installation_at_work_goes_on_from_its_backup(index: PackageIndex, tmp_path: Path):
    key = make_signing_key(tmp_path / "key.pem")
    with running_installation(package_index=index.url, signing_key=key) as mop:
        mop.start_worker()
        (verified,) = submit_some(mop, "verified", 1)
        digest = mop.wait(verified, "verified")["artifact_digest"]
        index.gate.clear()
        others = [mop.submit(write_model(mop.folders / "held", requirements="pip==24.0"))]
        mop.wait(others[0], "environmentCreating")
        others += submit_some(mop, "queued", 2)
        file = tmp_path / "mop.tar.gz"
        answer = run_mop(mop, "backup", str(file), "--json")
        assert (answer["file"], answer["databases"]) == (str(file), {"mop": "sqlite", "engine": "sqlite"})
        assert file.stat().st_mode & 0o777 == 0o600
        refused = run_mop(mop, "restore", str(file), "--yes", code=64)
        assert f"MOP runs on {mop.root / 'home'}" in refused
        mop.stop_workers()  # what the original still had to do is the copy's here
        index.gate.set()
        with restored(file, mop, package_index=index.url, signing_key=key) as copy:
            store = copy.root / "home" / "artifacts"
            assert signature_of(store, digest) == signature_of(mop.root / "home" / "artifacts", digest)
            assert copy.show(others[0])["status"] == "environmentCreating"
            assert not (copy.root / "home" / "environments").exists()
            go_on(mop, copy, verified, others)
            for revision in others:
                copy.assert_each_status_once(revision)
            manifest = await materialise(digest, ArtifactStore.local(store), tmp_path / "model", log=str)
            assert (tmp_path / "model" / "model" / "words.txt").read_text() == "darn verified0\n"
            assert len(manifest.files) == 4


@pytest.mark.slow
def test_backups_under_load_are_each_of_one_moment(index: PackageIndex, tmp_path: Path):
    with running_installation(package_index=index.url) as mop:
        mop.start_worker()
        (verified,) = submit_some(mop, "verified", 1)
        mop.wait(verified, "verified")
        others = submit_some(mop, "model", 5)
        files = []
        for number in range(4):  # while they run
            files.append(tmp_path / f"{number}.tar")
            run_mop(mop, "backup", str(files[-1]), "--json")
        for file in files:
            folder = file.with_suffix("")
            unpack(file, folder, progress=lambda _count: None)
            assert_of_one_moment(folder)
        with restored(files[1], mop, package_index=index.url) as copy:
            go_on(mop, copy, verified, others)
        for revision in others:
            mop.wait(revision, "verified")
            mop.assert_each_status_once(revision)


def assert_of_one_moment(folder: Path) -> None:
    """Neither database is ahead: what the engine finished is written, and what is not written is still to be run."""
    mop, engine = folder / "databases" / "mop.db", folder / "databases" / "engine.db"
    revisions = rows(mop, "select id, status, attempt, artifact_digest from registry_revision")
    assert revisions
    work = dict(rows(engine, "select workflow_uuid, status from workflow_status"))
    steps = rows(engine, "select workflow_uuid, function_name from operation_outputs")
    for identity, status, attempt, digest in revisions:
        whole = f"{uuid.UUID(identity)}:{attempt}"
        done = {name for workflow, name in steps if workflow == f"{whole}:onboard"}
        if "onboarding.fetch" in done:
            assert digest, (status, done)
        if "onboarding.build" in done:
            assert status not in {"created", "dataDownloaded", "environmentCreating"}, done
        if "onboarding.deploy" in done or work.get(whole) == "SUCCESS":
            assert status == "verified"
        elif status != "created":
            assert work[whole] in {"PENDING", "ENQUEUED"}


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.postgres
@pytest.mark.slow
def test_postgresql_is_dumped_and_put_into_another_database(index: PackageIndex, tmp_path: Path):
    with running_postgres() as postgres:
        url = postgres.url()
        with psycopg.connect(url, autocommit=True) as connection:
            for name in ("one", "two"):
                connection.execute(f"CREATE DATABASE {name}")
        one, two = (url.rpartition("/")[0] + f"/{name}" for name in ("one", "two"))
        file = tmp_path / "mop.tar.gz"
        with running_installation(package_index=index.url, database_url=one) as mop:
            mop.start_worker()
            (verified,) = submit_some(mop, "verified", 1)
            mop.wait(verified, "verified")
            index.gate.clear()
            others = [mop.submit(write_model(mop.folders / "held", requirements="pip==24.0"))]
            mop.wait(others[0], "environmentCreating")
            answer = run_mop(mop, "backup", str(file), "--json")
            assert answer["databases"] == {"mop": "postgresql"}
            in_use = run_mop(mop, "restore", str(file), "--yes", code=64, home=tmp_path / "elsewhere")
            assert "other sessions use the database one" in in_use
            wrong_kind = run_mop(mop, "restore", str(file), code=64, home=tmp_path / "elsewhere", database_url="")
            assert "Set MOP_DATABASE_URL" in wrong_kind
            index.gate.set()
            with restored(file, mop, package_index=index.url, database_url=two) as copy:
                go_on(mop, copy, verified, others)
                assert len(copy.events(others[0])) == len(set(copy.events(others[0])))
                wait_for(lambda: len(mop.events(others[0])) == 9, seconds=90, what="the original goes on")
                home = copy.root / "home"
                copy.stop()  # asserts that nothing is left
                answer = run_mop(copy, "restore", str(file), "--yes", "--json")
                aside = Path(answer["aside"])
                assert aside.parent == home
                assert (aside / "mop.dump").stat().st_size > 10_000
