"""What is live: one release for each slot, replaced, rolled back, retired, a canary beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from mop import failpoints
from mop.accounts.services import actor_of
from mop.catalog.models import Taxonomy
from mop.errors import ConflictError, NotAllowedError, ValidationFailedError
from mop.notifications.models import Notification
from mop.registry.models import Model, Revision
from mop.registry.publishing import unpublish_revision
from mop.registry.services import delete_revision
from mop.registry.statuses import RevisionStatus
from mop.releases.models import Service
from mop.releases.release_models import LiveSlot, Release, ReleaseEvent, SlotPeriod
from mop.releases.release_states import WentLive
from mop.releases.requests.deciding import current_evidence, withdraw_release
from mop.releases.requests.selectors import live_releases, previous_revision, releases_to_take
from mop.releases.requests.switching import end_canary, mark_released, retire_release, roll_back, start_canary
from support.factories import ACTOR, make_task, make_user, put
from support.releases import admin_of, approved, live, make_releasable, make_service, next_version, requested
from support.scans import WARNS_HIGH, scan_later

pytestmark = pytest.mark.django_db


def _by_admin(service: Service, do: Callable[..., Any], **given: Any) -> Any:
    admin = admin_of(service)
    return do(actor=actor_of(admin), user=admin, **given)


def _live(service: Service) -> dict[str, str]:
    return {
        taxonomy: f"{one.release.version}" + (f" ({one.canary.version} {one.canary_share})" if one.canary else "")
        for (taxonomy, _), one in live_releases(service).items()
    }


def _states() -> list[tuple[str, str]]:
    return list(Release.objects.order_by("pk").values_list("version", "state"))


def _sound() -> None:
    """What holds whatever happened: a released release is live somewhere, and each slot has one open period."""
    held = set(LiveSlot.objects.values_list("live_id", flat=True))
    assert held == set(Release.objects.filter(state="released").values_list("pk", flat=True))
    opened = SlotPeriod.objects.filter(ended_at=None).values_list("service", "taxonomy", "modality", "release")
    assert sorted(opened) == sorted(LiveSlot.objects.values_list("service", "taxonomy", "modality", "live"))
    canaries = Release.objects.filter(canary_slots__isnull=False).values_list("state", flat=True)
    assert set(canaries) <= {"approved"}


@pytest.fixture
def service(db: None) -> Service:
    return make_service()


@pytest.fixture
def model(db: None) -> Model:
    """A model of two taxonomies, its first version ready to be released."""
    return make_releasable(make_task(taxonomy="Hate"), make_task(taxonomy="Sexual")).model


def test_the_database_holds_one_live_release_for_each_slot(service: Service, model: Model):
    release = live(model.revisions.get(), service)
    slot = LiveSlot.objects.first()
    assert slot is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        LiveSlot.objects.create(service=service, taxonomy=slot.taxonomy, modality=slot.modality, live=release)
    with pytest.raises(IntegrityError), transaction.atomic():
        SlotPeriod.objects.create(
            service=service,
            taxonomy=slot.taxonomy,
            modality=slot.modality,
            release=release,
            began_at=timezone.now(),
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        LiveSlot.objects.filter(pk=slot.pk).update(canary=release, canary_share=10, canary_since=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        LiveSlot.objects.filter(pk=slot.pk).update(canary_share=10)
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(revision=None)


def test_a_release_that_is_acknowledged_twice_goes_live_once(service: Service, model: Model):
    release = live(model.revisions.get(), service)
    again = mark_released(actor=ACTOR, release=release, how=WentLive.GATEWAY)
    assert (again.state, again.went_live) == ("released", "acknowledged")
    assert ReleaseEvent.objects.filter(release=release, what="released").count() == 1
    assert _live(service) == {"Hate": "v1.0.0", "Sexual": "v1.0.0"}
    _sound()


def test_only_what_is_approved_goes_live_and_nothing_that_fell_since(service: Service, model: Model):
    release = requested(model.revisions.get(), service)
    with pytest.raises(ConflictError, match="is requested since"):
        mark_released(actor=ACTOR, release=release, how=WentLive.ACKNOWLEDGED)
    withdraw_release(actor=ACTOR, release=release)
    release = approved(model.revisions.get(), service)
    put(Revision.objects.all(), status=RevisionStatus.VULNERABLE)
    with pytest.raises(ConflictError, match="may not go live any more"):
        mark_released(actor=ACTOR, release=release, how=WentLive.GATEWAY)
    assert list(live_releases(service)) == []


def test_fewer_taxonomies_replace_only_those(service: Service, model: Model):
    live(model.revisions.get(), service)
    live(next_version(model), service, "Hate")
    assert _live(service) == {"Hate": "v1.0.1", "Sexual": "v1.0.0"}
    assert _states() == [("v1.0.0", "released"), ("v1.0.1", "released")]
    live(next_version(model, "v1.0.2"), service)
    assert _states() == [("v1.0.0", "retired"), ("v1.0.1", "retired"), ("v1.0.2", "released")]
    _sound()


def test_services_run_their_own(model: Model):
    first, second = make_service(), make_service("other")
    live(model.revisions.get(), first)
    live(next_version(model), second)
    assert _live(first)["Hate"] == "v1.0.0"
    assert _live(second)["Hate"] == "v1.0.1"


def test_roll_back_returns_each_slot_to_what_was_live_there(service: Service, model: Model):
    live(model.revisions.get(), service)
    live(next_version(model), service, "Hate")
    bad = live(next_version(model, "v1.0.2"), service)
    made = _by_admin(service, roll_back, release=bad, comment="It misses insults.")
    assert _live(service) == {"Hate": "v1.0.1", "Sexual": "v1.0.0"}
    assert sorted((one.version, one.rolled_back_from_id, one.went_live) for one in made) == [
        ("v1.0.0", bad.pk, "rollback"),
        ("v1.0.1", bad.pk, "rollback"),
    ]
    bad.refresh_from_db()
    assert bad.state == "retired"
    _sound()


def test_roll_back_of_a_roll_back_goes_further_back(service: Service, model: Model):
    live(model.revisions.get(), service)
    live(next_version(model), service)
    third = live(next_version(model, "v1.0.2"), service)
    (second,) = _by_admin(service, roll_back, release=third, comment="no")
    assert second.version == "v1.0.1"
    (first,) = _by_admin(service, roll_back, release=second, comment="no")
    assert first.version == "v1.0.0"
    with pytest.raises(ConflictError, match="Nothing was live before"):
        _by_admin(service, roll_back, release=first, comment="no")
    _sound()


def test_of_a_slot_one_period_ends_when_the_next_begins(service: Service, model: Model):
    live(model.revisions.get(), service)
    second = live(next_version(model), service)
    _by_admin(service, roll_back, release=second, comment="no")
    for slot in LiveSlot.objects.filter(service=service):
        periods = SlotPeriod.objects.filter(service=service, taxonomy=slot.taxonomy).order_by("pk")
        times = list(periods.values_list("began_at", "ended_at"))
        assert len(times) == 3
        assert [ended for _, ended in times] == [*(began for began, _ in times[1:]), None]


def test_roll_back_leaves_a_slot_empty_where_nothing_was_before(service: Service, model: Model):
    live(model.revisions.get(), service, "Hate")
    second = live(next_version(model), service)
    _by_admin(service, roll_back, release=second, comment="no")
    assert _live(service) == {"Hate": "v1.0.0"}
    second.refresh_from_db()
    assert second.state == "retired"
    _sound()


def test_roll_back_during_a_canary_ends_it(service: Service, model: Model):
    live(model.revisions.get(), service)
    second = live(next_version(model), service)
    canary = approved(next_version(model, "v1.0.2"), service, canary_share=10)
    assert _live(service)["Hate"] == "v1.0.1 (v1.0.2 10)"
    _by_admin(service, roll_back, release=second, comment="no")
    assert _live(service) == {"Hate": "v1.0.0", "Sexual": "v1.0.0"}
    canary.refresh_from_db()
    assert (canary.state, canary.is_held) == ("approved", True)
    _sound()


def test_roll_back_to_a_version_that_fell_is_refused_whole(service: Service, model: Model):
    first = model.revisions.get()
    live(first, service)
    second = live(next_version(model), service)
    put(Revision.objects.filter(pk=first.pk), status=RevisionStatus.VULNERABLE)
    with pytest.raises(ConflictError, match="It is vulnerable"):
        _by_admin(service, roll_back, release=second, comment="no")
    assert _live(service)["Hate"] == "v1.0.1"
    _sound()


def test_a_canary_is_started_changed_ended_and_promoted(service: Service, model: Model):
    live(model.revisions.get(), service)
    release = approved(next_version(model), service)
    assert [one.pk for one in releases_to_take(service)] == [release.pk]
    _by_admin(service, start_canary, release=release, share=5)
    _by_admin(service, start_canary, release=release, share=25)
    assert _live(service) == {"Hate": "v1.0.0 (v1.0.1 25)", "Sexual": "v1.0.0 (v1.0.1 25)"}
    assert list(releases_to_take(service)) == []
    end_canary(actor=ACTOR, release=release, reason="3 % of its answers were errors.")
    assert _live(service)["Hate"] == "v1.0.0"
    # what was taken back by the gateway must not go live by the gateway
    assert list(releases_to_take(service)) == []
    _by_admin(service, start_canary, release=release, share=50)
    _by_admin(service, mark_released, release=release, how=WentLive.ADMIN)
    assert _live(service) == {"Hate": "v1.0.1", "Sexual": "v1.0.1"}
    events = ReleaseEvent.objects.filter(release=release).order_by("pk").values_list("what", flat=True)
    assert list(events)[2:] == [
        "canaryStarted",
        "canaryChanged",
        "canaryEnded",
        "canaryStarted",
        "released",
        "canaryEnded",
    ]
    _sound()


@pytest.mark.parametrize("how", [WentLive.ACKNOWLEDGED, WentLive.GATEWAY])
def test_neither_service_nor_gateway_takes_a_canary_live_nor_one_that_ended(
    service: Service, model: Model, how: WentLive
):
    live(model.revisions.get(), service)
    release = approved(next_version(model), service, canary_share=10)
    with pytest.raises(ConflictError, match="is a canary"):
        mark_released(actor=ACTOR, release=release, how=how)
    end_canary(actor=ACTOR, release=release, reason="3 % of its answers were errors.")
    with pytest.raises(ConflictError, match="was a canary that ended") as caught:
        mark_released(actor=ACTOR, release=release, how=how)
    assert "admin of the service" in caught.value.hint
    assert _live(service) == {"Hate": "v1.0.0", "Sexual": "v1.0.0"}
    _by_admin(service, mark_released, release=release, how=WentLive.ADMIN)
    assert _live(service) == {"Hate": "v1.0.1", "Sexual": "v1.0.1"}


def test_a_canary_needs_something_live_and_no_other_canary(service: Service, model: Model):
    second = next_version(model)
    live(model.revisions.get(version="v1.0.0"), service, "Hate")
    release = approved(second, service)
    with pytest.raises(ConflictError, match="Nothing is live for Sexual, Text"):
        _by_admin(service, start_canary, release=release, share=5)
    first = approved(next_version(model, "v1.0.2"), service, "Hate", canary_share=5)
    other = approved(next_version(model, "v1.0.3"), service, "Hate")
    with pytest.raises(ConflictError, match=f"Release {first.pk} is a canary there"):
        _by_admin(service, start_canary, release=other, share=5)
    for share in (0, 100):
        with pytest.raises(ValidationFailedError, match="1 to 99 per cent"):
            _by_admin(service, start_canary, release=other, share=share)
    with pytest.raises(ConflictError, match="is no canary"):
        end_canary(actor=ACTOR, release=other, reason="no")
    live_elsewhere = make_service("other")
    with pytest.raises(NotAllowedError):
        start_canary(actor=ACTOR, user=admin_of(live_elsewhere), release=other, share=5)


def test_another_release_that_goes_live_ends_a_canary(service: Service, model: Model):
    live(model.revisions.get(), service)
    canary = approved(next_version(model), service, canary_share=5)
    live(next_version(model, "v1.0.2"), service, "Hate")
    assert _live(service) == {"Hate": "v1.0.2", "Sexual": "v1.0.0"}
    canary.refresh_from_db()
    assert canary.is_held
    withdraw_release(actor=ACTOR, release=canary)
    _sound()


def test_a_retired_release_leaves_nothing_live_and_frees_its_version(service: Service, model: Model):
    release = live(model.revisions.get(), service)
    next_version(model)
    with pytest.raises(ConflictError, match="is live in Content Safety"):
        delete_revision(actor=ACTOR, revision=model.revisions.get(version="v1.0.0"))
    evidence = release.evidence_at_decision
    _by_admin(service, retire_release, release=release, comment="not used any more")
    assert _live(service) == {}
    delete_revision(actor=ACTOR, revision=model.revisions.get(version="v1.0.0"))
    release.refresh_from_db()
    assert (release.revision, release.evidence_at_decision) == (None, evidence)
    _sound()


def test_who_retires_a_release_is_told_what_is_approved_and_may_follow(service: Service, model: Model, client: Client):
    release = live(model.revisions.get(), service)
    client.force_login(admin_of(service))
    page = f"/releases/{release.pk}/retire/"
    assert "afterwards. To return" in client.get(page).content.decode()
    canary = approved(next_version(model), service, canary_share=5)
    assert "afterwards. To return" in client.get(page).content.decode()
    withdraw_release(actor=ACTOR, release=canary)
    waiting = approved(next_version(model, "v1.0.2"), service)
    told = client.get(page).content.decode()
    assert f"until the service takes what is approved and waits (release {waiting.pk}): withdraw that first" in told


def test_new_findings_of_what_is_live_are_told_to_the_admins(service: Service, model: Model):
    admin = admin_of(service)
    live(model.revisions.get(), service)
    scan_later(model.revisions.get(), WARNS_HIGH)
    told = Notification.objects.filter(recipient=admin, kind="findings").values_list("title", flat=True)
    assert list(told) == [f"{model.name} v1.0.0 has 1 new finding"]
    from mop.notifications.selectors import visible_notifications  # noqa: PLC0415 - what the bell shows

    assert visible_notifications(admin).filter(kind="findings").exists()


def test_the_previous_release_is_what_is_live_or_what_it_replaced(service: Service, model: Model):
    first, second = model.revisions.get(), next_version(model)
    hate = Taxonomy.objects.get(name="Hate").pk
    assert previous_revision(service, hate, "Text", first) is None
    live(first, service)
    assert previous_revision(service, hate, "Text", first) is None
    assert previous_revision(service, hate, "Text", second) == first
    live(second, service)
    assert previous_revision(service, hate, "Text", second) == first
    assert previous_revision(service, hate, "Image", second) is None


def test_what_took_long_to_start_does_not_replace_what_was_approved_later(
    service: Service, model: Model, client: Client
):
    live(model.revisions.get(), service)
    slow = approved(next_version(model), service)
    quick = approved(next_version(model, "v1.0.2"), service, "Hate")
    assert [one.pk for one in releases_to_take(service)] == [slow.pk, quick.pk]
    mark_released(actor=ACTOR, release=quick, how=WentLive.GATEWAY)
    assert list(releases_to_take(service)) == []
    with pytest.raises(ConflictError, match="was approved later"):
        mark_released(actor=ACTOR, release=slow, how=WentLive.GATEWAY)
    client.force_login(admin_of(service))
    assert f"Release {quick.pk}</a> is live in its place" in client.get(f"/releases/{slow.pk}/").content.decode()
    assert "is live in its place" not in client.get(f"/releases/{quick.pk}/").content.decode()
    _by_admin(service, mark_released, release=slow, how=WentLive.ADMIN)
    assert _live(service) == {"Hate": "v1.0.1", "Sexual": "v1.0.1"}
    _sound()


def test_of_what_was_replaced_and_is_private_again_nothing_is_told(service: Service, model: Model):
    first, second, third = model.revisions.get(), next_version(model), next_version(model, "v1.0.2")
    for revision in (first, second):
        live(revision, service)
    release = live(third, service)
    hate = Taxonomy.objects.get(name="Hate").pk
    unpublish_revision(actor=ACTOR, revision=second)
    assert previous_revision(service, hate, "Text", third) == first
    unpublish_revision(actor=ACTOR, revision=first)
    assert previous_revision(service, hate, "Text", third) is None
    assert "v1.0.1" not in json.dumps(dict(current_evidence(release).document))


class Killed(BaseException):
    """What a process is by a kill: nothing after it runs."""


@pytest.mark.parametrize("what", ["requested", "approved", "canaryStarted", "released", "canaryEnded", "retired"])
def test_a_kill_before_a_commit_leaves_everything_as_it_was(
    what: str, service: Service, model: Model, monkeypatch: pytest.MonkeyPatch
):
    live(model.revisions.get(), service)
    canary = approved(next_version(model), service, "Hate", canary_share=5)
    third = next_version(model, "v1.0.2")
    before = (_states(), _live(service), ReleaseEvent.objects.count(), Notification.objects.count())

    def hit(name: str) -> None:
        if name == f"before release {what}":
            raise Killed

    def go() -> None:
        """One transaction, as the kill finds it: request, approval with a canary, and the switch."""
        with transaction.atomic():
            end_canary(actor=ACTOR, release=canary, reason="again")
            release = approved(third, service, canary_share=5)
            _by_admin(service, mark_released, release=release, how=WentLive.ADMIN)

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "hit", hit)
        with pytest.raises(Killed):
            go()
    assert (_states(), _live(service), ReleaseEvent.objects.count(), Notification.objects.count()) == before
    _sound()
    go()
    assert _live(service) == {"Hate": "v1.0.2", "Sexual": "v1.0.2"}
    _sound()


def test_a_stranger_switches_nothing(service: Service, model: Model):
    release = approved(model.revisions.get(), service)
    stranger = make_user()
    for do, given in (
        (mark_released, {"how": WentLive.ADMIN}),
        (retire_release, {"comment": "no"}),
        (roll_back, {"comment": "no"}),
        (start_canary, {"share": 5}),
        (end_canary, {"reason": "no"}),
    ):
        with pytest.raises(NotAllowedError):
            do(actor=ACTOR, user=stranger, release=release, **given)
