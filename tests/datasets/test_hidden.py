"""Nothing of a cell comes back: every route in every role, every table, log and file but the artifact store."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xxhash
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.datasets.bindings import approve, reject
from mop.datasets.keyed import reading_seed
from mop.datasets.models import Dataset
from mop.datasets.services import change_dataset, retry_dataset
from mop.notifications.messages import compose
from mop.notifications.models import Notification
from mop.storage.manifest import Manifest
from support.azurite import Azurite
from support.datasets import dataset_folder, dataset_input, make_datasets, read, text_file
from support.factories import ACTOR, make_task, make_token, make_user

pytestmark = pytest.mark.django_db

# each stands in cells of another kind; none may stand anywhere else
CANARIES = tuple(f"canary{word}" for word in ("intext", "inlabel", "inheader", "infault", "inother", "ingroup"))
TEXT, LABEL, HEADER, FAULT, OTHER, GROUP = CANARIES
ROWS = 120


def clean_file() -> bytes:
    rows = [
        [f"{TEXT} {number}", str(number % 2), (LABEL, f"{LABEL}s")[number % 2], f"{OTHER} {number}"]
        for number in range(ROWS)
    ]
    return text_file(rows, ("text", "hate", "kind", "notes"))


FAULTY = {
    # the header row is missing: the first row of samples stands in its place
    "no header": text_file([[f"{TEXT} {number}", "0"] for number in range(30)], (f"{HEADER} sample", "0")),
    "labels of no task": text_file([[f"{TEXT} {number}", f"{FAULT}{number}"] for number in range(30)]),
    "commas": "\n".join(["text,hate", *(f"{TEXT} {number},{FAULT}" for number in range(30))]).encode(),
    "ragged": text_file([[f"{TEXT} {number}", "0", FAULT][: 2 + number % 2] for number in range(30)]),
    "broken quotes": b'text\thate\n"' + FAULT.encode() + b'" x\t0\n' + TEXT.encode() + b"\t1\n",
    "not UTF-8": b"text\thate\n" + FAULT.encode() + b"\xff\t0\n" + TEXT.encode() + b"\t1\n",
    "too many groups": text_file(
        [[f"{TEXT} {number}", str(number % 2), f"{GROUP}{number}"] for number in range(60)], ("text", "hate", "group")
    ),
    "line breaks": text_file([[f"{TEXT}\n{FAULT} {number}", str(number % 2)] for number in range(30)]),
}


@dataclass(frozen=True)
class World:
    """Datasets in every state, with decisions and a retry, after their files were read in the cage."""

    people: dict[str, User]
    task: Task
    datasets: list[Dataset]
    log: str

    @property
    def owner(self) -> User:
        return self.people["creator"]


@pytest.fixture(scope="module")
def made(kept_for_the_file: None) -> World:
    return make_world()


@pytest.fixture
def world(made: World, db: None) -> World:
    """The world; what a test does in it is rolled back."""
    return made


def make_world() -> World:
    people = {
        "creator": make_user("olivia"),
        "stranger": make_user("sam"),
        "administrator": make_user("ada", is_administrator=True),
        "task owner": make_user("tom"),
    }
    log, root = io.StringIO(), logging.getLogger()
    task = make_task("hate in text", owners=[people["task owner"]])
    handler, level = logging.StreamHandler(log), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        datasets = read_files(people["creator"], task)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    return World(people, task, datasets, log.getvalue())


def read_files(owner: User, task: Task) -> list[Dataset]:
    found = make_datasets(
        dataset_input("approved", [task]),
        dataset_input("withheld", label_header="kind", label_type="Multi-label"),
        owner=owner,
        folder=dataset_folder(clean_file()),
    )
    for name, content in FAULTY.items():
        columns = {"group_columns": ["group"]} if name == "too many groups" else {}
        given = dataset_input(name.replace(" ", "-"), [task])
        found += make_datasets(given, owner=owner, folder=dataset_folder(content), **columns)
    # a second file with the same rows, so that the task's owner is told of shared ones
    found += make_datasets(dataset_input("shares", [task]), owner=owner, folder=dataset_folder(clean_file()))
    for dataset in found:
        if dataset.name != "withheld":
            read(dataset)
    approve(actor=ACTOR, binding=found[0].bindings.get(), comment="fits")
    reject(actor=ACTOR, binding=found[2].bindings.get(), comment="does not fit")
    change_dataset(actor=ACTOR, dataset=found[0], description="changed")
    retry_dataset(actor=ACTOR, dataset=found[3])
    read(found[3])
    for dataset in found:
        dataset.refresh_from_db()
    return found


def addresses(world: World) -> Iterator[str]:
    yield from ("/datasets/", "/datasets/?status=all", "/live/datasets/?status=all", f"/tasks/{world.task.pk}/")
    yield from ("/notifications/", "/api/v1/notifications", "/api/v1/datasets?status=all&limit=200")
    yield f"/api/v1/tasks/{world.task.name}/requests"
    for dataset in world.datasets:
        for page in ("", "description/", "tasks/", "outdated/", "delete/", "faults.csv", "retry/"):
            yield f"/datasets/{dataset.name}/{page}"
        yield f"/live/datasets/{dataset.name}/"
        yield f"/api/v1/datasets/{dataset.name}"


def in_tables() -> Iterator[tuple[str, str]]:
    """Every row of every table of MOP's database as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names that the database gave
            for row in cursor.fetchall():
                yield table, repr(row)


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def ask(user: User, address: str) -> Any:
    return Client().get(f"/api/v1{address}", headers={"Authorization": f"Bearer {make_token(user)}"}).json()


