"""Gates of tasks and services on real rows: who changes what, what is read, what is kept."""

from __future__ import annotations

import html

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from golden_sets.made import supplied
from mop.accounts.services import actor_of
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.contract_runs.services import add_task, disconnect_task
from mop.datasets.services import change_dataset, delete_dataset, set_outdated
from mop.errors import ConflictError, ValidationFailedError
from mop.evaluation.comparisons import comparison
from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.results import EvaluationDocument
from mop.evaluation.services import renew_stale
from mop.golden_sets.services import delete_golden_set
from mop.loadtest.plan import Strategy
from mop.notifications.models import Notification
from mop.registry.models import Revision
from mop.registry.services import delete_revision
from mop.releases.gates.conditions import EvaluationMeasure
from mop.releases.gates.parser import parse
from mop.releases.gates.readings import metric_of
from mop.releases.gates.verdicts import Measured, Result
from mop.releases.judging import gate_document, judge_changed, keep_report, revisions_to_judge
from mop.releases.models import GateReport, Policy, Service, ServiceKind
from mop.releases.selectors import current_report
from mop.releases.services import change_gate, change_service, check_conditions, create_service
from support.evaluation_results import add_version, approved_dataset, evaluate, verified
from support.factories import ACTOR, make_model, make_task, make_user, put
from support.load_tests import enabled, finished, step_result
from support.releases import live, make_service, releasable

pytestmark = pytest.mark.django_db


def _verified(*tasks: Task) -> Revision:
    model = make_model(tasks=tasks, load_test_option="off")
    put(model.revisions.all(), status="verified")
    return model.revisions.get()


def _service(name: str = "Content Safety") -> Service:
    admin = make_user(is_administrator=True)
    return create_service(actor=ACTOR, user=admin, name=name, kind=ServiceKind.AACS, admins=[admin])


def test_a_gate_is_versioned_and_the_second_editor_is_told() -> None:
    task = make_task()
    first = change_gate(actor=ACTOR, owner=task, conditions="all datasets: macro F1 >= 0.8\r\n", number=0)
    assert (first.number, first.conditions) == (1, "all datasets: macro F1 >= 0.8")
    same = change_gate(actor=ACTOR, owner=task, conditions="all datasets: macro F1 >= 0.8", number=1)
    assert same == first
    second = change_gate(actor=ACTOR, owner=task, conditions="", number=1)
    assert second.number == 2
    with pytest.raises(ConflictError, match="meanwhile"):
        change_gate(actor=ACTOR, owner=task, conditions="open findings <= 3", number=1)
    events = AuditEvent.objects.filter(action="task.gate_changed").order_by("pk")
    assert [event.data["number"] for event in events] == [1, 2]


def test_conditions_that_can_not_be_meant_are_refused_with_their_places() -> None:
    task = make_task(taxonomy="Hate")
    with pytest.raises(ValidationFailedError) as caught:
        change_gate(actor=ACTOR, owner=task, conditions="all datasets: macro F1 >= 80\nfoo")
    assert [fault[:6] for fault in caught.value.fields["conditions"]] == ["Line 1", "Line 2"]
    with pytest.raises(ValidationFailedError, match="taxonomy Hate, not of Sexual"):
        change_gate(actor=ACTOR, owner=task, conditions='taxonomy "Sexual", open findings <= 3')


@pytest.mark.parametrize(
    ("name", "hint"),
    [("hate", "Did you mean “Hate”?"), ("Self harm", "Did you mean “Self-harm”?"), ("Spam", "Known are")],
)
def test_a_service_has_no_condition_of_a_taxonomy_that_does_not_exist(name: str, hint: str) -> None:
    service = _service()
    text = f'taxonomy "Hate", open findings <= 3\ntaxonomy "{name}", all datasets: macro F1 >= 0.9'
    for owner in (service, None):
        with pytest.raises(ValidationFailedError, match=f"no taxonomy “{name}”") as caught:
            check_conditions(owner, text)
        assert hint in caught.value.fields["conditions"][0]
    with pytest.raises(ValidationFailedError):
        change_gate(actor=ACTOR, owner=service, conditions=text)
    assert not service.gate_versions.exists()


def test_a_service_keeps_at_least_one_admin() -> None:
    service = _service()
    with pytest.raises(ValidationFailedError, match="at least one admin"):
        change_service(actor=ACTOR, service=service, description="", contact="", policy=Policy.WARN, admins=[])
    with pytest.raises(ValidationFailedError):
        _service(service.name)


