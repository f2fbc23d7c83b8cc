"""Folders that `mop init` writes: their code stands on its own and obeys the output rules."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import json
import pickle
import symtable
import sys
from pathlib import Path

import joblib
import pytest
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from mop_client.errors import ClientError
from mop_client.scaffold import Wish, inference_code, write_model_folder
from mop_client.words import FRAMEWORKS, LABEL_TYPES, MODALITIES
from mop_utils.base_model_wrapper import MopInferenceInput

LABELS = {"Categorical": ("no", "yes"), "Ordinal": ("0", "1", "2", "3")}


def wish(modality="Text", label_type="Categorical", framework=None, checkpoint=None, labels=None):
    return Wish(modality, label_type, labels or LABELS[label_type], "Hate", framework, checkpoint, "3.11")


@pytest.mark.parametrize("label_type", LABEL_TYPES)
@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("framework", [None, *FRAMEWORKS])
def test_every_combination_is_whole_python_without_unknown_or_unused_names(framework, modality, label_type):
    code = inference_code(wish(modality, label_type, framework, Path("model.bin") if framework else None))
    assert "$" not in code
    assert max(map(len, code.splitlines())) <= 120
    compile(code, "inference.py", "exec")
    tree = ast.parse(code)
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported <= used, f"never used: {imported - used}"
    assert not unknown_names(code), unknown_names(code)
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("_")}
    assert called <= methods


def unknown_names(code):
    top = symtable.symtable(code, "inference.py", "exec")
    known = {one.get_name() for one in top.get_symbols()} | set(dir(builtins))

    def globals_of(table):
        found = {one.get_name() for one in table.get_symbols() if one.is_global() and one.is_referenced()}
        for child in table.get_children():
            found |= globals_of(child)
        return found

    return globals_of(top) - known


def load(folder: Path):
    spec = importlib.util.spec_from_file_location(f"inference_{folder.name}", folder / "src" / "inference.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    model = module.Model()
    model.init(str(folder / "model"))
    return model


@pytest.mark.parametrize("label_type", LABEL_TYPES)
@pytest.mark.parametrize("modality", MODALITIES)
def test_a_folder_without_a_checkpoint_answers_at_once(tmp_path, modality, label_type):
    folder = tmp_path / "model-folder"
    write_model_folder(folder, wish(modality, label_type))
    model = load(folder)
    outputs = model.inference_batch([json.loads((folder / "sample.json").read_text())] * 2)
    shown = model.convert_model_output_to_mop_output(outputs[0]).output
    labels = shown["predicted_labels"]["Hate"]
    assert set(labels) == set(LABELS[label_type])
    assert labels[LABELS[label_type][0]] == 1


def test_labels_are_found_by_their_names_whatever_their_order(tmp_path):
    texts, labels = ["you idiot", "you moron", "good day", "have fun"] * 3, ["yes", "yes", "no", "no"] * 3
    pipeline = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression()).fit(texts, labels)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    chosen = wish(framework="sklearn", checkpoint=tmp_path / "pipeline.joblib", labels=("yes", "no"))
    write_model_folder(tmp_path / "folder", chosen)
    model = load(tmp_path / "folder")
    item = model.convert_mop_input_to_model_input(MopInferenceInput(text="you idiot"))
    shown = model.convert_model_output_to_mop_output(model.inference(item)).output
    assert shown["predicted_labels"]["Hate"] == {"yes": 1, "no": 0}
    assert sum(shown["confidence_scores"]["Hate"].values()) == pytest.approx(1)


@pytest.mark.parametrize("scores", [[1.0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4], [0.25] * 4, [0, 0, 0, 1.0], [0.5, 0, 0, 0.5]])
def test_ordinal_outputs_are_cumulative_and_their_labels_a_run(tmp_path, scores):
    write_model_folder(tmp_path / "folder", wish(label_type="Ordinal"))
    shown = load(tmp_path / "folder").convert_model_output_to_mop_output({"scores": scores}).output
    labels = [shown["predicted_labels"]["Hate"][label] for label in "0123"]
    confidence = [shown["confidence_scores"]["Hate"][label] for label in "0123"]
    assert labels == sorted(labels, reverse=True)
    assert labels[0] == 1
    assert confidence == sorted(confidence, reverse=True)


def test_nothing_that_is_there_is_overwritten(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ClientError, match="holds something already"):
        write_model_folder(tmp_path, wish())
    assert (tmp_path / "mine").read_text() == "x"


@pytest.mark.parametrize(
    ("label_type", "labels"),
    [
        ("Categorical", ("one",)),
        ("Ordinal", ("0", "1")),
        ("Categorical", ("a", "a")),
        ("Categorical", ("a", "")),
        ("Categorical", tuple(map(str, range(21)))),
    ],
)
def test_labels_that_no_task_has_are_refused(tmp_path, label_type, labels):
    with pytest.raises(ClientError, match="different labels"):
        write_model_folder(tmp_path / "folder", wish(label_type=label_type, labels=labels))
    assert not (tmp_path / "folder").exists()


def test_names_with_quotes_are_texts_and_not_code():
    hostile = Wish("Text", "Categorical", ('no"', "$yes\n"), 'a"; import os #', None, None, "3.11")
    tree = ast.parse(inference_code(hostile))
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)}
    assert values == {"TAXONOMY": hostile.taxonomy, "LABELS": list(hostile.labels)}


def test_the_checkpoint_is_copied_as_it_is(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1])))
    write_model_folder(tmp_path / "folder", wish(framework="sklearn", checkpoint=path))
    assert (tmp_path / "folder" / "model" / "model.pkl").read_bytes() == path.read_bytes()
    assert "scikit-learn==" in (tmp_path / "folder" / "src" / "requirements.txt").read_text()
