"""Real moderation data through a whole installation, with the command line: read, verified, approved."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.azurite import Azurite
from support.installation import Installation, running_installation
from support.real_data import HATE_LEVELS, hate_levels_dataset, hatecheck_dataset, moderation_dataset

pytestmark = [pytest.mark.sandbox, pytest.mark.second_tier]


@pytest.fixture(scope="module")
def mop() -> Iterator[Installation]:
    with running_installation() as mop:
        mop.start_worker()
        yield mop


def command(mop: Installation, *arguments: str, administrator: bool = False) -> subprocess.CompletedProcess[str]:
    header = f"Bearer {mop.administrator_token}" if administrator else mop.api.headers["Authorization"]
    token = header.removeprefix("Bearer ")
    environment = {"url": f"http://127.0.0.1:{mop.port}", "token": token}
    return mop.run("-m", "mop.cli", *arguments, seconds=180, **environment)


def folder_of(mop: Installation, name: str, content: bytes) -> Path:
    folder = mop.folders / name
    folder.mkdir()
    (folder / "dataset.csv").write_bytes(content)
    return folder


def task(mop: Installation, name: str, label_type: str, labels: list[str]) -> None:
    with mop.as_administrator():
        mop.call(
            "POST",
            "/tasks",
            {
                "name": name,
                "team": "the team",
                "modality": "Text",
                "taxonomy": "Hate",
                "label_type": label_type,
                "labels": labels,
            },
        )


def created(mop: Installation, *arguments: str) -> list[dict[str, Any]]:
    result = command(mop, "dataset", "create", *arguments, "--team", "the team", "--watch", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_moderation_data_become_four_binary_datasets_of_one_file(mop: Installation):
    task(mop, "hateful or not", "Categorical", ["0", "1"])
    folder = folder_of(mop, "moderation", moderation_dataset())
    labels = [part for header in ("Hate", "Sexual", "Violence", "Self-harm") for part in ("--label", header)]
    found = created(mop, folder.as_uri(), "--modality", "text", *labels, "--task", "Hate=hateful or not")
    assert [one["name"] for one in found] == [f"moderation-{one['label_header']}" for one in found]
    assert {one["status"] for one in found} == {"verified"}
    ones = {
        one["label_header"]: share["count"] for one in found for share in one["label_ratio"] if share["label"] == "1"
    }
    assert ones == {"Hate": 160, "Sexual": 102, "Violence": 89, "Self-harm": 48}
    assert [warning["kind"] for warning in found[0]["warnings"]] == ["duplicate-row"]
    decided = command(mop, "task", "approve", "hateful or not", "moderation-Hate", "--json", administrator=True)
    assert json.loads(decided.stdout)["state"] == "approved", decided.stderr
    listed = command(mop, "dataset", "list", "--task", "hateful or not")
    assert "moderation-Hate" in listed.stdout
    assert "hateful or not (approved)" in listed.stdout


def test_levels_of_hate_become_an_ordinal_dataset(mop: Installation):
    task(mop, "levels of hate", "Ordinal", list(HATE_LEVELS))
    folder = folder_of(mop, "levels", hate_levels_dataset())
    (found,) = created(
        mop,
        folder.as_uri(),
        *("--modality", "text", "--label", "hate", "--label-type", "ordinal", "--task", "levels of hate"),
        *("--name", "levels-of-hate", "--language", "en"),
    )
    assert {one["label"]: one["count"] for one in found["label_ratio"]} == {"none": 554, "H": 120, "H2": 41}


def test_hatecheck_has_functionality_and_target_group_as_slices(mop: Installation):
    folder = folder_of(mop, "hatecheck", hatecheck_dataset())
    (found,) = created(
        mop,
        folder.as_uri(),
        *("--modality", "text", "--label", "hateful", "--group-column", "functionality", "--group-column", "target"),
    )
    assert (found["sample_number"], len(found["slices"]["functionality"])) == (3728, 29)
    assert "nobody" in found["slices"]["target"]


def test_a_failed_dataset_is_shown_retried_and_deleted_by_commands(mop: Installation):
    folder = folder_of(mop, "faulty", b"text\thate\na\t0\nb\tyes\n")
    create = ("dataset", "create", folder.as_uri(), "--modality", "text", "--label", "hate", "--name", "faulty")
    failed = command(mop, *create, "--team", "the team", "--watch")
    assert failed.returncode == 1
    assert "label-not-of-task" in failed.stdout
    assert "rows 3" in failed.stdout
    (folder / "dataset.csv").write_bytes(b"text\thate\na\t0\nb\t1\n")
    assert command(mop, "dataset", "retry", "faulty", "--watch").returncode == 0
    assert command(mop, "dataset", "show", "faulty").returncode == 0
    assert command(mop, "dataset", "delete", "faulty", "--yes").returncode == 0
    assert command(mop, "dataset", "show", "faulty").returncode == 64


@pytest.mark.azurite
def test_a_file_in_blob_storage_is_read_and_another_container_is_not(azurite: Azurite):
    account = {"name": azurite.account, "endpoint": azurite.endpoint, "account_key": azurite.account_key}
    content = b"text\thate\na\t0\nb\t1\n"
    prefixes = [{"team": "the team", "purpose": "datasets", "prefix": azurite.url("evaluation")}]
    with running_installation(azure_accounts=json.dumps([account]), source_prefixes=json.dumps(prefixes)) as mop:
        folder = folder_of(mop, "in-azure", content)
        url = azurite.upload_folder("evaluation", folder, prefix="hate")
        hidden = azurite.upload_folder("another", folder, prefix="hate")
        mop.start_worker()
        (found,) = created(mop, url, "--modality", "text", "--label", "hate", "--name", "in-azure")
        assert (found["status"], found["sample_number"]) == ("verified", 2)
        refused = command(
            mop,
            *("dataset", "create", hidden, "--modality", "text", "--label", "hate", "--team", "the team"),
        )
        assert refused.returncode == 64
        assert "may not read datasets" in refused.stderr