def test_load_tests_are_read_at_the_step_that_the_condition_names() -> None:
    revision = _verified(make_task())
    put(Revision.objects.filter(pk=revision.pk), load_test_option=Strategy.PER_CONCURRENCY.value)
    steps = [
        step_result(1, rps=50.0),
        step_result(10, rps=200.0),
        step_result(20, rps=220.0, failed=3),
        step_result(30, rps=300.0, doubts=("the generator was late",)),
    ]
    finished(enabled(revision), steps)
    task = revision.model.connections.get().task
    lines = {
        "load test: actual RPS >= 200 RPS": "pass",
        "load test PerConcurrency: actual RPS > 200 RPS": "fail",
        "load test: latency P99 at 210 RPS <= 1000 ms": "pass",
        "load test: latency P99 at 300 RPS <= 1000 ms": "not measured",
        "load test PerRPS: actual RPS >= 1 RPS": "not measured",
        "load test: actual RPS >= 1 times the previous release": "not measured",
        "load test: actual RPS >= 1 times the previous release or none": "pass",
    }
    change_gate(actor=ACTOR, owner=task, conditions="\n".join(lines))
    document = gate_document(revision)
    assert {row.condition: row.result for row in document.rows} == lines
    assert document.result is Result.FAIL


def test_a_metric_is_compared_with_the_live_release_on_the_same_rows(client: Client) -> None:
    task = make_task("kinds", taxonomy="Violence", labels=["none", "threat", "graphic"])
    approved_dataset(task, name="kinds-en")
    model = make_model(tasks=(task,), load_test_option="off")
    first, second = model.revisions.get(), add_version(model, "v2.0.0")
    before, now = (evaluate(verified(one), skill=skill)[0] for one, skill in ((first, 0.6), (second, 0.8)))
    assert now.macro_f1 is not None
    assert before.macro_f1 is not None
    found = now.macro_f1 / before.macro_f1
    change = comparison(before, now).metrics["macro_f1"].interval
    assert change is not None
    ends = [1 + end / before.macro_f1 for end in (change.low, change.high)]
    assert 1 < ends[0] < found < ends[1]
    measure = "all datasets: macro F1"
    lines = {
        f"{measure} >= {ends[0] - 0.02:.4f} times the previous release": "pass",
        f"{measure} >= {found - 0.001:.4f} times the previous release": "pass, close",
        f"{measure} >= {found + 0.01:.4f} times the previous release": "fail",
    }
    change_gate(actor=ACTOR, owner=task, conditions="\n".join(lines))
    service = make_service()
    nothing = gate_document(second, service).rows
    assert {(row.result, part.reason) for row in nothing for part in row.parts} == {
        ("not measured", "There is no previous release.")
    }
    live(releasable(first), service)
    rows = gate_document(second, service).rows
    reasons = [part.reason for row in rows for part in row.parts]
    assert [row.result for row in rows] == [*lines.values()], reasons
    for row in rows:
        (part,) = row.parts
        assert [part.value, part.low, part.high] == pytest.approx([found, *ends])
    client.force_login(model.owners.get())
    address = reverse("releases:gates", args=[model.name, "v2.0.0"])
    page = client.get(address, {"service": service.name}).content.decode()
    assert page.count('class="ci__thr"') == 3
    assert [page.count(f'class="ci {look}"') for look in ("c-ok", "c-warn", "c-bad")] == [1, 1, 1]
    type(before).objects.filter(pk=before.pk).update(dataset_digest="ab" * 32)
    other = {part.reason for row in gate_document(second, service).rows for part in row.parts}
    assert other == {"The previous release was measured on other rows."}


def test_a_metric_of_levels_is_over_the_levels_that_rows_of_the_dataset_have() -> None:
    levels = ("none", "threat", "graphic")
    counts = np.array([[50, 5, 3, 0], [4, 30, 6, 0], [0, 0, 0, 0]])
    matrix = ConfusionMatrix(levels, (), counts)
    document = EvaluationDocument(matrix, levels, {}, None, (), (), {}, 10)
    (condition,) = parse("all datasets: macro F1 >= 0.5")
    assert isinstance(condition.measure, EvaluationMeasure)
    found = metric_of(document, None, condition.measure)
    assert isinstance(found, Measured)
    assert found.value == pytest.approx((2 * 50 / (58 + 54) + 2 * 30 / (40 + 35)) / 2)


