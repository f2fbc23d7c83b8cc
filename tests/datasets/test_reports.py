"""What a process in the cage tells of a file is taken by its form alone."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from datasets.made import binary, both_spec, read, table, text_spec
from mop.datasets.reading import DatasetSpec, LabelColumn, LabelType, Limits, Modality, Report, shared_rows

MULTI = LabelColumn(header="kind", label_type=LabelType.MULTI_LABEL, labels=("a", "b", "c"), size=2)
SPEC = text_spec(binary(), MULTI, group_columns=("group",), language_column="language", limits=Limits(places=5))
HEAD = ("text", "label", "kind", "group", "language", "other")
CLEAN = table(HEAD, ("t", "0", "a", "x", "en", "o"), ("u", "1", "b", "y", "de", "o"), ("u", "1", "b", "y", "de", "o"))
FAULTY = table(HEAD, ("t", "2", "a", "x", "en", ""), ("u", "1"))


@pytest.mark.parametrize("spec", [SPEC, both_spec(pixels=5), DatasetSpec(modality=Modality.TEXT)])
def test_a_spec_travels_as_json(spec: DatasetSpec):
    assert DatasetSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize("data", [CLEAN, FAULTY, b""], ids=["clean", "faulty", "empty"])
def test_a_report_travels_as_json(data: bytes):
    report = read(data, SPEC)
    assert Report.from_dict(json.loads(json.dumps(report.to_dict())), SPEC) == report


FORGERIES: dict[str, tuple[list[Any], Any]] = {
    "a cell as column": (["faults", 0, "column"], "the hidden text"),
    "a cell as number of a column": (["faults", 0, "column"], "column 123456"),
    "a cell as kind": (["faults", 0, "kind"], "the hidden text"),
    "a cell as row": (["faults", 0, "rows"], ["the hidden text"]),
    "a cell as count": (["faults", 0, "count"], "the hidden text"),
    "too many rows": (["faults", 0, "rows"], [1, 2, 3, 4, 5, 6]),
    "a negative row": (["faults", 0, "rows"], [-1]),
    "true as a row": (["faults", 0, "rows"], [True]),
    "a cell as number of rows": (["rows"], "the hidden text"),
    "a label that is not allowed": (["label_counts", "kind"], {"the hidden text": 1}),
    "labels of a column that nobody named": (["label_counts", "other"], {"x": 1}),
    "a long value": (["slice_counts", "group"], {"x" * 101: 1}),
    "many values": (["slice_counts", "group"], {str(n): 1 for n in range(51)}),
    "no faults": (["faults"], None),
    "a text for all": ([], "the hidden text"),
    "nothing": ([], {}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_report_is_refused_and_not_quoted(name: str):
    path, value = FORGERIES[name]
    data: Any = copy.deepcopy(read(FAULTY, SPEC).to_dict())
    if path:
        place = data
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
    else:
        data = value
    with pytest.raises(ValueError, match="Not a report") as caught:
        Report.from_dict(data, SPEC)
    assert "hidden" not in str(caught.value)


def test_quotes_and_whatever_else_a_process_adds_is_dropped():
    data = read(FAULTY, SPEC).to_dict()
    data["faults"][0]["quotes"] = ["the hidden text"]
    data["more"] = "the hidden text"
    assert "hidden" not in repr(Report.from_dict(data, SPEC))


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": (binary("text"),)},
        {"labels": (binary("a"), binary("a"))},
        {"labels": (binary("a"),), "group_columns": ("a",)},
        {"labels": (binary("a"),), "language_column": "text"},
        {"labels": (binary(""),)},
        {"labels": (binary("a", size=2),)},
        {"labels": (LabelColumn(header="a", label_type=LabelType.MULTI_LABEL, size=21),)},
        {"modality": Modality.IMAGE_AND_TEXT, "group_columns": ("image_7",)},
        # samples of a file that is read as of another modality
        {"modality": Modality.TEXT, "group_columns": ("image_0",)},
        {"modality": Modality.TEXT, "language_column": "base64_image"},
        {"modality": Modality.IMAGE, "group_columns": ("text",)},
    ],
    ids=str,
)
def test_a_contradictory_spec_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"column|header|size"):
        DatasetSpec(**{"modality": Modality.TEXT, **wrong})


def test_the_job_verifies_a_file_in_a_process_of_its_own(tmp_path: Path):
    file, digests = tmp_path / "dataset.csv", tmp_path / "digests"
    file.write_bytes(CLEAN)
    request = {"file": str(file), "spec": SPEC.to_dict(), "seed": 1, "digests": str(digests)}
    done = subprocess.run(
        [sys.executable, "-m", "mop.datasets.reading.job"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Report.from_dict(json.loads(done.stdout.splitlines()[-1])["report"], SPEC) == read(CLEAN, SPEC)
    assert shared_rows(digests, digests) == 2


def test_the_reader_loads_nothing_of_django():
    code = "import sys, mop.datasets.reading.job; print([m for m in sys.modules if m.split('.')[0] == 'django'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