def test_the_datasets_end_as_they_should(world: World):
    states = {dataset.name: dataset.status for dataset in world.datasets}
    assert {name for name, status in states.items() if status == "verified"} == {"approved", "withheld", "shares"}
    assert {status for name, status in states.items() if name.replace("-", " ") in FAULTY} == {"verifyFailed"}
    assert all(dataset.faults for dataset in world.datasets if dataset.status == "verifyFailed")


@pytest.mark.parametrize("role", ["creator", "stranger", "administrator", "task owner"])
def test_no_route_gives_a_cell_in_any_role(role: str, world: World):
    user = world.people[role]
    client = Client()
    client.force_login(user)
    token = {"Authorization": f"Bearer {make_token(user)}"}
    for address in addresses(world):
        answer = client.get(address, headers=token if address.startswith("/api/") else {})
        shown = answer.content.decode() + repr(answer.headers)
        assert not found_in(shown), (address, found_in(shown))
        assert answer.status_code != 500, address


@pytest.mark.parametrize("role", ["stranger", "administrator", "task owner"])
def test_rows_of_faults_are_told_to_owners_alone(role: str, world: World):
    told = ask(world.owner, "/datasets/ragged")["faults"]
    assert any(fault["rows"] for fault in told)
    assert [{**fault, "rows": []} for fault in told] == ask(world.people[role], "/datasets/ragged")["faults"]


def test_an_owner_who_is_not_of_the_team_sees_no_rows(world: World):
    """Who cannot know what the team's files hold could learn labels by trying sets of them."""
    (dataset,) = (one for one in world.datasets if one.name == "ragged")
    dataset.file.team.members.remove(world.owner)
    assert all(fault["rows"] == [] for fault in ask(world.owner, "/datasets/ragged")["faults"])
    client = Client()
    client.force_login(world.owner)
    assert client.get("/datasets/ragged/faults.csv").status_code == 403
    assert "visible to owners of the dataset who are in its team" in client.get("/datasets/ragged/").content.decode()


def cells(*lengths: int) -> bytes:
    """A file with labels of no task: of one size, whatever its cells hold."""
    rows = [
        [f"{TEXT} {'x' * (50 - length)} {number:02}", FAULT + "y" * length] for number, length in enumerate(lengths)
    ]
    return text_file(rows)


ALIKE = (cells(*([1, 40] * 15)), cells(*([40, 1] * 15)), cells(*([20, 21] * 15)))
PAGES = (
    "/datasets/{}/",
    "/live/datasets/{}/",
    "/live/datasets/?status=all",
    "/api/v1/datasets/{}",
    "/datasets/{}/faults.csv",
)


