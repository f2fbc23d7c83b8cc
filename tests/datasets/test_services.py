"""Datasets from the form to a decision: what becomes of them, and what is refused."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as installed
from django.utils import timezone
from pytest_django import Settings

from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.datasets import readings
from mop.datasets.bindings import approve, reject
from mop.datasets.models import Binding, Dataset, Reading
from mop.datasets.readings import claim, waiting_readings, wanted_readings
from mop.datasets.selectors import get_dataset, open_requests, shared_with, usable_datasets
from mop.datasets.services import (
    cancel_dataset,
    change_dataset,
    delete_dataset,
    retry_dataset,
    set_outdated,
)
from mop.engine.watch import Run
from mop.errors import (
    ConflictError,
    DiskFullError,
    ModelUrlForbiddenError,
    StaleAttemptError,
    StorageUnavailableError,
    ValidationFailedError,
)
from mop.notifications.models import Alert, Notification
from mop.sources.models import SourcePrefix
from mop.sources.purposes import Purpose
from mop.sources.services import add_prefix
from support.datasets import binary_rows, dataset_folder, dataset_input, make_datasets, read, text_file
from support.factories import ACTOR, make_task, make_team, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

LEVELS = {"label_type": "Ordinal", "labels": ["none", "low", "high"]}


@pytest.fixture
def task(db: None) -> Task:
    return make_task()


def made(*tasks: Task, **fields: object) -> Dataset:
    (dataset,) = make_datasets(dataset_input(tasks=tasks, **fields))
    return dataset


def verified(*tasks: Task, rows: int = 120, **fields: object) -> Dataset:
    """A verified dataset whose file is not read for it."""
    dataset = made(*tasks, **fields)
    Dataset.objects.filter(pk=dataset.pk).update(status="verified", rows=rows)
    dataset.refresh_from_db()
    return dataset


def binding_of(dataset: Dataset) -> Binding:
    return dataset.bindings.select_related("task", "dataset").get()


def fields_of(error: pytest.ExceptionInfo[ValidationFailedError]) -> set[str]:
    return set(error.value.fields)


# The whole way ---------------------------------------------------------------------------------------------


def test_a_dataset_is_read_verified_and_approved(task: Task):
    dataset = made(task)
    assert dataset.status == "created"
    assert not open_requests(task)
    read(dataset)
    assert (dataset.status, dataset.rows, dataset.error) == ("verified", 120, None)
    assert [(one["label"], one["count"]) for one in dataset.label_ratio()] == [("0", 60), ("1", 60)]
    assert [binding.dataset.name for binding in open_requests(task)] == [dataset.name]
    assert not usable_datasets(task)
    approve(actor=ACTOR, binding=binding_of(dataset), comment="fits")
    assert [found.name for found in usable_datasets(task)] == [dataset.name]
    kinds = list(Notification.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["datasetVerified", "bindingRequested", "bindingDecided"]


def test_one_file_makes_several_datasets_which_end_apart():
    hate, levels = make_task("binary"), make_task("levels", **LEVELS)
    rows = [
        [text, label, ("none", "low", "high", "odd")[number % 4]] for number, (text, label) in enumerate(binary_rows())
    ]
    folder = dataset_folder(text_file(rows, ("text", "hate", "level")))
    good, bad = make_datasets(
        dataset_input("good", [hate]),
        dataset_input("bad", [levels], label_header="level", label_type="Ordinal"),
        folder=folder,
    )
    assert good.reading == bad.reading
    read(good)
    bad.refresh_from_db()
    assert (good.status, bad.status) == ("verified", "verifyFailed")
    (fault,) = bad.faults
    assert (fault["kind"], fault["column"], fault["count"], len(fault["rows"])) == (
        "label-not-of-task",
        "level",
        30,
        20,
    )
    assert bad.error["name"] == "DatasetFileError"
    assert "1 kind of fault" in bad.error["message"]


def test_retry_reads_the_url_again_and_leaves_the_others_of_the_file_alone():
    rows = [[text, label, "x"] for text, label in binary_rows()]
    folder = dataset_folder(text_file(rows, ("text", "hate", "other")))
    good, bad = make_datasets(dataset_input("one"), dataset_input("two", label_header="other"), folder=folder)
    read(good)
    before = Dataset.objects.get(name="one").reading
    repaired = text_file([[text, label, label] for text, label in binary_rows(130)], ("text", "hate", "other"))
    (folder / "dataset.csv").write_bytes(repaired)
    bad.refresh_from_db()
    retry_dataset(actor=ACTOR, dataset=bad)
    read(bad)
    assert (bad.status, bad.attempt, bad.rows, bad.faults) == ("verified", 2, 130, [])
    good.refresh_from_db()
    assert (good.reading, good.rows) == (before, 120)
    with pytest.raises(ConflictError, match="only verifyFailed"):
        retry_dataset(actor=ACTOR, dataset=bad)


def test_a_folder_without_the_file_says_so_in_words_about_datasets():
    folder = dataset_folder()
    (folder / "dataset.csv").rename(folder / "data.csv")
    (dataset,) = make_datasets(folder=folder)
    read(dataset)
    assert dataset.status == "verifyFailed"
    assert dataset.error["message"] == "The dataset folder holds no dataset.csv."


def test_only_the_one_file_of_the_folder_is_copied():
    folder = dataset_folder()
    (folder / "secret.txt").write_text("another team's notes")
    (dataset,) = make_datasets(folder=folder)
    read(dataset)
    assert dataset.status == "verified"
    stored = {path.name for path in (installed.MOP_HOME / "artifacts" / "blobs").glob("*/*/*")}
    assert hashlib.sha256(b"another team's notes").hexdigest() not in stored


def test_the_url_of_the_file_itself_is_taken_as_that_of_its_folder():
    folder = dataset_folder()
    (dataset,) = make_datasets(url=f"{folder.as_uri()}/dataset.csv")
    assert dataset.file.url == folder.as_uri()
    assert dataset.path == f"{folder.as_uri()}/dataset.csv"


def test_rows_that_two_datasets_of_a_task_share_are_counted_from_ten_on(task: Task):
    read(made(task))
    rows = binary_rows(110, "another")
    few = dataset_folder(text_file(rows + binary_rows(9)))
    many = dataset_folder(text_file(rows + binary_rows(10)))
    (first,) = make_datasets(dataset_input("few", [task]), folder=few)
    (second,) = make_datasets(dataset_input("many", [task]), folder=many)
    read(first)
    read(second)
    assert {count for _, count in shared_with(binding_of(second))} == {10, 119}
    assert [count for _, count in shared_with(binding_of(first))] == [119]


# What is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "with blank"}, {"datasets.0.name"}),
        ({"name": ".."}, {"datasets.0.name"}),
        ({"label_header": "text"}, {"datasets.0.label_header"}),
        ({"label_type": "Ternary"}, {"datasets.0.label_type"}),
        ({"label_size": 3}, {"datasets.0.label_size"}),
        ({"label_type": "Multi-label", "label_size": 21}, {"datasets.0.label_size"}),
        ({"label_type": "Ordinal"}, {"datasets.0.tasks"}),
    ],
)
def test_a_field_of_a_dataset_that_breaks_its_rule_is_named(fields: dict[str, object], wrong: set[str]):
    with pytest.raises(ValidationFailedError) as caught:
        make_datasets(dataset_input(**fields))
    assert fields_of(caught) == wrong
    assert not Dataset.objects.exists()
    assert not Reading.objects.exists()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://host/folder"}, "url"),
        ({"url": "file:///etc"}, "url"),
        ({"language": "not a tag"}, "language"),
        ({"group_columns": ["text"]}, "group_columns"),
        ({"group_columns": ["a", "a"]}, "group_columns"),
        ({"language_column": "text"}, "group_columns"),
        ({"modality": "Image", "language": "en"}, "language"),
    ],
)
def test_a_field_of_the_file_that_breaks_its_rule_is_named(fields: dict[str, object], wrong: str):
    with pytest.raises(ValidationFailedError) as caught:
        make_datasets(**fields)
    assert wrong in fields_of(caught)
    assert "model" not in " ".join(caught.value.fields[wrong]).lower()


def test_names_and_columns_differ_within_a_file_and_names_from_others():
    made(name="taken")
    with pytest.raises(ValidationFailedError) as caught:
        make_datasets(dataset_input("taken"), dataset_input("new"), dataset_input("new", label_header="level"))
    assert fields_of(caught) == {"datasets.0.name", "datasets.1.label_header", "datasets.2.name"}


@pytest.mark.parametrize(
    ("task_fields", "fields", "fits"),
    [
        ({}, {"label_type": "Binary"}, True),
        (LEVELS, {"label_type": "Binary"}, True),
        ({"labels": ["no", "yes"]}, {"label_type": "Binary"}, False),
        ({"labels": ["a", "b", "c"]}, {"label_type": "Multi-label", "label_size": 3}, True),
        ({"labels": ["a", "b", "c"]}, {"label_type": "Multi-label", "label_size": 4}, False),
        (LEVELS, {"label_type": "Multi-label"}, False),
        (LEVELS, {"label_type": "Ordinal"}, True),
        ({}, {"label_type": "Ordinal"}, False),
        ({"modality": "Image"}, {"label_type": "Binary"}, False),
    ],
)
def test_which_tasks_fit_which_label_type(task_fields: dict, fields: dict, fits: object):
    task = make_task(**task_fields)
    if fits:
        assert binding_of(made(task, **fields)).state == "requested"
        return
    with pytest.raises(ValidationFailedError) as caught:
        made(task, **fields)
    assert fields_of(caught) == {"datasets.0.tasks"}


# Tasks and decisions ---------------------------------------------------------------------------------------


def test_tasks_are_added_to_a_verified_dataset_alone(task: Task):
    dataset = made()
    with pytest.raises(ConflictError, match="verified dataset only"):
        change_dataset(actor=ACTOR, dataset=dataset, tasks=[task])
    Dataset.objects.update(status="verified", rows=120)
    change_dataset(actor=ACTOR, dataset=dataset, tasks=[task], description="new")
    assert binding_of(dataset).state == "requested"
    assert Dataset.objects.get().description == "new"
    change_dataset(actor=ACTOR, dataset=dataset, tasks=[])
    assert not dataset.bindings.exists()


def test_a_task_that_stays_keeps_its_decision_and_one_that_was_rejected_is_asked_anew(task: Task):
    dataset = verified(task)
    approve(actor=ACTOR, binding=binding_of(dataset))
    change_dataset(actor=ACTOR, dataset=dataset, tasks=[task])
    assert binding_of(dataset).state == "approved"
    reject(actor=ACTOR, binding=binding_of(dataset), comment="another label guide")
    assert not usable_datasets(task)
    change_dataset(actor=ACTOR, dataset=dataset, tasks=[task])
    assert (binding_of(dataset).state, binding_of(dataset).comment) == ("requested", "")


def test_the_names_of_labels_are_kept_back_until_a_task_has_them():
    rows = [[text, ("spam", "ham")[number % 2]] for number, (text, _) in enumerate(binary_rows())]
    (dataset,) = make_datasets(
        dataset_input(label_type="Multi-label", label_size=2), folder=dataset_folder(text_file(rows))
    )
    read(dataset)
    assert [one["label"] for one in dataset.labels] == ["", ""]
    with pytest.raises(ValidationFailedError, match="1 labels that the task other does not have"):
        change_dataset(actor=ACTOR, dataset=dataset, tasks=[make_task("other", labels=["spam", "eggs"])])
    change_dataset(actor=ACTOR, dataset=dataset, tasks=[make_task("mail", labels=["spam", "ham", "eggs"])])
    dataset.refresh_from_db()
    assert {one["label"] for one in dataset.labels} == {"spam", "ham"}


@pytest.mark.parametrize(
    ("status", "rows"), [("created", 120), ("verifyFailed", 120), ("outdated", 120), ("verified", 99)]
)
def test_only_a_verified_dataset_of_a_hundred_rows_is_approved(task: Task, status: str, rows: int):
    dataset = verified(task, rows=rows)
    Dataset.objects.update(status=status)
    with pytest.raises(ConflictError):
        approve(actor=ACTOR, binding=binding_of(dataset))
    reject(actor=ACTOR, binding=binding_of(dataset))
    with pytest.raises(ConflictError, match="rejected for"):
        reject(actor=ACTOR, binding=binding_of(dataset))


def test_how_many_rows_are_enough_is_a_setting(task: Task, settings: Settings):
    settings.MOP_DATASET_ROWS_MIN = 5
    dataset = verified(task, rows=5)
    approve(actor=ACTOR, binding=binding_of(dataset))
    assert binding_of(dataset).state == "approved"


# Ends ------------------------------------------------------------------------------------------------------


def test_cancel_ends_one_dataset_and_the_others_of_its_file_go_on():
    first, second = make_datasets(
        dataset_input("a"),
        dataset_input("b", label_header="other"),
        folder=dataset_folder(text_file([[t, label, label] for t, label in binary_rows()], ("text", "hate", "other"))),
    )
    cancel_dataset(actor=ACTOR, dataset=first)
    with pytest.raises(ConflictError, match="nothing to cancel"):
        cancel_dataset(actor=ACTOR, dataset=first)
    read(second)
    first.refresh_from_db()
    assert (first.status, first.error["name"], second.status) == (
        "verifyFailed",
        "VerificationCancelledError",
        "verified",
    )


def test_a_reading_that_nobody_waits_for_is_not_wanted():
    dataset = made()
    run = Run(str(dataset.reading_id), 1)
    assert wanted_readings([run, Run(run.id, 2)]) == {run}
    cancel_dataset(actor=ACTOR, dataset=dataset)
    assert wanted_readings([run]) == set()
    with pytest.raises(StaleAttemptError):
        claim(run.id, 1, "host")


def test_outdated_is_the_end_and_hides_a_dataset(task: Task):
    dataset = made(task)
    with pytest.raises(ConflictError, match="only verified and verifyFailed"):
        set_outdated(actor=ACTOR, dataset=dataset)
    Dataset.objects.update(status="verified", rows=120)
    approve(actor=ACTOR, binding=binding_of(dataset))
    set_outdated(actor=ACTOR, dataset=dataset)
    assert not usable_datasets(task)
    with pytest.raises(ConflictError):
        set_outdated(actor=ACTOR, dataset=dataset)


def test_a_deleted_dataset_takes_along_all_that_was_said_of_it(task: Task):
    dataset = verified(task)
    approve(actor=ACTOR, binding=binding_of(dataset))
    assert Notification.objects.exists()
    delete_dataset(actor=ACTOR, dataset=dataset)
    assert not Binding.objects.exists()
    assert not Reading.objects.exists()
    assert not Notification.objects.exists()
    assert AuditEvent.objects.filter(action="dataset.deleted", object_label=dataset.name).exists()


# Causes outside --------------------------------------------------------------------------------------------


def fail(dataset: Dataset, error: Exception) -> str:
    reading = Reading.objects.get(pk=dataset.reading_id)
    return readings.conclude(str(reading.pk), reading.tries, error)  # type: ignore[arg-type] # an expected failure


def test_a_cause_outside_is_tried_again_five_times_and_then_named(settings: Settings):
    dataset = made()
    for number in range(settings.MOP_RETRY_MAX):
        assert fail(dataset, StorageUnavailableError("The model folder did not answer.")) == "waits"
        reading = Reading.objects.get()
        assert (reading.tries, reading.host, reading.waits_for["message"]) == (
            number + 2,
            "",
            "The dataset folder did not answer.",
        )
    assert Dataset.objects.get().status == "created"
    assert fail(dataset, StorageUnavailableError("It did not answer.")) == "verifyFailed"
    assert Dataset.objects.get().error["name"] == "StorageUnavailableError"


def test_a_fault_of_the_platform_alerts_and_does_not_count(settings: Settings):
    settings.MOP_RETRY_MAX = 0
    dataset = made()
    assert fail(dataset, DiskFullError("No room.")) == "waits"
    assert Alert.objects.get().fault == "DiskFullError"


def test_a_try_whose_time_has_come_is_enqueued_by_the_sweep(settings: Settings):
    settings.MOP_RETRY_BASE = 0.0
    dataset = made()
    now = timezone.now()
    claim(str(dataset.reading_id), 1, "host")
    assert not waiting_readings(now)
    fail(dataset, StorageUnavailableError("It did not answer."))
    assert [reading.workflow_id for reading in waiting_readings(now)] == [f"dataset-reading:{dataset.reading_id}:2"]
    with pytest.raises(StaleAttemptError):
        claim(str(dataset.reading_id), 1, "host")


# The confused deputy ---------------------------------------------------------------------------------------


def test_another_teams_prefix_is_refused_when_it_is_named_and_when_it_is_read(settings: Settings, tmp_path: Path):
    settings.MOP_SOURCE_PREFIXES = ""
    blue, red = make_team("blue"), make_team("red")
    root: Path = installed.MOP_FILE_ROOTS[0]
    for team in (blue, red):
        (root / team.name).mkdir(exist_ok=True)
        add_prefix(
            actor=ACTOR,
            user=make_user(is_administrator=True),
            team=team,
            purpose=Purpose.DATASETS,
            prefix=f"{root.as_uri()}/{team.name}",
        )
    (root / "blue" / "set").mkdir(exist_ok=True)
    (root / "blue" / "set" / "dataset.csv").write_bytes(text_file(binary_rows()))
    url = f"{root.as_uri()}/blue/set"
    owner = make_user(teams=(blue, red))
    with pytest.raises(ValidationFailedError, match="may not read datasets"):
        make_datasets(owner=owner, team=red, url=url)
    (dataset,) = make_datasets(owner=owner, team=blue, url=url)
    dataset.file.team = red
    dataset.file.save()
    with pytest.raises(ModelUrlForbiddenError):
        claim(str(dataset.reading_id), 1, "host")
    read(dataset)
    assert (dataset.status, dataset.error["name"]) == ("verifyFailed", "ModelUrlForbiddenError")
    assert Reading.objects.get(pk=dataset.reading_id).artifact_digest == ""
    del tmp_path


def test_a_prefix_for_models_says_nothing_about_datasets(settings: Settings):
    settings.MOP_SOURCE_PREFIXES = '[{"team": "*", "purpose": "models", "prefix": "*"}]'
    add_prefix(
        actor=ACTOR,
        user=make_user(is_administrator=True),
        team=make_team(),
        purpose=Purpose.DATASETS,
        prefix=f"{installed.MOP_FILE_ROOTS[0].as_uri()}/elsewhere",
    )
    with pytest.raises(ValidationFailedError, match="may not read datasets"):
        made()


@pytest.fixture
def storage() -> Iterator[ThreadingHTTPServer]:
    """Blob storage in which there is nothing; `asked` holds what it was asked for."""

    class Empty(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.server.asked.append(self.client_address)  # type: ignore[attr-defined]
            super().handle()

        def do_GET(self) -> None:
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


RENAMED = {
    "nothing": lambda _settings, _port: None,
    "the container is another team's now": lambda _settings, _port: _hand_over(),
    "the account has another endpoint": lambda settings, port: _accounts(settings, "emulated", port + 1),
    "the endpoint is another account's": lambda settings, port: _accounts(settings, "other", port),
    "the account is gone": lambda settings, _port: setattr(settings, "MOP_AZURE_ACCOUNTS", "[]"),
}


@pytest.mark.parametrize("how", RENAMED)
def test_a_renamed_container_is_refused_before_any_request(how: str, storage: Any, settings: Settings):
    settings.MOP_SOURCE_PREFIXES = ""
    port = storage.server_port
    _accounts(settings, "emulated", port)
    team = make_team("blue")
    url = f"http://127.0.0.1:{port}/emulated/evaluation"
    administrator = make_user(is_administrator=True)
    for named in (team, make_team("red")):
        prefix = url if named == team else f"{url}-red"
        add_prefix(actor=ACTOR, user=administrator, team=named, purpose=Purpose.DATASETS, prefix=prefix)
    owner = make_user(teams=(team,))
    (dataset,) = make_datasets(owner=owner, team=team, url=f"{url}/set")
    for other in (f"{url}-red/set", f"{url}2/set", url.replace("emulated", "other") + "/set"):
        with pytest.raises(ValidationFailedError):
            make_datasets(owner=owner, team=team, url=other)
    RENAMED[how](settings, port)
    read(dataset)
    assert dataset.status == "verifyFailed"
    assert Reading.objects.get(pk=dataset.reading_id).artifact_digest == ""
    assert bool(storage.asked) == (how == "nothing")  # else this test would notice nothing
    if how != "nothing":
        with pytest.raises(ModelUrlForbiddenError):
            retry_dataset(actor=ACTOR, dataset=dataset)
        assert not storage.asked


def _accounts(settings: Settings, name: str, port: int) -> None:
    account = {"name": name, "endpoint": f"http://127.0.0.1:{port}/{name}", "account_key": "c2VjcmV0"}
    settings.MOP_AZURE_ACCOUNTS = json.dumps([account])


def _hand_over() -> None:
    """The name of a team's container is given to that of another, which is what renaming comes to."""
    red, blue = (SourcePrefix.objects.get(team__name=name) for name in ("red", "blue"))
    blue.delete()
    SourcePrefix.objects.filter(pk=red.pk).update(prefix=blue.prefix)


