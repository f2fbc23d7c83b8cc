"""Two revisions on the same rows: what is told of them, and what is not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from mop.evaluation.metrics.comparison import Paired
from mop.evaluation.metrics.slices import SliceName
from mop.evaluation.reports.comparison import comparison_of, slice_difference
from mop.evaluation.reports.document import report_of
from support.measurements import categorical, ordinal


def paired_of(first, said: np.ndarray) -> Paired:
    return Paired.from_codes(first.true, first.said, said, first.labels, first.outside)


@pytest.mark.parametrize("is_binary", [False, True])
def test_values_are_those_of_the_reports_of_each_revision(*, is_binary: bool):
    levels = ordinal(1, is_binary=is_binary)
    for first, said in ((categorical(1), categorical(1, skill=0.6).said), (levels, np.roll(levels.said, 1))):
        found = comparison_of(paired_of(first, said), first.levels)
        reports = [report_of(rows.shown()) for rows in (first, dataclasses.replace(first, said=said))]
        for name in ("accuracy", "macro_f1", "weighted_recall", reports[0].headline):
            assert found.metrics[name].first == pytest.approx(reports[0].metrics[name], abs=1e-12)
            assert found.metrics[name].second == pytest.approx(reports[1].metrics[name], abs=1e-12)


def test_a_clearly_worse_revision_is_significantly_worse():
    first, second = categorical(1, skill=0.9), categorical(1, skill=0.3)
    found = comparison_of(paired_of(first, second.said), ())
    assert found.metrics["macro_f1"].is_significant
    assert found.metrics["macro_f1"].interval.high < 0
    assert found.mcnemar < 1e-6


def test_on_a_binary_dataset_each_ordinal_revision_is_right_by_its_own_partition():
    """No level is a label there: counted by labels, neither would be right on any row, and p always 1."""
    rows = ordinal(1, count=900, is_binary=True)
    level = rows.said - 2
    said = np.where(level < 3, np.maximum(level - 1, 0), level) + 2  # mostly a level lower: another cut is its best
    said[:60] = 2
    found = comparison_of(paired_of(rows, said), rows.levels)
    cuts = [len(report_of(one.shown()).representing.lower) for one in (rows, dataclasses.replace(rows, said=said))]
    right = [
        ((one - 2 >= cut) == (rows.true == 1)) & (one - 2 < len(rows.levels))
        for one, cut in zip((rows.said, said), cuts, strict=True)
    ]
    alone = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    assert cuts[0] != cuts[1]
    assert min(alone) > 0
    assert (found.only_first_right, found.only_second_right) == alone
    assert found.mcnemar == pytest.approx(stats.binomtest(int(alone[0]), int(sum(alone))).pvalue, abs=1e-12)
    assert found.right_by == "partition"


def test_revisions_that_differ_on_few_rows_have_no_counts():
    rows = categorical(1)
    said = rows.said.copy()
    said[:9] = (said[:9] + 1) % 3
    found = comparison_of(paired_of(rows, said), ())
    assert (found.different, found.only_first_right, found.only_second_right, found.mcnemar) == (None,) * 4
    assert all(one.interval is None for one in found.metrics.values())
    said[9:30] = (said[9:30] + 1) % 3
    assert comparison_of(paired_of(rows, said), ()).different == 30


def test_a_slice_in_which_both_differ_on_few_rows_has_no_interval():
    rows = categorical(1)
    name, counts = SliceName("group", "a"), len(rows.true)
    said = rows.said.copy()
    said[:9] = (said[:9] + 1) % 3
    few = slice_difference(name, (0.7, 0.65), paired_of(rows, said), metric="macro_f1", rows=counts)
    assert (few.difference, few.interval, few.is_significant) == (pytest.approx(-0.05), None, None)
    said[9:60] = (said[9:60] + 1) % 3
    more = slice_difference(name, (0.7, 0.6), paired_of(rows, said), metric="macro_f1", rows=counts)
    assert more.interval is not None
    assert more.is_significant is not None
    assert slice_difference(name, (None, 0.6), None, metric="positive_f1", rows=counts).difference is None
