"""Evaluations in an installation of tests: datasets of made rows, approved; what was kept of their evaluation."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from mop.evaluation.states import EVALUATION_LIFECYCLE, EvaluationState
from support.datasets import text_file
from support.installation import Installation, Submitted
from support.waiting import wait_for

ENDED = tuple(state.value for state in EVALUATION_LIFECYCLE.final)


WORDS = "words of the small model"


def words_task(mop: Installation) -> None:
    """The task of the small model, owned by the administrator, unless it is there."""
    with mop.as_administrator():
        if mop.api.get(f"/tasks/{WORDS}").is_success:
            return
        body = {"name": WORDS, "team": "the team", "modality": "Text", "taxonomy": "Hate"}
        mop.call("POST", "/tasks", body | {"label_type": "Categorical", "labels": ["no", "yes"]})


def submit_small(mop: Installation, folder: Path, **fields: Any) -> Submitted:
    """Add a small model that is connected to that task."""
    connections = [{"task": WORDS, "customized_name": "bad words"}]
    return mop.submit(folder, **{"connections": connections, "regression_enabled": False} | fields)


def approved_dataset(
    mop: Installation, name: str, content: bytes, *, task: str = WORDS, label: str = "hate", **fields: Any
) -> None:
    """Add a dataset of one label column, wait until it is verified, and approve it for a task."""
    folder = mop.folders / f"dataset-{name}"  # tests share the installation, and models have names too
    folder.mkdir()
    (folder / "dataset.csv").write_bytes(content)
    one = {"label_header": label, "name": name, "label_type": "Multi-label", "tasks": [task]}
    file = {key: fields.pop(key) for key in ("group_columns", "language_column") if key in fields}
    body = {"team": "the team", "modality": "Text", "url": folder.as_uri(), "datasets": [one | fields], **file}
    mop.call("POST", "/datasets", body)
    wait_for(lambda: _status(mop, name) in {"verified", "verifyFailed"}, seconds=60, what=f"the reading of {name}")
    with mop.as_administrator():
        mop.call("POST", f"/tasks/{task}/datasets/{name}/approve", {"comment": ""})


def evaluations(mop: Installation, model: str) -> list[dict[str, Any]]:
    """The evaluations of a model's versions, as they stand in the database."""
    columns = (
        "e.id",
        "state",
        "e.attempt",
        "progress",
        "e.error",
        "error_counts",
        "failed_rows",
        "e.rows",
        "no_answer",
        "headline",
        "accuracy",
        "predictions_digest",
        "d.name",
        "version",
        "is_stale",
        "is_recount",
        "metric_version",
    )
    query = (
        f"SELECT {', '.join(columns)} FROM evaluation_evaluation e JOIN datasets_dataset d ON d.id = dataset_id "  # noqa: S608 - our own names
        "JOIN registry_revision r ON r.id = revision_id JOIN registry_model m ON m.id = r.model_id "
        "WHERE m.name = ? ORDER BY d.name, version"
    )
    return [dict(zip((name.split(".")[-1] for name in columns), row, strict=True)) for row in mop.rows(query, model)]


def finished(
    mop: Installation, model: str, *, datasets: Collection[str] = (), seconds: float = 240
) -> list[dict[str, Any]]:
    """Wait until the evaluations of a model on these datasets (else any) ended; all of them finished."""
    ended = settled(mop, model, datasets=datasets, seconds=seconds)
    assert {one["state"] for one in ended} == {EvaluationState.FINISHED.value}, ended
    return ended


def settled(
    mop: Installation, model: str, *, datasets: Collection[str] = (), seconds: float = 240
) -> list[dict[str, Any]]:
    """Wait until the evaluations of a model on these datasets (else any) ended, however."""

    def ended() -> list[dict[str, Any]]:
        found = [one for one in evaluations(mop, model) if not datasets or one["name"] in datasets]
        is_over = len(found) >= max(1, len(datasets)) and all(one["state"] in ENDED for one in found)
        return found if is_over else []

    return wait_for(ended, seconds=seconds, what=f"evaluations of {model}", note=lambda: str(evaluations(mop, model)))


def document(mop: Installation, evaluation: dict[str, Any]) -> dict[str, Any]:
    """The result that was kept."""
    ((found,),) = mop.rows(
        "SELECT document FROM evaluation_evaluationresult WHERE evaluation_id = ?", _key(mop, evaluation["id"])
    )
    read: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return read


def matrix(mop: Installation, evaluation: dict[str, Any]) -> np.ndarray:
    """The confusion matrix that was kept."""
    return np.array(document(mop, evaluation)["matrix"])


def worded_rows(count: int, *, bad: int = 3) -> list[list[str]]:
    """Rows of which every `bad`-th has the word that the small model knows; each 10th has another label than that."""
    rows = []
    for number in range(count):
        has_word = number % bad == 0
        is_bad = has_word != (number % 10 == 0)
        rows.append([f"row {number} says {'darn' if has_word else 'good'}", "yes" if is_bad else "no"])
    return rows


def worded_file(count: int) -> bytes:
    """The file of `worded_rows`."""
    return text_file(worded_rows(count))


def worded_matrix(count: int) -> np.ndarray:
    """What the small model makes of `worded_rows`."""
    counts = np.zeros((2, 3), dtype=int)
    for text, label in worded_rows(count):
        counts[int(label == "yes"), int("darn" in text)] += 1
    return counts


def _status(mop: Installation, name: str) -> str:
    ((status,),) = mop.rows("SELECT status FROM datasets_dataset WHERE name = ?", name)
    return str(status)


def _key(mop: Installation, value: Any) -> Any:
    return value if not isinstance(value, uuid.UUID) else str(value)
