"""The headline of a load test: its best step, what limits it, and what makes two results differ."""

from __future__ import annotations

import pytest

from mop.accounts.models import User
from mop.loadtest.headline import differences, headline_of, standings_of
from mop.registry.models import Revision
from support.factories import make_model
from support.load_tests import enabled, finished, step_result


@pytest.fixture
def revision(owner: User) -> Revision:
    found = make_model("toxicity", owner=owner).revisions.get()
    Revision.objects.filter(pk=found.pk).update(status="verified")
    found.refresh_from_db()
    return found


def test_the_best_step_is_the_fastest_that_did_not_fail(revision: Revision):
    steps = [step_result(1, 50.0), step_result(10, 400.0), step_result(20, 900.0, failed=5000)]
    test = finished(enabled(revision), steps, ended="failing")
    headline = headline_of(test, steps)
    assert headline is not None
    assert (headline.target, headline.rps) == (10, 400.0)
    assert standings_of([revision])[revision.pk].headline.target == 10


def test_a_test_of_failures_alone_has_no_headline(revision: Revision):
    steps = [step_result(1, 50.0, failed=5000)]
    test = finished(enabled(revision), steps, ended="failing")
    assert headline_of(test, steps) is None
    assert standings_of([revision])[revision.pk].headline is None


def test_a_doubt_about_the_best_step_is_told(revision: Revision):
    steps = [step_result(1, 50.0), step_result(10, 400.0, doubts=["cpu: the generator was busy"])]
    headline = headline_of(finished(enabled(revision), steps), steps)
    assert headline is not None
    assert headline.doubts == ("cpu: the generator was busy",)


def test_what_makes_two_results_differ_is_named(revision: Revision):
    one = finished(enabled(revision), [step_result(1, 50.0)])
    other = finished(enabled(revision), [step_result(1, 60.0)])
    assert differences(one, other) == []
    other.plan = {**other.plan, "duration_s": 7.0}
    other.conditions = {**other.conditions, "host": "elsewhere"}
    text = "; ".join(differences(one, other))
    assert "steps of 7 s" in text
    assert "host elsewhere" in text
    other.conditions["configuration"] = {**other.conditions["configuration"], "instance_type": "Standard_NC6"}
    assert "instance type Standard_NC6" in "; ".join(differences(one, other))
