"""Tries without a worker: its part is played by the functions that its step calls."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.test import Client
from pytest_django import Settings

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.models import AuditEvent
from mop.engine.host_lock import WAITS_FOR_ONE
from mop.errors import (
    ConflictError,
    HostLostError,
    StaleAttemptError,
    TooManyRequestsError,
    UserScriptException,
)
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.trials.jobs import AGAIN, LATER, answer, conclude, say, take, take_input, too_late
from mop.trials.models import Trial
from mop.trials.sealing import KEY_BYTES, encrypt, open_with, seal_for
from mop.trials.selectors import read_answer
from mop.trials.services import begin_trial, end_trial, forget, start_trial
from mop.trials.states import TrialState
from support.api import Api
from support.factories import PASSWORD, make_model, make_token, make_user, publish

pytestmark = pytest.mark.django_db
SECRET = "what somebody pasted"
ANSWER: dict[str, Any] = {
    "mop": {
        "input": {"text": SECRET},
        "output": {"predicted_labels": {"Hate": {"0": 1}}},
        "seconds": 0.01,
        "error": None,
    },
    "model": {"input": SECRET, "output": [1], "seconds": 0.01, "error": None, "not_json": ""},
    "labels": [{"taxonomy": "Hate", "predicted": ["0"], "scores": {"0": 1.0}, "is_connected": True}],
    "faults": ["labels of Hate are 0, 2"],
}


@pytest.fixture
def revision() -> Revision:
    model = make_model("tried", owner=make_user("ada"))
    Revision.objects.filter(model=model).update(status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32)
    return model.revisions.get()


def ada() -> User:
    return User.objects.get(username="ada")


def begun(revision: Revision, user: User | None = None) -> Trial:
    user = user or ada()
    return begin_trial(actor=actor_of(user), user=user, revision=revision)


class PlayedWorker:
    """Takes a try as the workflow does, and answers it."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.private = X25519PrivateKey.generate()
        self.job = take(str(trial.pk), "w1", self.private.public_key().public_bytes_raw())

    def answer(self) -> dict[str, Any]:
        sealed = take_input(self.trial.pk)
        assert sealed is not None
        opened = open_with(self.private, sealed)
        answer(self.trial.pk, encrypt(opened[:KEY_BYTES], orjson.dumps(ANSWER)))
        return dict(orjson.loads(opened[KEY_BYTES:]))


def hand_over(trial: Trial, key: bytes) -> None:
    """What the portal does when it sees the worker's key."""
    trial.refresh_from_db()
    assert trial.public_key is not None
    sealed = seal_for(bytes(trial.public_key), key + orjson.dumps({"text": SECRET}))
    Trial.objects.filter(pk=trial.pk).update(sealed_input=sealed)


def test_input_and_answer_pass_through_the_database_unreadable_and_the_input_is_gone_when_it_is_taken(
    revision: Revision,
):
    trial = begun(revision)
    worker = PlayedWorker(trial)
    key = b"k" * KEY_BYTES
    hand_over(trial, key)
    assert worker.answer() == {"text": SECRET}
    trial.refresh_from_db()
    assert (trial.get_state(), trial.sealed_input, trial.public_key) == (TrialState.ANSWERED, None, None)
    assert trial.sealed_answer is not None
    assert SECRET.encode() not in bytes(trial.sealed_answer)
    assert read_answer(trial, base64.urlsafe_b64encode(key).decode()) == ANSWER
    for wrong in ("", "nonsense", base64.urlsafe_b64encode(b"x" * KEY_BYTES).decode()):
        assert read_answer(trial, wrong) is None
    assert SECRET not in str([event.data for event in AuditEvent.objects.all()])


def test_without_a_free_worker_a_try_is_refused_and_ended(revision: Revision):
    with pytest.raises(TooManyRequestsError, match="No worker host is free") as caught:
        start_trial(actor=actor_of(ada()), user=ada(), revision=revision, item={"text": SECRET})
    assert caught.value.retry_after_s
    assert Trial.objects.get().get_state() == TrialState.CANCELLED


def test_each_person_has_one_try_at_a_time_and_all_together_some(revision: Revision, settings: Settings):
    settings.MOP_TRIALS_MAX = 2
    trial = begun(revision)
    with pytest.raises(TooManyRequestsError, match="Your last try"):
        begun(revision)
    begun(revision, make_user("bob"))
    with pytest.raises(TooManyRequestsError, match="2 tries run"):
        begun(revision, make_user("eve"))
    end_trial(actor=actor_of(ada()), trial=trial)
    assert begun(revision)


@pytest.mark.parametrize("status", [RevisionStatus.CREATED, RevisionStatus.VULNERABLE, RevisionStatus.OUTDATED])
def test_only_a_verified_version_can_be_tried(revision: Revision, status: RevisionStatus):
    trial = begun(revision)
    Revision.objects.update(status=status)
    with pytest.raises(ConflictError, match="only a verified version"):
        begun(revision, make_user())
    with pytest.raises(ConflictError, match="by now"):
        PlayedWorker(trial)


