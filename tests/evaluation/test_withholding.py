"""A solver that is given everything shown, the reasons included, computes no withheld slice."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import Client
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from mop.evaluation.dataset_columns import slice_columns_of
from mop.evaluation.kept import each_part
from mop.evaluation.metrics.slices import SliceName
from mop.evaluation.models import Evaluation
from mop.evaluation.predictions import Predictions
from mop.evaluation.reports.document import report_of
from mop.evaluation.reports.shown import shown_of
from mop.storage.artifact_store import ArtifactStore
from support.evaluation_results import GROUPS, add_version, approved_dataset, evaluate, verified
from support.factories import make_model, make_task, make_user
from support.measurements import Rows, categorical

LEAST = 10


def rows_with_small_groups(seed: int) -> Rows:
    """Columns of which one follows from another, with values of a few rows."""
    generator = np.random.default_rng(seed)
    count = int(generator.integers(150, 500))
    spread = generator.dirichlet(np.full(5, 0.5))
    source = [f"s{value}" for value in generator.choice(5, count, p=spread)]
    family = ["odd" if int(value[1]) % 2 else "even" for value in source]
    language = [str(value) for value in generator.choice(["en", "de", "fr"], count, p=[0.7, 0.28, 0.02])]
    return categorical(seed, count=count, groups={"source": source, "family": family, "language": language})


@pytest.mark.parametrize("seed", range(6))
def test_a_solver_over_everything_shown_computes_no_small_slice(seed: int):
    rows = rows_with_small_groups(seed)
    for merges in ({}, {"threat": "bad", "graphic": "bad"}):
        document = report_of(rows.shown(LEAST), merges)
        small = [one for one in document.slices if rows.chosen(SliceName(one.column, one.value)).sum() < LEAST]
        assert all(one.withheld and one.rows is None and one.metrics is None for one in small)
        for one in small:
            low, high = bounds(rows, document, SliceName(one.column, one.value))
            assert high - low >= 1, f"{one} has {low} to {high} rows"


def bounds(rows: Rows, document, wanted: SliceName) -> tuple[float, float]:
    """The least and the greatest number of rows of a slice that agree with everything shown.

    Unknown are the rows of each combination of slices; known are the rows of the whole and of every slice that is
    shown, and that no withheld slice is empty. Matrices give the same system once for every cell.
    """
    combinations = sorted({rows.names(row) for row in range(len(rows.true))}, key=sorted)
    shown = {SliceName(one.column, one.value): one for one in document.slices}
    member = {name: np.array([float(name in names) for names in combinations]) for name in shown}
    equal = [np.ones(len(combinations))]
    values = [float(document.rows)]
    above, limits = [], []
    for name, one in shown.items():
        if not one.withheld:
            equal.append(member[name])
            values.append(float(one.rows))
        else:  # it has a row at least, or it would not stand there
            above.append(-member[name])
            limits.append(-1.0)
    found = []
    for sign in (1, -1):
        solved = linprog(
            sign * member[wanted], A_ub=above or None, b_ub=limits or None, A_eq=equal, b_eq=values, bounds=(0, None)
        )
        assert solved.status == 0, solved.message
        found.append(sign * solved.fun)
    return found[0], found[1]


def test_the_solver_does_compute_a_slice_that_is_not_withheld_with_another():
    """The solver can find what a report without withholding would give away."""
    rows = categorical(1, count=200, groups={"source": ["a"] * 5 + ["b"] * 95 + ["c"] * 100})
    document = report_of(rows.shown(LEAST))
    careless = dataclasses.replace(
        document,
        slices=tuple(
            dataclasses.replace(one, withheld="", rows=int(rows.chosen(SliceName(one.column, one.value)).sum()))
            if one.value == "b"
            else one
            for one in document.slices
        ),
    )
    low, high = bounds(rows, careless, SliceName("source", "a"))
    assert low == pytest.approx(high)


def test_nothing_of_a_withheld_slice_but_its_name_and_reason_is_in_the_document():
    groups = {"source": ["voice"] * 6 + ["chat"] * 60 + ["forum"] * 434}
    document = report_of(categorical(3, count=500, groups=groups).shown(LEAST))
    found = {one.value: one for one in document.slices}
    for value in ("voice", "chat"):
        given = {name: value for name, value in dataclasses.asdict(found[value]).items() if value}
        assert set(given) == {"column", "value", "withheld"}
        # which of them is the small one is not told: with 11 rows together, one reason each would tell both sizes
        assert given["withheld"] == "under 10 rows, or would reveal a slice that is"
    assert found["forum"].rows == 434


def test_all_revisions_withhold_the_same_slices():
    first, second = (categorical(3, count=500, skill=skill).shown(LEAST).withheld for skill in (0.9, 0.2))
    assert first
    assert first == second


def test_a_minimum_that_was_raised_withholds_every_slice_until_the_result_is_counted_again():
    document = categorical(3, count=500).document(LEAST)
    assert shown_of(document, least=LEAST).slices
    raised = shown_of(document, least=LEAST + 1)
    assert not raised.slices
    assert {one.name for one in document.slices} < set(raised.withheld)
    assert shown_of(document, least=LEAST - 1).least == LEAST


@pytest.mark.django_db
def test_a_solver_over_comparisons_and_downloads_of_several_versions_computes_no_withheld_slice():
    """It is given more than comparisons tell: the joint table of all answers of every slice with a number anywhere.

    Counts, McNemar's test, differences and their intervals are functions of that table, of whichever two versions.
    """
    owner, task = make_user(), make_task("kinds", labels=["none", "threat", "graphic"])
    model = make_model("measured", owner=owner, tasks=(task,))
    approved_dataset(task, name="kinds-en", groups={**GROUPS, "family": {"odd": 200, "even": 200}})
    versions = [verified(model.revisions.get()), add_version(model, "v2"), add_version(model, "v3")]
    results = [evaluate(one, skill=skill)[0] for one, skill in zip(versions, (0.9, 0.6, 0.4), strict=True)]
    shown = set(told(owner, results))
    answers = Answers.of(results)
    withheld = answers.slices - shown
    assert {SliceName("source", "voice"), SliceName("source", "chat")} == withheld
    assert SliceName("family", "odd") in shown
    for one in withheld:
        for what, (low, high) in answers.bounds(shown, one).items():
            assert high - low >= 1, f"{one}: {low} to {high} {what}"
    # it would compute one of them if anything told the numbers of the other
    careless = answers.bounds(shown | {SliceName("source", "chat")}, SliceName("source", "voice"))
    assert all(low == pytest.approx(high) for low, high in careless.values())
    assert 0 < round(careless["rows"][0]) < LEAST


def told(owner: Any, results: Sequence[Evaluation]) -> Iterator[SliceName]:
    """The slices of which any number stands in a comparison, a document, merged or not, or a download."""
    client = Client()
    client.force_login(owner)
    base = "/api/v1/models/measured/revisions"
    for one in results:
        version = one.revision.version
        document = f"{base}/{version}/evaluations/kinds/kinds-en"
        for query in ("", "?merge=threat&merge=graphic", *(f"?with={other.revision.version}" for other in results)):
            answer = client.get(document + query)
            if answer.status_code == 409 and query == f"?with={version}":
                continue  # with itself
            assert answer.status_code == 200, answer.content
            yield from numbered(answer.json())
        files = {
            kind: client.get(f"{base}/{version}/evaluations.{kind}").content for kind in ("csv", "json", "parquet")
        }
        lines = [
            *csv.DictReader(io.StringIO(files["csv"].decode())),
            *json.loads(files["json"]),
            *pq.read_table(io.BytesIO(files["parquet"])).to_pylist(),
        ]
        for line in lines:
            if line["scope"] == "slice" and any(
                line[name] not in {None, ""} for name in ("value", "low", "high", "rows")
            ):
                yield SliceName(*line["name"].split("=", 1))
    for other in results[1:]:
        where = f"/models/measured/versions/{other.revision.version}/evaluations/{other.task_id}/kinds-en/"
        page = client.get(f"{where}?with=v1.0.0").content.decode()
        assert "source: forum</th>" in page  # the comparison by slice
        assert "source: voice</th>" not in page
        assert "source: chat</th>" not in page


def numbered(document: Any) -> Iterator[SliceName]:
    """The slices that have a number in an answer of the API."""
    if isinstance(document, list):
        for one in document:
            yield from numbered(one)
    elif isinstance(document, Mapping):
        if {"column", "value"} <= document.keys() and any(
            isinstance(value, int | float) or value for name, value in document.items() if name not in WORDS_OF_SLICES
        ):
            yield SliceName(document["column"], document["value"])
        for one in document.values():
            yield from numbered(one)


WORDS_OF_SLICES = {"column", "value", "withheld", "metric", "is_worst", "is_low", "is_significant"}


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """What several versions said to the same rows.

    Attributes:
        names: of each combination of slices that occurs.
        combination: of each row.
        cells: the label and the answers of each version that occur together.
        cell: of each row.
    """

    names: Sequence[frozenset[SliceName]]
    combination: np.ndarray
    cells: np.ndarray
    cell: np.ndarray

    @classmethod
    def of(cls, results: Sequence[Evaluation]) -> Answers:
        """Of the kept predictions, which nobody is given."""
        kept = [read(one.predictions_digest) for one in results]
        columns = slice_columns_of(results[0].dataset).values
        combinations, combination = np.unique(kept[0].slices, axis=0, return_inverse=True)
        names = [
            frozenset(
                SliceName(column, values[place]) for (column, values), place in zip(columns.items(), one, strict=True)
            )
            for one in combinations
        ]
        cells, cell = np.unique(np.stack([kept[0].true, *(one.predicted for one in kept)]), axis=1, return_inverse=True)
        return cls(names, combination.ravel(), cells, cell.ravel())

    @property
    def slices(self) -> set[SliceName]:
        """All of them."""
        return {name for names in self.names for name in names}

    def bounds(self, shown: Iterable[SliceName], wanted: SliceName) -> dict[str, tuple[float, float]]:
        """The least and the greatest of what is counted in a slice that agree with the tables of those shown.

        Unknown are the rows of each combination of slices and cell; known is that no slice is empty.
        """
        sizes = (len(self.names), self.cells.shape[1])
        table = np.zeros(sizes)
        np.add.at(table, (self.combination, self.cell), 1)
        equal, values = [], []
        for rows in (np.ones(len(self.names)), *(self._members(name) for name in shown)):
            equal.append(csr_array(np.kron(rows, np.eye(sizes[1]))))
            values.append(rows @ table)
        hidden = self.slices - set(shown)
        filled = np.stack([-np.kron(self._members(name), np.ones(sizes[1])) for name in sorted(hidden)])
        true, first, second = self.cells[:3]
        counted = {
            "rows": np.ones(sizes[1]),
            "right by the first": true == first,
            "right by the second": true == second,
            "on which they differ": first != second,
        }
        found = {}
        for what, cells in counted.items():
            aim = np.kron(self._members(wanted), cells.astype(float))
            ends = []
            for sign in (1, -1):
                solved = linprog(
                    sign * aim,
                    A_ub=filled,
                    b_ub=-np.ones(len(hidden)),
                    A_eq=vstack(equal),
                    b_eq=np.concatenate(values),
                    bounds=(0, None),
                )
                assert solved.status == 0, solved.message
                ends.append(sign * solved.fun)
            found[what] = (ends[0], ends[1])
        return found

    def _members(self, name: SliceName) -> np.ndarray:
        return np.array([float(name in names) for names in self.names])


@async_to_sync
async def read(digest: str) -> Predictions:
    """Kept predictions that were written in one part."""
    store = ArtifactStore.local(settings.MOP_HOME / "artifacts")
    (part,) = [one async for one in each_part(store, digest)]
    return part
