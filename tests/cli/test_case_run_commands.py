"""`mop golden-set`, `mop regression` and `mop gate`: what they print, their JSON, and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.commands import Result
from cli.conftest import Mop
from golden_sets.made import csv_file, wrong_of_them
from mop.accounts.models import User
from mop.catalog.models import Task
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.models import GoldenRun, GoldenSet
from mop.golden_sets.services import start_missing
from mop.registry.models import Model
from mop.regression.advance import REGRESSION
from mop.regression.models import RegressionRun
from mop.regression.services import start
from mop_client.cli import regression as commands
from regression.made import knows, made_case
from support.case_runs import begun, finished
from support.evaluation_results import add_version, verified
from support.factories import ACTOR, make_model, make_task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("engine_database")]


@pytest.fixture
def task(user: User) -> Task:
    return make_task("hate", owners=[user])


@pytest.fixture
def measured(user: User, task: Task) -> Model:
    """Two versions on four cases: the second fixes one and breaks one."""
    model = make_model("measured", owner=user, tasks=(task,))
    for text, label in (("bad one", "1"), ("ugly one", "1"), ("nice one", "1"), ("good one", "0")):
        made_case(task, text, submitter=user, expected_label=label)
    for revision, word in ((verified(model.revisions.get()), "bad"), (add_version(model, "v2"), "ugly")):
        run = start(actor=ACTOR, revision=revision)
        assert run is not None
        finished(REGRESSION, run, knows(word))
    return model


def test_a_golden_set_is_made_listed_shown_run_and_deleted(user: User, task: Task, mop: Mop, tmp_path: Path):
    file = tmp_path / "core.csv"
    file.write_text(csv_file())
    created = mop("golden-set", "create", "hate", "core", str(file))
    assert (created.code, "core version 1 has 4 rows" in created.err + created.out) == (0, True)
    assert mop("golden-set", "create", "hate", "core", str(file), "--json").code != 0  # nothing changed
    file.write_text(csv_file("label,text", "0,a nice day", "1,darn you"))
    assert mop("golden-set", "create", "hate", "core", str(file), "--json").json["versions"][0]["number"] == 2
    (line,) = [line for line in mop("golden-set", "list", "hate").out.splitlines() if line.startswith("core")]
    assert line.split()[:4] == ["core", "2", "2", "ada"]
    assert mop("golden-set", "list", "hate", "--json").json["items"][0]["name"] == "core"
    shown = mop("golden-set", "show", "hate", "core", "--rows")
    assert "darn you" in shown.out
    assert "rows" not in mop("golden-set", "show", "hate", "core", "--json").json
    assert len(mop("golden-set", "show", "hate", "core", "--rows", "--json").json["rows"]) == 2
    wrong = file.with_suffix(".txt")
    wrong.write_text("label,text\n")
    assert mop("golden-set", "create", "hate", "core", str(wrong)).code == 64

    model = make_model("measured", owner=user, tasks=(task,))
    assert mop("golden-set", "results", "measured", "v1.0.0").code == 3  # nothing was run yet
    verified(model.revisions.get())
    start_missing(actor=ACTOR)
    finished(GOLDEN, GoldenRun.objects.get(), lambda item: wrong_of_them({"text": item["text"].replace("you", "them")}))
    done = mop("golden-set", "results", "measured", "v1.0.0")
    assert done.code == 1
    assert "no answer: UserScriptException" in done.out
    assert mop("golden-set", "results", "measured", "v1.0.0", "--json").json["items"][0]["failed"] == 2
    assert mop("golden-set", "run", "measured", "v1.0.0", "--json").json["items"][0]["status"] == "queued"
    assert mop("golden-set", "results", "measured", "v1.0.0").code == 1  # the result stands until the next
    assert mop("golden-set", "delete", "hate", "core", "--yes", "--json").json == {
        "golden_set": "core",
        "deleted": True,
    }
    assert not GoldenSet.objects.exists()


def test_regression_show_prints_rates_what_changed_and_ends_with_1(measured: Model, mop: Mop):
    done = mop("regression", "show", "measured", "v2")
    assert done.code == 1
    told = done.out + done.err
    assert "1 newly fixed, 1 newly broken of 4 cases in common; not significant" in told
    assert [line.split()[1:3] for line in done.out.splitlines() if line.startswith("DSAT-")] == [
        ["still", "failing"],
        ["newly", "fixed"],
        ["newly", "broken"],
    ]
    every = mop("regression", "show", "measured", "v2", "--cases").out
    assert sum(line.startswith("DSAT-") for line in every.splitlines()) == 4
    found = mop("regression", "show", "measured", "v2", "--with", "v1.0.0", "--json").json
    assert (found["passed"], found["comparison"]["broken"], len(found["outcomes"])) == (2, 1, 4)
    assert mop("regression", "show", "measured", "v3").code == 64


def test_regression_run_and_watch_follow_a_test_to_its_end(measured: Model, mop: Mop, monkeypatch: pytest.MonkeyPatch):
    assert mop("regression", "run", "measured", "v2", "--json").json["status"] == "queued"
    assert mop("regression", "run", "measured", "v2").code == 64  # one waits already
    assert mop("regression", "cancel", "measured", "v2", "--json").json["status"] == "cancelled"
    assert mop("regression", "run", "measured", "v2").code == 0
    assert mop("regression", "show", "measured", "v2", "--json").json["is_final"] is False
    run = RegressionRun.objects.get(revision__version="v2")

    def end(_seconds: float) -> None:
        run.refresh_from_db()
        if run.state == "queued":
            begun(REGRESSION, run)
        elif run.state == "running":
            finished(REGRESSION, run, knows("bad", "ugly", "nice"))

    monkeypatch.setattr(commands.time, "sleep", end)
    watched = mop("regression", "watch", "measured", "v2")
    assert watched.code == 0
    assert [line for line in watched.err.splitlines() if line.split()[0] in {"queued", "running", "finished"}] == [
        "queued",
        "running 0 %",
        "finished",
    ]
    assert mop("regression", "watch", "measured", "v2", "--json").json["passed"] == 4
    assert mop("regression", "show", "measured", "v2").code == 0


def test_watch_waits_for_a_test_that_starts_by_itself_and_for_no_other(
    user: User, task: Task, mop: Mop, monkeypatch: pytest.MonkeyPatch
):
    """Right after `--watch` of an upgrade the version is verified, and the stages before its regression test come."""
    revision = make_model("new", owner=user, tasks=(task,)).revisions.get()
    coming = iter((lambda: verified(revision), lambda: None, lambda: start(actor=ACTOR, revision=revision)))

    def goes_on(_seconds: float) -> None:
        if happens := next(coming, None):
            happens()
        else:
            run = RegressionRun.objects.get()
            begun(REGRESSION, run)
            finished(REGRESSION, run, knows("bad"))

    monkeypatch.setattr(commands.time, "sleep", goes_on)
    watched = mop("regression", "watch", "new", "v1.0.0")
    assert watched.code == 0
    assert [line for line in watched.err.splitlines() if line.startswith(("not started", "queued", "finished"))] == [
        "not started: the version is created",
        "not started: earlier stages come first",
        "queued",
        "finished",
    ]
    # where it is not enabled none comes
    disabled = add_version(revision.model, "v2")
    type(disabled).objects.filter(pk=disabled.pk).update(regression_enabled=False)
    never = mop("regression", "watch", "new", "v2")
    assert (never.code, "none starts by itself" in never.err, "mop regression run new v2" in never.err) == (
        64,
        True,
        True,
    )
    assert mop("regression", "watch", "new", "v3").code == 64


def test_cases_that_a_version_passes_are_marked_as_fixed_and_closed(measured: Model, mop: Mop):
    passed = mop("regression", "show", "measured", "v2", "--json").json["outcomes"]
    numbers = sorted(one["case"] for one in passed if one["passed"])
    first = str(numbers[0])
    assert mop("regression", "fix", "measured", "v2", "--case", first, "--json").json == {"cases": [numbers[0]]}
    assert "1 case is fixed" in _told(mop("regression", "fix", "measured", "v2"))
    closed = mop("regression", "close", "measured", "v2", "--json").json["cases"]
    assert sorted(closed) == numbers
    assert "0 cases are closed" in _told(mop("regression", "close", "measured", "v2"))


def _told(done: Result) -> str:
    return done.out + done.err


def test_a_gate_of_a_task_is_set_and_judges_the_version(measured: Model, mop: Mop, tmp_path: Path):
    file = tmp_path / "gate"
    file.write_text("DSAT pass rate >= 90 %\n")
    assert mop("task", "gate", "hate", "--set", str(file), "--json").json["number"] == 1
    stopped = mop("gate", "measured", "v2")
    assert (stopped.code, "DSAT pass rate >= 90 %" in stopped.out) == (1, True)
    assert mop("gate", "measured", "v2", "--json").json["result"] == "fail"
    file.write_text("DSAT pass rate >= 10 %\n")
    assert mop("task", "gate", "hate", "--set", str(file)).code == 0
    assert mop("gate", "measured", "v2").code == 0
    file.write_text("DSAT pass rate >= 10 %\ngolden set pass rate >= 90 %\n")
    assert mop("task", "gate", "hate", "--set", str(file)).code == 0
    assert mop("gate", "measured", "v2").code == 3
