"""Cases from their input to their end: what is kept, what is refused, who is told."""

from __future__ import annotations

import json

import pytest

from mop.accounts.services import actor_of
from mop.audit.models import AuditEvent
from mop.dsat import services
from mop.dsat.models import Case, CaseContent
from mop.dsat.selectors import cases_for_regression
from mop.dsat.states import CaseState
from mop.errors import ConflictError, ValidationFailedError
from mop.notifications.models import Notification
from support.dsat import TEXT, make_case, picture
from support.factories import ACTOR, make_model, make_task, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

LEVELS = {"label_type": "Ordinal", "labels": ["0", "1", "2", "3"]}


def test_a_case_is_kept_as_a_model_item_and_its_audit_record_holds_nothing_of_it() -> None:
    case = make_case(make_task("hate"), trace_id="trace-7", description="a figure of speech", tags=[" food ", "food"])
    assert json.loads(bytes(CaseContent.objects.get(case=case).body)) == {"text": TEXT}
    assert (case.state, case.tags, case.number) == ("open", ["food"], f"DSAT-{case.pk}")
    event = AuditEvent.objects.get(object_type="dsat case", object_id=str(case.pk))
    assert event.action == "dsat_case.state"
    for secret in ("lasagne", "trace-7", "figure", "food"):
        assert secret not in json.dumps([event.data, event.object_label])


def test_an_image_gets_its_size_from_its_header() -> None:
    case = make_case(make_task(modality="Image"), content={"image": picture(size=(5, 7))})
    item = json.loads(bytes(CaseContent.objects.get(case=case).body))
    assert (item["width"], item["height"]) == (5, 7)


