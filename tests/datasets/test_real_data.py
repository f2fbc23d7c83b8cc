"""Datasets of real moderation data: OpenAI's samples and HateCheck."""

from __future__ import annotations

import csv
import io

import pytest

from datasets.made import binary, read, text_spec
from mop.datasets.reading import DatasetSpec, FaultKind, LabelColumn, LabelType, Limits, rows
from support.real_data import HATE_LEVELS, MODERATION, hate_levels_dataset, hatecheck_dataset, moderation_dataset

BINARY = text_spec(*(binary(header) for header in MODERATION.values()))
LEVELS = text_spec(LabelColumn(header="hate", label_type=LabelType.ORDINAL, labels=HATE_LEVELS))
SLICES = text_spec(binary("hateful"), group_columns=("functionality", "target"))


def test_four_binary_datasets_come_of_one_file_of_moderation_data():
    data = moderation_dataset()
    report = read(data, BINARY)
    assert report.is_clean
    assert report.rows == 722
    assert {header: counts["1"] for header, counts in report.label_counts.items()} == {
        "Hate": 160,
        "Sexual": 102,
        "Violence": 89,
        "Self-harm": 48,
    }
    assert {fault.kind for fault in report.warnings} == {FaultKind.DUPLICATE_ROW}


def test_levels_of_hate_make_an_ordinal_dataset():
    report = read(hate_levels_dataset(), LEVELS)
    assert report.is_clean
    assert report.label_counts == {"hate": {"none": 554, "H": 120, "H2": 41}}


def test_hatecheck_has_functionality_and_target_for_slices():
    report = read(hatecheck_dataset(), SLICES)
    assert report.is_clean
    assert report.rows == 3728
    assert report.label_counts == {"hateful": {"1": 2563, "0": 1165}}
    assert len(report.slice_counts["functionality"]) == 29
    assert report.slice_counts["target"]["nobody"] == 292


def test_fewer_slices_than_hatecheck_has_are_too_many():
    spec = text_spec(binary("hateful"), group_columns=("functionality",), limits=Limits(group_values=28))
    (fault,) = read(hatecheck_dataset(), spec).faults
    assert (fault.kind, fault.column) == (FaultKind.TOO_MANY_GROUP_VALUES, "functionality")


@pytest.mark.parametrize(
    ("make", "spec"),
    [(moderation_dataset, BINARY), (hate_levels_dataset, LEVELS), (hatecheck_dataset, SLICES)],
    ids=["moderation", "levels", "hatecheck"],
)
def test_rows_are_those_that_csv_reads(make: type[bytes], spec: DatasetSpec):
    data = make()
    table = list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter="\t"))
    found = list(rows(lambda: io.BytesIO(data), spec))
    assert [row.item["text"] for row in found] == [line["text"] for line in table]
    assert [row.labels for row in found] == [tuple(line[label.header] for label in spec.labels) for line in table]
    assert [row.slices for row in found] == [tuple(line[one] for one in spec.slice_columns) for line in table]


def test_raw_moderation_data_with_their_line_breaks_are_refused_with_their_rows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("support.real_data._one_line", lambda text: text)
    report = read(moderation_dataset(), BINARY)
    (fault,) = report.faults
    assert (fault.kind, fault.column, fault.count) == (FaultKind.LINE_BREAK, "text", 243)
    assert report.rows == 722
