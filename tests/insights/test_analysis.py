"""Analysis: what was onboarded in a period, how long it took, why versions failed, what is live."""

from __future__ import annotations

import datetime as dt
import html

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import create_team
from mop.insights.analysis import (
    REASONS_SHOWN,
    Durations,
    Period,
    durations,
    phases_of,
    reasons_of,
    totals_of,
    until_verified,
    weeks_of,
)
from mop.insights.drawing import columns_of
from mop.registry.models import Model, Revision, RevisionEvent
from mop.registry.statuses import CHAIN, RevisionStatus
from support.factories import ACTOR, make_model, make_task, make_team, make_user, put
from support.releases import live, make_releasable, make_service

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

S = RevisionStatus
NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)  # a Thursday
MINUTE = dt.timedelta(minutes=1)


def version(model: Model, number: int, status: RevisionStatus, at: dt.datetime, *, error: str = "") -> Revision:
    """A version that was added at a time, and ended so after a minute in each status."""
    first = model.revisions.order_by("created_at").first()
    assert first is not None
    row = Revision.objects.get(pk=first.pk)
    row.pk, row.version, row._state.adding = None, f"v9.0.{number}", True
    row.id = type(first)._meta.pk.get_default()
    row.save()
    passed = list(CHAIN) if status == S.VERIFIED else [*CHAIN[:3], status]
    RevisionEvent.objects.filter(revision=row).delete()
    RevisionEvent.objects.bulk_create(
        RevisionEvent(revision=row, attempt=1, status=one, at=at + place * MINUTE, actor_label="tests")
        for place, one in enumerate(passed)
    )
    put(
        Revision.objects.filter(pk=row.pk),
        created_at=at,
        status=status,
        status_changed_at=at + (len(passed) - 1) * MINUTE,
        error={"name": error} if error else None,
    )
    return Revision.objects.get(pk=row.pk)


@pytest.fixture
def olivia() -> User:
    return make_user("olivia")


@pytest.fixture
def model(olivia: User) -> Model:
    found = make_model("counted", owner=olivia, team=make_team("Moderation"), load_test_option="off")
    put(found.revisions.all(), created_at=NOW - dt.timedelta(days=900))
    return found


@pytest.fixture
def history(model: Model) -> None:
    """In the last 30 days four versions, one of them tried twice; in the 30 days before one."""
    day = dt.timedelta(days=1)
    version(model, 1, S.VERIFIED, NOW - 40 * day)
    version(model, 2, S.VERIFY_FAILED, NOW - 20 * day, error="UserScriptException")
    version(model, 3, S.VERIFY_FAILED, NOW - 19 * day, error="UserScriptException")
    version(model, 4, S.VERIFIED, NOW - 18 * day)
    again = version(model, 5, S.VERIFIED, NOW - 1 * day)
    put(Revision.objects.filter(pk=again.pk), attempt=2)
    RevisionEvent.objects.filter(revision=again).update(attempt=2)
    RevisionEvent.objects.create(revision=again, attempt=1, status=S.CREATED, at=NOW - 2 * day, actor_label="tests")