@pytest.mark.parametrize("column", ["image_0", "base64_image", "file_name"])
def test_a_file_of_images_read_as_texts_does_not_show_them_as_groups(column: str):
    row = ["a text", "0", "aGlkZGVu"]
    folder = dataset_folder(text_file([row, ["another", "1", "aGlkZGVu"]], ("text", "hate", column)))
    with pytest.raises(ValidationFailedError, match="its values are samples"):
        make_datasets(folder=folder, group_columns=[column])


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_symlink_to_another_folder_or_file_is_not_followed(what: str):
    target, folder = dataset_folder(), dataset_folder()
    (folder / "dataset.csv").unlink()
    if what == "file":
        (folder / "dataset.csv").symlink_to(target / "dataset.csv")
    else:
        folder.rmdir()
        folder.symlink_to(target, target_is_directory=True)
    (dataset,) = make_datasets(folder=folder)
    read(dataset)
    assert dataset.status == "verifyFailed"
    assert Reading.objects.get(pk=dataset.reading_id).artifact_digest == ""


def test_a_file_that_never_stands_still_is_tried_again_and_read_as_it_is_in_the_end():
    folder = dataset_folder()
    (dataset,) = make_datasets(folder=folder)
    (folder / "dataset.csv").write_bytes(bytes(32 << 20))  # a small one can be read between two changes
    with changing(folder / "dataset.csv"):
        read(dataset)
    reading = Reading.objects.get(pk=dataset.reading_id)
    assert (dataset.status, reading.artifact_digest) == ("created", "")
    assert reading.waits_for["name"] == "SourceChangedError"
    assert "dataset folder changed" in reading.waits_for["message"]
    put_back = text_file(binary_rows(140))
    (folder / "dataset.csv").write_bytes(put_back)
    assert (read(dataset).status, dataset.rows) == ("verified", 140)
    reading.refresh_from_db()
    assert reading.sha256 == hashlib.sha256(put_back).hexdigest()


@contextlib.contextmanager
def changing(file: Path) -> Iterator[None]:
    """Somebody adds to the file all the time, from before the block until behind it."""
    ended = threading.Event()

    def write() -> None:
        with file.open("ab", buffering=0) as opened:
            while not ended.wait(0.0005):
                opened.write(b"one more row\t1\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def test_get_dataset_reads_by_name():
    dataset = made(name="Named")
    assert get_dataset("Named").pk == dataset.pk
