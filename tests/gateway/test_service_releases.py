"""What a gateway reads of releases and writes to them, on real rows."""

from __future__ import annotations

import pytest

from mop.errors import ValidationFailedError
from mop.gateway.categories import BY_NAME, Kind
from mop.gateway.serve import _servable
from mop.gateway.service_releases import ServiceReleases
from mop.gateway.services import rotate_key
from mop.releases.models import Service, ServiceKind
from mop.releases.release_models import Release
from mop.releases.release_states import ReleaseState, WentLive
from mop.releases.requests.deciding import withdraw_release
from support.factories import ACTOR, make_task
from support.releases import approved, live, make_releasable, make_service, next_version

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

HATE = (Kind.TEXT, BY_NAME["Hate"])


@pytest.fixture
def aacs() -> Service:
    return make_service()


def again(release: Release) -> Release:
    return Release.objects.get(pk=release.pk)


def test_an_approved_release_is_taken_and_is_released_by_the_gateway(aacs: Service):
    revision = make_releasable(make_task("hate", taxonomy="Hate"), make_task("violence", taxonomy="Violence"))
    release, releases = approved(revision, aacs), ServiceReleases(aacs)
    wanted = releases.wanted()
    assert wanted.slots == {}
    [to_take] = wanted.to_take
    assert (to_take.number, to_take.revision_id) == (release.pk, revision.pk)
    assert to_take.label == f"{revision.model.name} {revision.version}"
    assert releases.take(release.pk)
    assert (again(release).state, again(release).went_live) == (ReleaseState.RELEASED, WentLive.GATEWAY)
    wanted = releases.wanted()
    assert {category.name for _, category in wanted.slots} == {"Hate", "Violence"}
    assert wanted.to_take == ()
    assert releases.take(release.pk)  # a second gateway: done already


def test_a_withdrawn_release_is_not_taken(aacs: Service):
    release = approved(make_releasable(make_task("hate", taxonomy="Hate")), aacs)
    withdraw_release(actor=ACTOR, release=release, comment="not yet")
    releases = ServiceReleases(aacs)
    assert releases.wanted().to_take == ()
    assert not releases.take(release.pk)
    assert again(release).state == ReleaseState.WITHDRAWN


def test_a_canary_is_read_with_its_share_and_ended_once(aacs: Service):
    revision = make_releasable(make_task("hate", taxonomy="Hate"))
    first = live(revision, aacs)
    canary = approved(next_version(revision.model), aacs, canary_share=20)
    releases = ServiceReleases(aacs)
    slot = releases.wanted().slots[HATE]
    assert slot.canary is not None
    assert (slot.live.number, slot.canary.number, slot.share) == (first.pk, canary.pk, 20)
    assert releases.wanted().to_take == ()
    for _ in range(2):  # each of two gateways
        releases.end_canary(canary.pk, "5 of its last 5 answers failed")
    wanted = releases.wanted()
    assert (wanted.slots[HATE].canary, wanted.to_take) == (None, ())
    ended = again(canary)
    assert (ended.state, ended.is_held) == (ReleaseState.APPROVED, True)
    [event] = [one for one in ended.events.all() if "5 of its last 5" in one.detail]
    assert event.actor_label == "MOP gateway"


def test_only_a_service_of_content_safety_that_has_a_key_is_served(aacs: Service):
    other = make_service("orchestrator", kind=ServiceKind.RAIO)
    with pytest.raises(ValidationFailedError, match="of kind RAIO"):
        _servable(other.name)
    with pytest.raises(ValidationFailedError, match="has no key"):
        _servable(aacs.name)
    rotate_key(actor=ACTOR, service=aacs, number=2)
    assert _servable(aacs.name) == aacs