def test_the_ratio_of_a_metric_of_levels_has_no_interval_of_another_problem() -> None:
    task = make_task(taxonomy="Violence", label_type="Ordinal", labels=["none", "threat", "graphic"])
    approved_dataset(task)
    model = make_model(tasks=(task,), load_test_option="off")
    first, second = model.revisions.get(), add_version(model, "v2.0.0")
    for revision, skill in ((first, 0.6), (second, 0.8)):
        evaluate(verified(revision), skill=skill)
    measure = "all datasets: macro F1"
    conditions = f"{measure} >= 0.1\n{measure} >= 0.5 times the previous release"
    change_gate(actor=ACTOR, owner=task, conditions=conditions)
    service = make_service()
    live(releasable(first), service)
    value, ratio = (row.parts[0] for row in gate_document(second, service).rows)
    before = gate_document(first, service).rows[0].parts[0]
    assert value.value is not None
    assert before.value is not None
    assert value.low is not None
    assert ratio.value == pytest.approx(value.value / before.value)
    assert (ratio.low, ratio.high) == (None, None)


def test_two_services_do_not_look_the_same() -> None:
    _service("Content Safety")
    with pytest.raises(ValidationFailedError) as caught:
        _service("Content Safety ")
    assert set(caught.value.fields) == {"name"}


def test_conditions_of_a_service_concern_its_taxonomies_and_findings_are_asked_once() -> None:
    hate, sexual = make_task(taxonomy="Hate"), make_task(taxonomy="Sexual")
    revision = _verified(hate, sexual)
    service = _service()
    change_gate(actor=ACTOR, owner=hate, conditions="DSAT pass rate >= 95 % or none")
    change_gate(
        actor=ACTOR,
        owner=service,
        conditions='open findings <= 3\ntaxonomy "Sexual", golden set pass rate >= 95 %\nDSAT pass rate >= 90 %',
    )
    rows = [(row.source, row.task, row.measure) for row in gate_document(revision, service).rows]
    assert sorted(rows) == sorted(
        [
            ("task", hate.name, "DSAT pass rate"),
            ("service", "", "open findings"),
            ("service", hate.name, "DSAT pass rate"),
            ("service", sexual.name, "DSAT pass rate"),
            ("service", sexual.name, "golden set pass rate"),
        ]
    )
    assert [row.source for row in gate_document(revision).rows] == ["task"]


def test_one_report_is_kept_for_each_state_of_the_evidence() -> None:
    task = make_task()
    revision = _verified(task)
    first = keep_report(revision, None)
    assert first.result == "pass"
    assert keep_report(revision, None) == first
    change_gate(actor=ACTOR, owner=task, conditions="DSAT pass rate >= 95 %")
    second = keep_report(revision, None)
    assert (second.result, GateReport.objects.count()) == ("not measured", 2)
    assert current_report(revision, None) == second
    # a gate of the same text is another version of it, so another state
    change_gate(actor=ACTOR, owner=task, conditions="")
    assert keep_report(revision, None).result == "pass"
    assert GateReport.objects.filter(is_current=True).count() == 1


def test_what_changed_is_judged_again_and_nothing_else() -> None:
    task, service = make_task(), _service()
    revision, other = _verified(task), _verified(make_task())
    waiting = make_model(tasks=(task,)).revisions.get()
    change_gate(actor=ACTOR, owner=service, conditions="open findings <= 3")
    assert set(revisions_to_judge()) == {revision, other}
    assert judge_changed() == 2
    assert GateReport.objects.filter(service=service).count() == 2
    assert not waiting.gate_reports.exists()
    # evidence that ended within the last minutes is judged once more, because its transaction may still have been open
    GateReport.objects.update(covers_until=timezone.now())
    assert set(revisions_to_judge()) == set()
    change_gate(actor=ACTOR, owner=task, conditions="DSAT pass rate >= 95 %")
    assert set(revisions_to_judge()) == {revision}