@pytest.mark.usefixtures("history")
def test_figures_are_of_the_period_of_the_team_and_of_what_a_person_may_see(olivia: User):
    period = Period(30, NOW)
    versions = period.versions(olivia)
    assert totals_of(versions) == type(totals_of(versions))(4, 0.25)
    assert totals_of(period.before().versions(olivia)).versions == 1
    assert totals_of(Period(30, NOW, "Moderation").versions(olivia)).versions == 4
    assert totals_of(Period(30, NOW, "Search").versions(olivia)).versions == 0
    assert totals_of(period.versions(make_user())) == type(totals_of(versions))(0, None)
    weeks = weeks_of(versions, period)
    assert [week.monday.isoformat() for week in weeks] == [
        "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23",
    ]  # fmt: skip
    assert [tuple(week.counts.values()) for week in weeks] == [
        (0, 0, 0, 0), (1, 2, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (1, 0, 0, 0),
    ]  # fmt: skip
    (reason,) = reasons_of(versions)
    # the failures were at 3 minutes past noon; the next verified one 8 minutes past noon, one and two days later
    assert (reason.error, reason.versions) == ("UserScriptException", 2)
    assert reason.fixed_in == pytest.approx(86400 + 5 * 60)
    assert until_verified(versions) == Durations(8 * 60, 8 * 60)
    assert dict(phases_of(versions))["Environment"] == Durations(120, 120)
    assert [label for label, _ in phases_of(versions)] == [
        "Snapshot", "Environment", "Host", "Deployment", "Verification",
    ]  # fmt: skip


def test_nothing_is_a_page_without_numbers(client: Client, olivia: User):
    client.force_login(olivia)
    page = client.get(reverse("insights:analysis")).content.decode()
    assert "none was verified" in page
    assert "Nothing is live in any service." in page
    assert until_verified(Revision.objects.none()) is None
    assert durations([]) is None


def test_versions_that_failed_are_counted_beyond_the_reasons_that_are_shown(client: Client, olivia: User, model: Model):
    at = timezone.now() - dt.timedelta(days=1)
    for number in range(REASONS_SHOWN + 2):
        version(model, number, S.VERIFY_FAILED, at, error=f"Error{number}")
    client.force_login(olivia)
    assert f"{REASONS_SHOWN + 2} versions; time until" in client.get(reverse("insights:analysis")).content.decode()


def test_personal_teams_of_others_are_not_offered(client: Client, olivia: User, model: Model):
    create_team(actor=ACTOR, name="sam-alone", is_personal=True)
    client.force_login(olivia)
    page = client.get(reverse("insights:analysis")).content.decode()
    assert model.team.name in page
    assert "sam-alone" not in page


def test_of_many_durations_the_middle_and_the_one_that_most_stay_below_are_told():
    assert durations(range(100)) == Durations(49, 94)
    assert durations([7.0]) == Durations(7.0, 7.0)


@pytest.mark.usefixtures("history")
def test_columns_stand_on_each_other_up_to_the_highest_week(olivia: User):
    drawn = columns_of(weeks_of(Period(30, NOW).versions(olivia), Period(30, NOW)))
    assert [piece.title for piece in drawn.pieces] == [
        "week of 02 Nov 2026: 1 verified",
        "week of 02 Nov 2026: 2 verifyFailed",
        "week of 23 Nov 2026: 1 verified",
    ]
    lower, upper, _ = drawn.pieces
    assert float(upper.y) < float(lower.y) < 162
    assert [name.text for name in drawn.names] == ["44", "45", "46", "47", "48"]
    assert len(columns_of(weeks_of(Period(365, NOW).versions(olivia), Period(365, NOW))).names) <= 14


def test_the_page_shows_what_is_live_and_gives_weeks_as_csv(client: Client, django_assert_max_num_queries):  # type: ignore[no-untyped-def]
    task, service = make_task(), make_service()
    revision = make_releasable(task)
    live(revision, service)
    client.force_login(make_user())
    with django_assert_max_num_queries(20):
        page = html.unescape(client.get(reverse("insights:analysis"), {"days": "30"}).content.decode())
    assert revision.model.name in page
    assert f"{service.name} · {task.taxonomy.name}, Text</a>" in page
    assert "in 1 service" in page
    answer = client.get(reverse("insights:analysis_weeks"), {"days": "30"})
    lines = answer.content.decode().splitlines()
    assert lines[0] == "week_of,verified,verifyFailed,vulnerable,cancelled"
    assert lines[-1].startswith(f"{timezone.now() - dt.timedelta(days=timezone.now().weekday()):%Y-%m-%d},1,")
    put(Revision.objects.filter(pk=revision.pk), publish_status="private")
    page = client.get(reverse("insights:analysis")).content.decode()
    assert revision.model.name not in page
