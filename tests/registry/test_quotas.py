"""What one team may use of an installation."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from mop.accounts.models import Team, TeamLimit, User
from mop.accounts.quotas import get_quota, set_limit, standings_of
from mop.accounts.teams import delete_team
from mop.audit.models import AuditEvent
from mop.errors import QuotaExceededError
from mop.loadtest.jobs import begin, conclude, store_step
from mop.loadtest.models import LoadTest
from mop.loadtest.planning import RunRequest
from mop.loadtest.services import enable_load_test, start_after_verified
from mop.onboarding.jobs import conclude as conclude_onboarding
from mop.onboarding.jobs import keep_snapshot, onboarding_job_of
from mop.registry.models import Model, Revision
from mop.registry.services import cancel_revision, create_revision, retry_revision
from mop.registry.statuses import RevisionStatus
from mop.storage.snapshot_process import SnapshotResult
from support.api import Api
from support.at_once import at_once
from support.browsing import client_of, send
from support.factories import ACTOR, make_model, make_revision_input, make_team, make_token, make_user, put
from support.load_tests import step_result

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture
def team() -> Team:
    return make_team("safety")


@pytest.fixture
def owner(team: Team) -> User:
    return make_user("olivia", teams=(team,))


@pytest.fixture
def model(owner: User, team: Team) -> Model:
    return make_model("toxicity", owner=owner, team=team)


def limit(team: Team, quota: str, most: int | None) -> None:
    set_limit(actor=ACTOR, team=team, quota=get_quota(quota), limit=most)


def used(team: Team) -> dict[str, int]:
    return {one.quota.name: one.used for one in standings_of(team)}


def add(model: Model, version: str) -> Revision:
    return create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input(version))


def test_so_many_versions_are_on_their_way_at_once(model: Model, team: Team):
    limit(team, "versions", 2)
    second = add(model, "v2")
    with pytest.raises(QuotaExceededError) as refused:
        add(model, "v3")
    assert refused.value.message == "Versions being onboarded at once of the team safety: 2 of 2 versions are used."
    assert "An administrator can give the team a higher limit" in refused.value.hint
    assert not Revision.objects.filter(version="v3").exists()
    cancel_revision(actor=ACTOR, revision=second)
    third = add(model, "v3")
    with pytest.raises(QuotaExceededError):
        retry_revision(actor=ACTOR, revision=second)
    # one that waits for its next try is on its way already
    put(Revision.objects.filter(pk=third.pk), status=RevisionStatus.TO_BE_RETRIED)
    retry_revision(actor=ACTOR, revision=third)
    make_model()  # of another team


def test_the_installation_has_a_limit_of_which_a_team_may_be_freed(model: Model, team: Team, settings: Settings):
    settings.MOP_TEAM_VERSIONS_MAX = 1
    with pytest.raises(QuotaExceededError):
        add(model, "v2")
    limit(team, "versions", 0)
    add(model, "v2")
    limit(team, "versions", None)
    with pytest.raises(QuotaExceededError):
        add(model, "v3")
    assert [event.data for event in AuditEvent.objects.filter(action="team.limit_changed").order_by("id")] == [
        {"quota": "versions", "limit": 0},
        {"quota": "versions", "limit": None},
    ]


def test_a_snapshot_counts_once_and_one_that_does_not_fit_ends_its_version(model: Model, team: Team):
    first, second = model.revisions.get(), add(model, "v2")
    limit(team, "stored", 100)
    for version in (first, second):
        keep_snapshot(onboarding_job_of(version), SnapshotResult(digest="a" * 64, files=3, bytes=70))
    assert used(team)["stored"] == 70
    third = add(model, "v3")
    with pytest.raises(QuotaExceededError, match=r"70 of 100 bytes are used, and this takes 31\.") as refused:
        keep_snapshot(onboarding_job_of(third), SnapshotResult(digest="b" * 64, files=3, bytes=31))
    assert conclude_onboarding(str(third.pk), 1, refused.value) == RevisionStatus.VERIFY_FAILED
    assert Revision.objects.get(pk=third.pk).artifact_digest == ""
    keep_snapshot(onboarding_job_of(add(model, "v4")), SnapshotResult(digest="b" * 64, files=3, bytes=30))
    with pytest.raises(QuotaExceededError):
        add(model, "v5")
    Revision.objects.filter(artifact_digest="a" * 64).delete()
    add(model, "v5")


def test_load_tests_measure_for_so_long_in_a_day_what_they_may_still_take_included(model: Model, team: Team):
    revision = model.revisions.get()
    put(Revision.objects.filter(pk=revision.pk), status=RevisionStatus.VERIFIED)
    limit(team, "load-tests", 100)
    asked = RunRequest(targets=(1, 10), duration_s=30, warm_up_s=5, budget_s=60)
    with pytest.raises(QuotaExceededError, match=r"0 of 100 seconds are used, and this takes 7,200\."):
        enable_load_test(actor=ACTOR, revision=revision, request=RunRequest())
    assert not LoadTest.objects.exists()
    (test,) = enable_load_test(actor=ACTOR, revision=revision, request=asked)
    assert used(team)["load-tests"] == 60
    begin(test.pk)
    store_step(test.pk, step_result(1, 10.0), 35.5)
    assert used(team)["load-tests"] == 60
    conclude(str(test.pk), ended="finished")
    assert used(team)["load-tests"] == 36
    LoadTest.objects.update(created_at="2026-01-01T00:00:00Z")
    assert used(team)["load-tests"] == 0


def test_a_load_test_that_would_start_by_itself_says_why_it_does_not(model: Model, team: Team):
    revision = model.revisions.get()
    put(Revision.objects.filter(pk=revision.pk), status=RevisionStatus.VERIFIED)
    limit(team, "load-tests", 100)
    assert start_after_verified(actor=ACTOR, revision_id=str(revision.pk), attempt=1) == 0
    test = LoadTest.objects.get()
    assert (test.state, test.error["name"]) == ("failed", "QuotaExceededError")
    assert start_after_verified(actor=ACTOR, revision_id=str(revision.pk), attempt=1) == 0
    assert LoadTest.objects.count() == 1


def test_what_is_used_is_told_to_the_team_and_the_limit_set_by_administrators(model: Model, team: Team, owner: User):
    member, stranger = Api(token=make_token(owner)), Api(token=make_token(make_user()))
    root = make_user(is_administrator=True)
    assert member.put("/teams/safety/quotas/versions", {"limit": 9}).status_code == 403
    api = Api(token=make_token(root))
    assert api.put("/teams/safety/quotas/nothing", {"limit": 9}).status_code == 404
    assert api.put("/teams/safety/quotas/versions", {"limit": -1}).status_code == 422
    changed = api.put("/teams/safety/quotas/versions", {"limit": 1}).json()
    told = member.get("/teams/safety").json()["quotas"]
    assert changed["quotas"] == told
    assert told[0] == {
        "name": "versions",
        "label": "Versions being onboarded at once",
        "unit": "versions",
        "used": 1,
        "limit": 1,
        "is_own": True,
    }
    assert [one["limit"] for one in told[1:]] == [None, None]
    assert stranger.get("/teams/safety").json()["quotas"] is None
    refused = member.post("/models/toxicity/revisions", {})
    assert (refused.status_code, refused.json()["name"]) == (409, "QuotaExceededError")
    assert 'href="/account/quotas/"' in client_of(owner).get("/account/").content.decode()
    page = client_of(owner).get("/account/quotas/").content.decode()
    assert ">1 version<" in page
    client = client_of(root)
    assert "the team's own" in client.get(f"/teams/{team.pk}/").content.decode().replace("&#x27;", "'")
    address = f"/teams/{team.pk}/quotas/versions/"
    assert send(client, address, {"limit": "-1"}).status_code == 422
    assert send(client, address, {"limit": ""}).status_code == 302
    assert not TeamLimit.objects.exists()


def test_a_form_keeps_what_was_typed_where_a_quota_is_used_up(model: Model, team: Team, owner: User):
    limit(team, "versions", 1)
    client = client_of(owner)
    folder = make_revision_input().model_url
    data = {"version": "v7", "model_url": folder, "instance_type": "Standard_F4s_v2", "worker_number": 1}
    data |= {"thread_number": 8, "batch_max_size": 12, "batch_idle_size": 3, "batch_max_interval": 0.002}
    data |= {"server": "mop", "load_test_option": "off"}
    answer = send(client, "/models/toxicity/upgrade/", data)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "1 of 1 versions are used" in html
    assert 'value="v7"' in html


def test_a_limit_keeps_no_team_from_going():
    team = make_team()
    limit(team, "versions", 3)
    delete_team(actor=ACTOR, team=team)
    assert not TeamLimit.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engine_database")
def test_of_those_who_ask_at_once_for_the_last_one_gets_it(owner: User, team: Team):
    models = [make_model(owner=owner, team=team) for _ in range(3)]  # each has a lock of its own
    limit(team, "versions", 4)
    found = at_once(*(lambda model=model: add(model, "v2") for model in models))
    assert found == ["", "QuotaExceededError", "QuotaExceededError"]
    assert used(team)["versions"] == 4
