"""Places, rank percentiles and leaderboards."""

from __future__ import annotations

import uuid

import pytest

from mop.catalog.models import Task
from mop.datasets.models import Binding
from mop.evaluation.ranking import leaderboard, percentiles, places, rank_of, standings
from mop.registry.models import Model
from mop.registry.publishing import publish_revision, set_outdated
from support.evaluation_results import add_version, approved_dataset, evaluate, verified
from support.factories import ACTOR, make_model, make_task

A, B, C = (uuid.UUID(int=number) for number in (1, 2, 3))


def test_ties_share_the_better_place():
    assert places([(A, 0.9), (B, 0.9), (C, 0.5)]) == {A: 1, B: 1, C: 3}
    assert places([(A, 0.9), (B, 0.7), (C, 0.7)]) == {A: 1, B: 2, C: 2}


def test_a_percentile_is_the_average_over_datasets_of_place_by_number():
    found = percentiles({"x": [(A, 0.9), (B, 0.8), (C, 0.8)], "y": [(A, 0.1), (B, 0.2)], "z": [(A, None), (C, 0.5)]})
    assert found[A] == (pytest.approx((1 / 3 + 2 / 2) / 2), 2)
    assert found[B] == (pytest.approx((2 / 3 + 1 / 2) / 2), 2)
    assert found[C] == (pytest.approx((2 / 3 + 1 / 1) / 2), 2)


def test_a_version_stands_among_all_that_are_ranked_for_the_task():
    found = standings({"x": [(A, 0.9), (B, 0.8), (C, 0.8)]})
    assert [(found[key].place, found[key].of) for key in (A, B, C)] == [(1, 3), (2, 3), (2, 3)]


@pytest.fixture
def task(db: None) -> Task:
    return make_task("kinds", labels=["none", "threat"])


@pytest.fixture
def model(task: Task) -> Model:
    return make_model("measured", tasks=(task,))


def test_a_private_version_is_ranked_for_its_viewer_and_counts_for_nobody_else(model: Model, task: Task):
    approved_dataset(task, name="one", groups={})
    public = verified(model.revisions.get())
    evaluate(public, skill=0.6, keeps=False)
    publish_revision(actor=ACTOR, revision=public)
    private = add_version(model, "v2")
    evaluate(private, skill=0.95, keeps=False)
    of_private = {row.metric: row.standing for row in rank_of(private, average="macro")}
    assert (of_private["f1"].place, of_private["f1"].of) == (1, 2)
    of_public = {row.metric: row.standing for row in rank_of(public, average="macro")}
    assert (of_public["f1"].place, of_public["f1"].of, of_public["f1"].percentile) == (1, 1, 1.0)
    assert [row.revision for row in leaderboard(task, average="macro", metric="f1").rows] == [public]


def test_a_version_that_was_not_measured_everywhere_stands_below(model: Model, task: Task):
    approved_dataset(task, name="easy", groups={})
    first = verified(model.revisions.get())
    evaluate(first, skill=0.99, keeps=False)
    hard = approved_dataset(task, name="hard", groups={})
    second = add_version(model, "v2")
    evaluate(second, skill=0.6, keeps=False)
    for revision in (first, second):
        publish_revision(actor=ACTOR, revision=revision)
    rows = leaderboard(task, average="macro", metric="f1").rows
    assert [(row.revision.version, row.place, row.datasets) for row in rows] == [("v2", 1, 2), ("v1.0.0", 2, 1)]
    Binding.objects.filter(dataset=hard).update(state="rejected")
    rows = leaderboard(task, average="macro", metric="f1").rows
    assert [row.revision.version for row in rows] == ["v1.0.0", "v2"]


def test_a_version_that_was_set_aside_leaves_the_leaderboard(model: Model, task: Task):
    approved_dataset(task, name="one", groups={})
    revision = verified(model.revisions.get())
    evaluate(revision, keeps=False)
    publish_revision(actor=ACTOR, revision=revision)
    assert len(leaderboard(task, average="macro", metric="f1").rows) == 1
    set_outdated(actor=ACTOR, revision=revision)
    assert leaderboard(task, average="macro", metric="f1").rows == []
