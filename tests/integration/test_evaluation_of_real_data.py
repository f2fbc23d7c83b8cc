"""Two text models on real moderation data, HateCheck with its slices; every number is computed again."""

from __future__ import annotations

import json

import pytest

from support.evaluations import approved_dataset, document, finished
from support.installation import Installation
from support.real_data import hatecheck_dataset, moderation_dataset
from support.real_models import WordWeights, bayes, keywords, rows_of, write_text_model

pytestmark = [pytest.mark.sandbox, pytest.mark.second_tier]
TASK = "hateful text"


def test_two_text_models_on_moderation_data_and_hatecheck(mop: Installation):
    mop.start_worker(evaluation_start_seconds=1)
    with mop.as_administrator():
        body = {"name": TASK, "team": "the team", "modality": "Text", "taxonomy": "Hate"}
        mop.call("POST", "/tasks", body | {"label_type": "Categorical", "labels": ["0", "1"]})
    binary = {"task": TASK, "label_type": "Binary"}
    hatecheck, moderation = hatecheck_dataset(), moderation_dataset()
    approved_dataset(mop, "hatecheck", hatecheck, label="hateful", group_columns=["functionality", "target"], **binary)
    approved_dataset(mop, "moderation-hate", moderation, label="Hate", **binary)
    models = {"keywords": keywords(), "bayes": bayes(moderation)}
    connections = [{"task": TASK, "customized_name": "hate"}]
    submitted = {
        name: mop.submit(write_text_model(mop.folders / name, model), connections=connections)
        for name, model in models.items()
    }
    for name, revision in submitted.items():
        mop.wait(revision, "verified")
        found = finished(mop, revision.model, datasets=("hatecheck", "moderation-hate"))
        assert [one["name"] for one in found] == ["hatecheck", "moderation-hate"]
        for one, content, label in zip(found, (hatecheck, moderation), ("hateful", "Hate"), strict=True):
            shown = document(mop, one)
            assert shown["matrix"] == _expected(content, label, models[name])
        slices = {(part["column"], part["value"]) for part in document(mop, found[0])["slices"]}
        assert {column for column, _ in slices} == {"functionality", "target", "text length"}
        assert len([1 for column, _ in slices if column == "functionality"]) > 20
        _verified_again(mop, revision.model, revision.version)


def _verified_again(mop: Installation, model: str, version: str) -> None:
    result = mop.run("-m", "mop.cli", "evaluation", "verify", model, version, "--json", seconds=300)
    assert result.returncode == 0, result.stdout + result.stderr
    for one in json.loads(result.stdout):
        assert one["holds"]
        assert {"rows", "confusion matrix", "macro f1", "area below the ROC curve of 1", "200 rows inferred again"} <= {
            check["name"] for check in one["checks"]
        }


def _expected(content: bytes, label: str, model: WordWeights) -> list[list[int]]:
    matrix = [[0, 0, 0], [0, 0, 0]]
    for row in rows_of(content):
        matrix[int(row[label])][int(model.label(row["text"]))] += 1
    return matrix