def test_neither_the_size_of_an_answer_nor_its_tag_tells_what_a_cell_holds(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    assert len({len(content) for content in ALIKE}) == 1
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    tokens = {role: {"Authorization": f"Bearer {make_token(user)}"} for role, user in world.people.items()}
    folder = dataset_folder(ALIKE[0])
    (dataset,) = make_datasets(dataset_input("alike", [world.task]), owner=world.owner, folder=folder)
    told = []
    for content in ALIKE:
        (folder / "dataset.csv").write_bytes(content)
        with transaction.atomic():
            assert read(dataset).status == "verifyFailed"
            told.append({role: answers_to(user, tokens[role]) for role, user in world.people.items()})
            transaction.set_rollback(True)
    assert told[1:] == told[:1] * 2
    assert all(answers[1][2] for answers in told[0].values())  # a live part has a tag


def answers_to(user: User, token: dict[str, str]) -> list[tuple[int, int, str | None]]:
    """Status, size and tag of each page of the dataset."""
    client = Client()
    client.force_login(user)
    pages = [client.get(page.format("alike"), headers=token if page.startswith("/api/") else {}) for page in PAGES]
    return [(one.status_code, len(one.content), one.headers.get("ETag")) for one in pages]


def test_shared_rows_are_told_to_the_tasks_owner_alone(world: World):
    def shared(role: str) -> list[list[dict]]:
        requests = ask(world.people[role], f"/tasks/{world.task.name}/requests")
        return [one["shared_rows"] for one in requests if one["dataset"] == "shares"]

    assert shared("task owner") == [[{"dataset": "approved", "rows": ROWS}]]
    assert shared("administrator") == [[]]


def test_no_table_log_mail_or_file_holds_a_cell(world: World):
    assert "Using selector" in world.log  # lines of every level were caught
    assert not found_in(world.log)
    for table, row in in_tables():
        assert not found_in(row), (table, row)
    for notification in Notification.objects.select_related("recipient"):
        mail = compose(notification, uuid.uuid4())
        assert not found_in(mail.body + mail.subject)
    home: Path = settings.MOP_HOME
    for path in home.rglob("*"):
        if path.is_file() and not path.is_relative_to(home / "artifacts") and not path.is_relative_to(home / "folders"):
            content = path.read_bytes()
            assert not any(canary.encode() in content for canary in CANARIES), path
    stored = b"".join(path.read_bytes() for path in (home / "artifacts" / "blobs").glob("*/*/*"))
    assert TEXT.encode() in stored  # this test would notice


@pytest.mark.azurite
@pytest.mark.parametrize("content", [clean_file(), FAULTY["broken quotes"]], ids=["clean", "faulty"])
def test_a_blob_that_is_read_leaves_nothing_of_it_in_a_log(
    content: bytes, azurite: Azurite, settings: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    account = {"name": azurite.account, "endpoint": azurite.endpoint, "account_key": azurite.account_key}
    settings.MOP_AZURE_ACCOUNTS = json.dumps([account])
    settings.MOP_SOURCE_PREFIXES = '[{"team": "*", "purpose": "datasets", "prefix": "*"}]'
    url = azurite.upload_folder("hidden-rows", dataset_folder(content), prefix=uuid.uuid4().hex)
    with caplog.at_level(logging.DEBUG):
        (dataset,) = make_datasets(owner=make_user(), url=url)
        read(dataset)
    assert dataset.reading.artifact_digest  # it was read
    said = capfd.readouterr()
    assert not found_in(caplog.text + said.out + said.err)
    assert azurite.account_key not in caplog.text + said.out + said.err


def test_no_admin_page_shows_a_table_of_datasets():
    assert not [model for model in apps.get_app_config("datasets").get_models() if admin.site.is_registered(model)]


def test_what_is_kept_of_rows_and_files_can_not_be_tested_against_a_guess(world: World):
    (dataset,) = (one for one in world.datasets if one.name == "approved")
    shown = json.dumps([ask(user, "/datasets/approved") for user in world.people.values()])
    assert hashlib.sha256(clean_file()).hexdigest() not in shown
    assert dataset.reading.artifact_digest not in shown
    artifacts = settings.MOP_HOME / "artifacts"
    digest = dataset.reading.rows_artifact_digest
    (file,) = Manifest.from_json((artifacts / "manifests" / digest[:2] / f"{digest}.json").read_bytes()).files
    blob = (artifacts / "blobs" / file.sha256[:2] / file.sha256[2:4] / file.sha256).read_bytes()
    kept = {blob[place : place + 8] for place in range(0, len(blob), 8)}
    guesses = [f"{TEXT} {number}".encode() for number in range(ROWS)]
    assert len(kept) == len(guesses)
    for seed in (0, reading_seed()):  # also by somebody who learned the seed that the cage is given
        digests = {xxhash.xxh3_64_digest(guess, seed) for guess in guesses}
        assert not ({one[::-1] for one in digests} | digests) & kept