@pytest.mark.parametrize(
    ("modality", "content", "field", "word"),
    [
        ("Text", {}, "text", "missing"),
        ("Text", {"text": "  "}, "text", "empty"),
        ("Text", {"text": "a\0b"}, "text", "NUL"),
        ("Text", {"text": "a\ud800"}, "text", "UTF-8"),
        ("Text", {"text": "a", "image": "x"}, "image", "nothing else"),
        ("Text", {"text": "a" * 200_001}, "text", "at most"),
        ("Image", {"image": "no base64!"}, "image", "base64"),
        ("Image", {"image": "bm8gaW1hZ2U="}, "image", "no image"),
        ("ImageAndText", {"text": "look ##{image_0}", "images": []}, "text", "names 1 images"),
        ("ImageAndText", {"text": "look", "images": ["bm8="]}, "image_0", "no image"),
        ("ImageAndText", {"text": "look", "images": "x"}, "images", "list"),
    ],
)
def test_content_that_is_no_item_of_the_task_is_refused_without_quoting_it(
    modality: str, content: dict[str, object], field: str, word: str
) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        make_case(make_task(modality=modality), content=content)
    assert word in " ".join(refused.value.fields[field])
    assert "bm8" not in refused.value.message


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"expected_label": ""}, "expected_label"),
        ({"expected_label": "9"}, "expected_label"),
        ({"kind": "wrong"}, "kind"),
        ({"predicted_label": "0"}, "predicted_label"),
        ({"trace_id": "x" * 201}, "trace_id"),
        ({"tags": ["a" * 51]}, "tags"),
        ({"tags": [str(number) for number in range(21)]}, "tags"),
    ],
)
def test_labels_and_texts_keep_their_rules(given: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        make_case(make_task(), **given)
    assert list(refused.value.fields) == [field]


def test_a_service_reports_without_a_person() -> None:
    case = make_case(make_task(), reported_by_service="AACS production", expected_label="", kind="falsePositive")
    assert (case.submitter, case.reporter, case.expected_label) == (None, "AACS production", "")
    with pytest.raises(ValidationFailedError, match="Name the service"):
        services.add_case(task=make_task(), content={"text": "a"}, actor=ACTOR, expected_label="1")


def test_a_case_goes_its_way_and_people_are_told_without_its_content() -> None:
    task = make_task(owners=[owner := make_user()])
    submitter, assignee = make_user(), make_user()
    revision = make_model(owner=owner).revisions.get()
    case = make_case(task, submitter=submitter)
    services.assign(actor=actor_of(owner), case=case, to=assignee)
    services.confirm(actor=actor_of(assignee), case=case)
    case = services.mark_fixed(actor=actor_of(assignee), case=case, revision=revision)
    assert case.fixed_by == revision
    services.close(actor=actor_of(submitter), case=case)
    case = services.reopen(actor=actor_of(submitter), case=case)
    assert (case.state, case.assignee, case.fixed_by, case.attempt) == ("assigned", assignee, None, 2)
    told = {(one.recipient, one.kind) for one in Notification.objects.filter(scope_type="dsat case")}
    assert told == {(assignee, "dsatAssigned"), (submitter, "dsatFixed"), (assignee, "dsatReopened")}
    texts = " ".join(f"{one.title} {one.reason} {one.hint}" for one in Notification.objects.all())
    assert "lasagne" not in texts


def test_states_that_do_not_follow_are_refused_with_the_state_and_a_way() -> None:
    case = make_case(make_task())
    with pytest.raises(ConflictError, match="open and cannot become closed"):
        services.close(actor=ACTOR, case=case)
    with pytest.raises(ConflictError, match="cannot be reopened"):
        services.reopen(actor=ACTOR, case=case)
    services.reject(actor=ACTOR, case=case)
    with pytest.raises(ConflictError) as refused:
        services.confirm(actor=ACTOR, case=case)
    assert refused.value.hint == "Reopen the case first."
    with pytest.raises(ConflictError, match="needs no assignee"):
        services.assign(actor=ACTOR, case=case, to=make_user())


def test_an_assignee_who_leaves_an_unconfirmed_case_leaves_it_open() -> None:
    case = make_case(make_task())
    assert services.assign(actor=ACTOR, case=case, to=make_user()).state == CaseState.ASSIGNED
    assert services.assign(actor=ACTOR, case=case, to=None).state == CaseState.OPEN
    services.assign(actor=ACTOR, case=case, to=make_user())
    services.confirm(actor=ACTOR, case=case)
    with pytest.raises(ConflictError, match="somebody works on it"):
        services.assign(actor=ACTOR, case=case, to=None)


def test_a_new_expected_label_makes_a_new_edition_and_a_new_description_does_not() -> None:
    case = make_case(make_task(**LEVELS), expected_label="1")
    case = services.change_case(actor=ACTOR, case=case, change=services.CaseChange(description="why"))
    assert case.edition == 1
    case = services.change_case(actor=ACTOR, case=case, change=services.CaseChange(expected_label="2"))
    assert case.edition == 2
    with pytest.raises(ValidationFailedError, match="expected label"):
        services.change_case(actor=ACTOR, case=case, change=services.CaseChange(expected_label=""))


def test_regression_tests_take_all_but_rejected_cases_in_the_order_of_their_numbers() -> None:
    task = make_task(**LEVELS)
    first, rejected, last = (make_case(task, text=f"text {n}", expected_label="", kind="falsePositive") for n in "abc")
    services.reject(actor=ACTOR, case=rejected)
    make_case(make_task(), text="of another task")
    found = list(cases_for_regression(task))
    assert [(one.id, json.loads(one.body)) for one in found] == [
        (first.pk, {"text": "text a"}),
        (last.pk, {"text": "text c"}),
    ]
    assert [one.id for one in cases_for_regression(task, after=first.pk)] == [last.pk]


@pytest.mark.parametrize(
    ("expected", "kind", "predicted", "passes"),
    [
        ("2", "falsePositive", "2", True),
        ("2", "falsePositive", "0", False),
        ("", "falsePositive", "0", True),
        ("", "falsePositive", "1", False),
        ("", "falseNegative", "0", False),
        ("", "falseNegative", "3", True),
    ],
)
def test_a_case_passes_with_its_expected_label_or_by_its_kind(
    expected: str, kind: str, predicted: str, *, passes: bool
) -> None:
    task = make_task(**LEVELS)
    make_case(task, expected_label=expected, kind=kind)
    (case,) = cases_for_regression(task)
    assert case.passes(predicted) is passes


def test_the_database_itself_refuses_a_case_from_nobody() -> None:
    from django.db import IntegrityError  # noqa: PLC0415 - beside its only use

    with pytest.raises(IntegrityError):
        Case.objects.create(task=make_task(), expected_label="0")
