"""`mop evaluation`: what it prints, its JSON, and how it ends."""

from __future__ import annotations

import pytest
from django.utils import timezone

from cli.conftest import Mop
from mop.accounts.models import User
from mop.catalog.models import Task
from mop.cli import evaluation_verify
from mop.errors import HostLostError
from mop.evaluation.checks import Check
from mop.evaluation.models import Evaluation
from mop.evaluation.services import start_missing
from mop.registry.models import Model, Revision
from mop_client.cli import evaluation as commands
from support.evaluation_results import add_version, approved_dataset, evaluate, failed, verified
from support.factories import ACTOR, make_model, make_task, publish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("engine_database")]


@pytest.fixture
def task() -> Task:
    return make_task("kinds", taxonomy="Violence", labels=["none", "threat", "graphic"])


@pytest.fixture
def measured(user: User, task: Task) -> Model:
    return make_model("measured", owner=user, tasks=(task,))


@pytest.fixture
def row(measured: Model, task: Task) -> Evaluation:
    approved_dataset(task, name="kinds-en")
    (found,) = evaluate(verified(measured.revisions.get()))
    return found


def test_list_prints_a_line_for_each_dataset_and_its_json(row: Evaluation, task: Task, mop: Mop):
    approved_dataset(task, name="waiting", groups={})
    start_missing(actor=ACTOR, revision=Revision.objects.get())
    done = mop("evaluation", "list", "measured", "v1.0.0")
    assert done.code == 0
    head, first, second = done.out.splitlines()
    assert head.split()[:4] == ["DATASET", "TASK", "STATUS", "HEADLINE"]
    assert first.split()[:4] == ["kinds-en", "kinds", "finished", f"{row.headline:.4f}"]
    assert second.split()[:3] == ["waiting", "kinds", "queued"]
    items = mop("evaluation", "list", "measured", "v1.0.0", "--json").json["items"]
    assert [one["status"] for one in items] == ["finished", "queued"]


