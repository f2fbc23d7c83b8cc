"""Verifications as durable work: who may ask, one at a time, what is kept; the numbers themselves are tested beside."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from evaluation.made import approved_dataset, finished, verified
from mop.audit.models import AuditEvent
from mop.errors import ConflictError, HostLostError, StaleAttemptError
from mop.evaluation.checks import Check
from mop.evaluation.models import Evaluation
from mop.evaluation.services import keep_up, rerun
from mop.evaluation.verification_models import EvaluationVerification
from mop.evaluation.verifications import VERIFICATION_JOB, begin, conclude, finish, verify
from support.factories import ACTOR, make_model, make_task, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation() -> Evaluation:
    task = make_task("moderation")
    verified(make_model("measured", tasks=(task,)))
    approved_dataset(task, name="hidden")
    keep_up()
    return Evaluation.objects.get()


@pytest.fixture
def administrator() -> Client:
    client = Client()
    client.force_login(make_user("root", is_administrator=True))
    return client


URL = "/api/v1/models/measured/revisions/v1.0.0/evaluations/moderation/hidden"


def ask(client: Client, body: str = "{}") -> Any:
    return client.post(f"{URL}/verify", body, content_type="application/json")


def test_an_administrator_asks_and_reads_the_report_that_is_kept(evaluation: Evaluation, administrator: Client):
    finished(evaluation)
    answer = ask(administrator, '{"rows": 50}')
    assert answer.status_code == HTTPStatus.ACCEPTED
    assert (answer.json()["status"], answer.json()["rows_again"], answer.json()["holds"]) == ("queued", 50, None)
    row = EvaluationVerification.objects.get()
    assert VERIFICATION_JOB.args(row) == (str(row.pk),)
    found, again = begin(str(row.pk))
    assert (found.pk, again) == (evaluation.pk, 50)
    finish(str(row.pk), [Check("accuracy", 0.8, 0.8, holds=True), Check("F1 of 1", 0.7, None, holds=False)])
    report = administrator.get(f"{URL}/verification").json()
    assert (report["status"], report["is_final"], report["holds"], report["is_current"]) == (
        "finished",
        True,
        False,
        True,
    )
    assert report["checks"][1] == {"name": "F1 of 1", "kept": 0.7, "computed": None, "holds": False}
    assert AuditEvent.objects.filter(action="evaluation.verification_state").count() == 3
    finished(rerun(actor=ACTOR, evaluation=evaluation), seed=2)
    Evaluation.objects.update(predictions_digest="ef" * 32)
    assert not administrator.get(f"{URL}/verification").json()["is_current"]


def test_there_is_one_at_a_time_and_none_without_a_result(evaluation: Evaluation, administrator: Client):
    assert ask(administrator).status_code == HTTPStatus.CONFLICT
    assert administrator.get(f"{URL}/verification").status_code == HTTPStatus.NOT_FOUND
    finished(evaluation)
    assert ask(administrator).status_code == HTTPStatus.ACCEPTED
    assert ask(administrator).status_code == HTTPStatus.CONFLICT
    assert ask(administrator, '{"rows": 20000}').status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_a_failure_is_kept_and_another_one_may_be_asked_for(evaluation: Evaluation):
    finished(evaluation)
    row = verify(actor=ACTOR, evaluation=evaluation, again=0)
    begin(str(row.pk))
    assert conclude(str(row.pk), HostLostError("The host went away.")) == "failed"
    row.refresh_from_db()
    assert (row.state, row.error["name"], row.holds) == ("failed", "HostLostError", None)
    with pytest.raises(StaleAttemptError):
        begin(str(row.pk))
    assert verify(actor=ACTOR, evaluation=evaluation, again=0).state == "queued"


def test_a_result_that_changed_meanwhile_is_not_verified(evaluation: Evaluation):
    finished(evaluation)
    row = verify(actor=ACTOR, evaluation=evaluation, again=0)
    Evaluation.objects.update(predictions_digest="ef" * 32)
    with pytest.raises(ConflictError):
        begin(str(row.pk))
