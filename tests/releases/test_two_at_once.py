"""Two people who decide at the same moment: one decision, one live release."""

from __future__ import annotations

import pytest

from mop.accounts.services import actor_of
from mop.releases.release_models import LiveSlot, Release, ReleaseEvent, SlotPeriod
from mop.releases.release_states import WentLive
from mop.releases.requests.deciding import approve_release, reject_release, withdraw_release
from mop.releases.requests.switching import mark_released, roll_back
from support.at_once import at_once
from support.factories import ACTOR, make_task, make_user
from support.releases import approved, live, make_releasable, make_service, next_version, requested

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.dialect, pytest.mark.usefixtures("engine_database")]


def test_of_two_decisions_at_once_one_stands():
    admins = [make_user(), make_user()]
    service = make_service(admins=admins)
    release = requested(make_releasable(make_task()), service)

    def approve() -> object:
        return approve_release(actor=actor_of(admins[0]), user=admins[0], release=release, comment="yes")

    def reject() -> object:
        return reject_release(actor=actor_of(admins[1]), user=admins[1], release=release, comment="no")

    def withdraw() -> object:
        return withdraw_release(actor=ACTOR, release=release)

    found = at_once(approve, approve, reject, withdraw)
    # an approved release may still be withdrawn; every other second is refused
    events = list(ReleaseEvent.objects.filter(release=release).order_by("pk").values_list("what", flat=True))
    assert events[1:] in (["approved"], ["rejected"], ["withdrawn"], ["approved", "withdrawn"])
    assert len([name for name in found if name == ""]) == len(events) - 1
    assert {name for name in found if name} == {"ConflictError"}
    assert Release.objects.get().state == events[-1]


def test_of_two_releases_that_go_live_at_once_one_is():
    service = make_service()
    admin = service.admins.get()
    first = make_releasable(make_task(), make_task(taxonomy="Sexual"))
    bad = live(first, service)
    releases = [approved(next_version(first.model, f"v2.0.{number}"), service) for number in range(3)]
    calls = [
        lambda one=one: mark_released(actor=ACTOR, release=one, how=WentLive.GATEWAY) for one in (*releases, *releases)
    ]
    back = lambda: roll_back(actor=actor_of(admin), user=admin, release=bad, comment="back")  # noqa: E731 - a call among calls
    found = at_once(*calls, back)
    assert set(found) <= {"", "ConflictError"}
    assert LiveSlot.objects.count() == 2
    assert len(set(LiveSlot.objects.values_list("live", flat=True))) == 1
    # the one that was approved last; of the others some were live before it, and some were overtaken
    assert Release.objects.get(state="released") == releases[-1]
    assert Release.objects.filter(state__in=("retired", "approved")).count() == 3
    assert Release.objects.get(pk=bad.pk).state == "retired"
    assert SlotPeriod.objects.filter(ended_at=None).count() == 2