def test_list_reads_every_page(row: Evaluation, task: Task, mop: Mop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop_client.cli.client.PAGE", 1)
    approved_dataset(task, name="waiting", groups={})
    start_missing(actor=ACTOR, revision=Revision.objects.get())
    assert len(mop("evaluation", "list", "measured", "v1.0.0", "--json").json["items"]) == 2


def test_list_sorts_by_a_metric(row: Evaluation, task: Task, mop: Mop):
    for number, skill in enumerate((0.5, 0.97)):
        approved_dataset(task, name=f"further-{number}")
        evaluate(row.revision, skill=skill)
    approved_dataset(task, name="waiting", groups={})
    start_missing(actor=ACTOR, revision=row.revision)
    found = mop("evaluation", "list", "measured", "v1.0.0", "--sort", "recall", "--average", "weighted")
    assert "WEIGHTED RECALL" in found.out.splitlines()[0]
    items = mop("evaluation", "list", "measured", "v1.0.0", "--sort", "Recall", "--average", "weighted", "--json").json
    values = [one["metrics"].get("weighted_recall") for one in items["items"]]
    assert values[-1] is None
    assert values[:-1] == sorted(values[:-1], reverse=True)
    assert len(set(values)) == 4
    assert [line.split()[0] for line in found.out.splitlines()[1:]] == [one["dataset"] for one in items["items"]]


def test_the_leaderboard_of_a_task_names_the_best_of_each_dataset(measured: Model, task: Task, mop: Mop):
    approved_dataset(task, name="kinds-en")
    rows = [*evaluate(verified(measured.revisions.get())), *evaluate(add_version(measured, "v2.0.0"), skill=0.97)]
    assert mop("task", "leaderboard", "kinds", "--json").json["items"] == []  # no version is public
    publish(measured)
    best = max(rows, key=lambda one: one.macro_recall)
    done = mop("task", "leaderboard", "kinds", "--metric", "recall")
    lines = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert lines[0] == ["PLACE", "MODEL", "VERSION", "RECALL", "DATASETS"]
    assert lines[1] == ["1", "measured", best.revision.version, f"{best.macro_recall:.4f}", "1"]
    assert lines[-1] == ["kinds-en", "measured", best.revision.version, f"{best.macro_recall:.4f}"]
    found = mop("task", "leaderboard", "kinds", "--label", "threat", "--json").json
    assert (found["label"], len(found["items"])) == ("threat", 2)


def test_results_on_a_dataset_are_those_of_public_versions(row: Evaluation, measured: Model, mop: Mop):
    assert mop("dataset", "results", "kinds-en", "--json").json == {"items": []}
    publish(measured)
    done = mop("dataset", "results", "kinds-en")
    assert [line.split() for line in done.out.splitlines()] == [
        ["MODEL", "VERSION", "TASK", "HEADLINE"],
        ["measured", "v1.0.0", "kinds", f"{row.headline:.4f}"],
    ]


def test_show_prints_report_and_slices_and_merges_labels(row: Evaluation, mop: Mop):
    done = mop("evaluation", "show", "measured", "v1.0.0", "kinds-en")
    assert done.code == 0
    (line,) = [line for line in done.out.splitlines() if line.startswith("macro_f1 ")]
    assert line.split()[1] == f"{row.macro_f1:.4f}"
    assert "source=voice" in done.out
    assert "withheld: under 10 rows" in done.out
    merged = mop("evaluation", "show", "measured", "v1.0.0", "kinds-en", "--merge", "threat", "--merge", "graphic")
    assert "threat + graphic" in merged.out
    found = mop("evaluation", "show", "measured", "v1.0.0", "kinds-en", "--json").json
    assert found["metrics"]["macro_f1"] == row.macro_f1


def test_compare_says_what_is_significant(row: Evaluation, measured: Model, mop: Mop):
    (second,) = evaluate(add_version(measured, "v2.0.0"), skill=0.97)
    done = mop("evaluation", "compare", "measured", "v2.0.0", "v1.0.0", "kinds-en")
    assert done.code == 0
    line = next(line for line in done.out.splitlines() if line.startswith("macro_f1"))
    assert f"{second.macro_f1 - row.macro_f1:+.4f}" in line
    assert line.endswith("significant")
    assert "they differ on" in done.err + done.out
    assert mop("evaluation", "compare", "measured", "v2.0.0", "v1.0.0", "kinds-en", "--json").json["rows"] == 399
    assert mop("evaluation", "compare", "measured", "v2.0.0", "v9", "kinds-en").code != 0


@pytest.mark.parametrize("command", ["list", "watch"])
def test_an_unknown_model_is_a_fault_of_usage(mop: Mop, command: str):
    done = mop("evaluation", command, "nowhere", "v1")
    assert done.code == 64
    assert "nowhere" in done.err


def test_an_unknown_dataset_names_the_list(row: Evaluation, mop: Mop):
    done = mop("evaluation", "show", "measured", "v1.0.0", "nothing")
    assert done.code == 64
    assert "mop evaluation list measured v1.0.0" in done.err


def test_watch_ends_with_how_they_ended(row: Evaluation, task: Task, mop: Mop, monkeypatch: pytest.MonkeyPatch):
    assert mop("evaluation", "watch", "measured", "v1.0.0").code == 0
    approved_dataset(task, name="second", groups={})
    start_missing(actor=ACTOR, revision=Revision.objects.get())
    other = Evaluation.objects.get(dataset__name="second")

    def ends(_seconds: float) -> None:
        for _ in range(6):
            failed(Evaluation.objects.get(pk=other.pk), HostLostError("No host has room."))

    monkeypatch.setattr(commands.time, "sleep", ends)
    done = mop("evaluation", "watch", "measured", "v1.0.0", "--json")
    assert done.code == 1
    assert "second: queued" in done.err
    assert "second: failed" in done.err
    assert {one["status"] for one in done.json["items"]} == {"finished", "failed"}
    Evaluation.objects.filter(pk=other.pk).update(state="cancelled", ended_at=timezone.now(), error=None)
    assert mop("evaluation", "watch", "measured", "v1.0.0").code == 3


def test_watch_of_a_version_without_evaluations_is_undecided(measured: Model, mop: Mop):
    assert mop("evaluation", "watch", "measured", "v1.0.0").code == 3


def test_verify_ends_with_whether_every_number_holds(row: Evaluation, mop: Mop, monkeypatch: pytest.MonkeyPatch):
    """What is computed again has tests of its own; here it is what the command makes of the checks."""
    checks = [(row, [Check("accuracy", 0.8, 0.8, holds=True), Check("F1 of none", 0.7, None, holds=False)])]

    async def found(*_arguments: object) -> list[tuple[Evaluation, list[Check]]]:
        return checks

    monkeypatch.setattr(evaluation_verify, "_verified", found)
    done = mop("evaluation", "verify", "measured", "v1.0.0")
    assert done.code == 1
    assert "F1 of none  0.7   undefined  NO" in done.out
    assert not mop("evaluation", "verify", "measured", "v1.0.0", "--json").json[0]["holds"]
    checks[0][1].pop()
    assert mop("evaluation", "verify", "measured", "v1.0.0").code == 0


def test_verify_of_what_is_not_measured_is_a_fault_of_usage(measured: Model, mop: Mop):
    done = mop("evaluation", "verify", "measured", "v1.0.0")
    assert done.code == 64
    assert "There is no finished evaluation of measured v1.0.0" in done.err


def test_a_result_is_published_withdrawn_asked_for_again_and_cancelled(row: Evaluation, mop: Mop):
    on = ("measured", "v1.0.0", "kinds-en")
    assert mop("evaluation", "publish", *on).err == "the evaluation of measured v1.0.0 on kinds-en is published\n"
    assert [one["model"] for one in mop("dataset", "results", "kinds-en", "--json").json["items"]] == ["measured"]
    assert mop("evaluation", "withdraw", *on, "--task", "kinds").code == 0
    assert mop("dataset", "results", "kinds-en", "--json").json == {"items": []}
    assert mop("evaluation", "rerun", *on, "--json").json["status"] == "queued"
    assert mop("evaluation", "cancel", *on).err.startswith("the evaluation of measured v1.0.0 on kinds-en is ")
    row.refresh_from_db()
    assert row.is_measured  # the result that stands stays
    assert mop("evaluation", "cancel", *on).code == 64
    assert mop("evaluation", "rerun", "measured", "v1.0.0", "nothing").code == 64