def test_a_try_whose_worker_died_is_sent_again_by_its_person(revision: Revision):
    trial = begun(revision)
    PlayedWorker(trial)
    with pytest.raises(HostLostError) as caught:
        PlayedWorker(trial)
    assert conclude(str(trial.pk), caught.value) == TrialState.UNDECIDED


def test_a_try_that_ends_behind_a_load_test_says_what_it_waited_for(revision: Revision):
    trial = begun(revision)
    PlayedWorker(trial)
    before = too_late(trial.pk, 120)
    assert (before.message, before.hint) == ("The try was not answered within 120 s.", AGAIN)
    say(trial.pk, WAITS_FOR_ONE)
    assert conclude(str(trial.pk), too_late(trial.pk, 120)) == TrialState.UNDECIDED
    trial.refresh_from_db()
    assert trial.error is not None
    told = "The try was not answered within 120 s. Until then: waits: a load test has this host to itself."
    assert (trial.error["message"], trial.error["hint"]) == (told, LATER)


def test_what_the_model_raised_is_not_stored(revision: Revision):
    trial = begun(revision)
    PlayedWorker(trial)
    assert conclude(str(trial.pk), UserScriptException(SECRET, place=SECRET)) == TrialState.FAILED
    trial.refresh_from_db()
    assert trial.error is not None
    assert trial.error["name"] == "UserScriptException"
    assert SECRET not in str(trial.error)


def test_an_ended_try_takes_no_answer(revision: Revision):
    trial = begun(revision)
    PlayedWorker(trial)
    end_trial(actor=actor_of(ada()), trial=trial)
    with pytest.raises(StaleAttemptError):
        take_input(trial.pk)
    with pytest.raises(StaleAttemptError):
        answer(trial.pk, b"late")


def test_tries_are_forgotten_some_minutes_after_their_end(revision: Revision):
    ended, lost = begun(revision), begun(revision, make_user())
    end_trial(actor=actor_of(ada()), trial=ended)
    assert forget() == 0
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    Trial.objects.filter(pk=ended.pk).update(ended_at=long_ago)
    Trial.objects.filter(pk=lost.pk).update(created_at=long_ago)
    assert forget() == 1
    lost.refresh_from_db()
    assert lost.get_state() == TrialState.CANCELLED


def answered(revision: Revision) -> tuple[Trial, str]:
    trial = begun(revision)
    worker = PlayedWorker(trial)
    key = b"k" * KEY_BYTES
    hand_over(trial, key)
    worker.answer()
    return trial, base64.urlsafe_b64encode(key).decode()


def test_the_page_shows_labels_broken_rules_and_both_formats_to_the_browser_with_the_key(
    client: Client, revision: Revision
):
    trial, key = answered(revision)
    client.login(username="ada", password=PASSWORD)
    page = f"/models/tried/versions/v1.0.0/try/{trial.pk}/"
    without = client.get(page)
    assert "only in the browser that sent the input" in without.content.decode()
    assert SECRET not in without.content.decode()
    client.cookies[f"mop_try_{trial.pk.hex}"] = key
    shown = client.get(page)
    text = shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    for expected in (SECRET, "MOP format", "Model format", "The answer breaks the contract", "labels of Hate are 0, 2"):
        assert expected in text
    other = Client()
    make_user("bob")
    publish(revision.model)
    other.login(username="bob", password=PASSWORD)
    other.cookies[f"mop_try_{trial.pk.hex}"] = key
    assert other.get(page).status_code == 404, "a try is its person's alone"


def test_the_api_gives_the_answer_for_its_key(revision: Revision):
    trial, key = answered(revision)
    token = make_token(ada())
    api = Api(token=token)
    path = f"/models/tried/revisions/v1.0.0/try/{trial.pk}"
    assert api.get(path).json()["answer"] is None
    headers = {"Authorization": f"Bearer {token}", "X-MOP-Try-Key": key}
    given = Client().get(f"/api/v1{path}", headers=headers).json()
    assert given["answer"] == ANSWER
    assert api.get(f"/models/tried/revisions/v1.0.0/try/{uuid.uuid4()}").status_code == 404


def test_the_form_keeps_faults_beside_their_fields_and_says_what_happens_to_the_input(
    client: Client, revision: Revision
):
    client.login(username="ada", password=PASSWORD)
    page = client.get("/models/tried/versions/v1.0.0/try/").content.decode()
    assert "MOP keeps neither of them" in page
    assert 'type="file"' not in page, "the model takes text alone"
    refused = client.post("/models/tried/versions/v1.0.0/try/", {"modality": "Text", "text": ""})
    assert refused.status_code == 422
    assert "Give a text." in refused.content.decode()
    busy = client.post("/models/tried/versions/v1.0.0/try/", {"modality": "Text", "text": SECRET})
    assert busy.status_code == 429