@pytest.mark.parametrize(
    "take_away", ["set aside", "unbound", "deleted", "disconnected", "connected", "golden set", "stale"]
)
def test_what_is_taken_away_is_judged_again_too(take_away: str) -> None:
    task, second, third = make_task(), make_task(taxonomy="Sexual"), make_task(taxonomy="Violence")
    dataset = approved_dataset(task)
    revision = verified(_verified(task, second))
    evaluate(revision)
    golden_set = supplied(task).golden_set
    judge_changed()
    GateReport.objects.update(covers_until=timezone.now())
    assert set(revisions_to_judge()) == set()
    owner = actor_of(dataset.owners.get())
    match take_away:
        case "set aside":
            set_outdated(actor=owner, dataset=dataset)
        case "unbound":
            change_dataset(actor=owner, dataset=dataset, tasks=[])
        case "deleted":
            delete_dataset(actor=owner, dataset=dataset)
        case "disconnected":
            disconnect_task(actor=ACTOR, model=revision.model, task=second)
        case "connected":
            add_task(actor=ACTOR, model=revision.model, task=third)
        case "golden set":
            delete_golden_set(actor=ACTOR, golden_set=golden_set)
        case "stale":
            put(Revision.objects.filter(pk=revision.pk), environment_key="ef" * 32)
            renew_stale()
    assert set(revisions_to_judge()) == {revision}


def test_with_a_dataset_goes_what_was_told_of_its_results() -> None:
    task = make_task()
    gone, kept = approved_dataset(task, name="gone-1"), approved_dataset(task, name="kept-1")
    change_gate(actor=ACTOR, owner=task, conditions="all datasets: macro F1 >= 0.1")
    revision = verified(_verified(task))
    evaluate(revision)
    judge_changed()
    change_gate(actor=ACTOR, owner=task, conditions="all datasets: macro F1 >= 0.2")
    judge_changed()

    def told(name: str) -> list[int]:
        reports = [str(one) for one in GateReport.objects.values_list("document", flat=True)]
        news = Notification.objects.filter(kind__in=["evaluationFinished", "datasetMeasured"])
        titles = news.values_list("title", flat=True)
        return [sum(name in text for text in found) for found in (reports, titles)]

    assert told("gone-1") == told("kept-1") == [2, 2]  # of the model's owner, and of the dataset's
    delete_dataset(actor=actor_of(gone.owners.get()), dataset=gone)
    assert told("gone-1") == [0, 0]
    judge_changed()
    assert told("kept-1") == [1, 2]
    add_version(revision.model, "v2")
    delete_revision(actor=ACTOR, revision=revision)
    assert told("kept-1") == [0, 0]
    assert kept.bindings.exists()


def test_the_editor_writes_a_condition_from_choices_and_saves_what_is_right(client: Client) -> None:
    owner = make_user()
    task = make_task(owners=[owner], label_type="Ordinal", labels=["low", "mid", "high"])
    client.force_login(owner)
    address = reverse("releases:task_conditions", args=[task.pk])
    choices = {
        "new-measure": "recall of label",
        "new-label_name": "1",
        "new-datasets": "all datasets",
        "new-partition": 'partition "low" | "mid", "high"',
        "new-comparison": ">=",
        "new-threshold": "82 %",
        "add": "1",
        "conditions": "open findings <= 3",
        "number": "0",
    }
    line = 'all datasets, partition "low" | "mid", "high": recall of label "1" >= 0.82'
    shown = client.post(address, choices)
    assert shown.status_code == 200
    assert shown.context["form"].initial["conditions"] == f"open findings <= 3\n{line}"
    wrong = client.post(address, choices | {"new-threshold": "82"})
    assert wrong.context["form"].initial["conditions"] == "open findings <= 3"
    assert "Write 82 %." in wrong.content.decode()
    refused = client.post(address, {"conditions": "all datasets: F1 > 0.5", "number": "0"})
    assert refused.status_code == 422
    assert "F1 of what?" in refused.content.decode()
    saved = client.post(address, {"conditions": line, "number": "0"})
    assert saved.status_code == 302
    assert line in html.unescape(client.get(reverse("catalog:task", args=[task.pk])).content.decode())


def test_the_pages_of_gates_ask_a_fixed_number_of_questions(client: Client, django_assert_max_num_queries) -> None:
    tasks = [make_task(taxonomy=name) for name in ("Hate", "Sexual", "Violence")]
    revision = _verified(*tasks)
    service = _service()
    conditions = "\n".join(f"all datasets: macro F1 >= 0.{number}" for number in range(10, 60))
    for owner in (*tasks, service):
        change_gate(actor=ACTOR, owner=owner, conditions=conditions)
    client.force_login(make_user(is_administrator=True))
    address = reverse("releases:gates", args=[revision.model.name, revision.version])
    with django_assert_max_num_queries(30):
        page = client.get(address, {"service": service.name})
    assert page.status_code == 200
    assert page.content.decode().count("The task has no approved dataset.") == 300
