from __future__ import annotations

import pytest
from pytest_django import Settings

from mop.catalog.models import InstanceType
from mop.engine.job import release_host
from mop.registry.advance import advance
from mop.registry.models import Revision
from mop.registry.selectors import QueuePlace, queue_place, waiting_revisions
from mop.registry.services import cancel_revision
from mop.registry.statuses import RevisionStatus
from support.factories import ACTOR, make_model, make_team, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def test_teams_take_turns_however_many_one_team_submits():
    user, busy, quiet = make_user(), make_team(), make_team()
    for number in range(3):
        make_model(f"busy-{number}", owner=user, team=busy)
    make_model("quiet-0", owner=user, team=quiet)
    queue = Revision.objects.first().queue
    names = [revision.model.name for revision in waiting_revisions(queue)]
    assert names == ["busy-0", "quiet-0", "busy-1", "busy-2"]
    places = {row.model.name: queue_place(row) for row in Revision.objects.all()}
    assert places["quiet-0"] == QueuePlace(place=2, waiting=4, instance_type="Standard_F4s_v2")
    assert places["busy-2"].place == 4


def test_on_many_hosts_instance_types_have_queues_of_their_own(settings: Settings):
    settings.MOP_SINGLE_HOST = False
    make_model()
    big = make_model(instance_type=InstanceType.objects.get(name="Standard_F8s_v2"))
    assert queue_place(big.revisions.get()) == QueuePlace(place=1, waiting=1, instance_type="Standard_F8s_v2")


def test_on_one_host_they_wait_in_one_line(settings: Settings):
    settings.MOP_SINGLE_HOST = True
    make_model()
    big = make_model(instance_type=InstanceType.objects.get(name="Standard_F8s_v2"))
    assert queue_place(big.revisions.get()).place == 2


def test_what_left_the_queue_has_no_place_and_makes_room():
    first, second, third = (make_model().revisions.get() for _ in range(3))
    Revision.objects.filter(pk=first.pk).update(host="worker-1")
    first.refresh_from_db()
    second = cancel_revision(actor=ACTOR, revision=second)
    assert queue_place(first) is None
    assert queue_place(second) is None
    assert queue_place(third).place == 1


def test_what_lost_its_host_on_the_way_waits_again_where_it_arrived():
    first, second, third = (make_model().revisions.get() for _ in range(3))
    Revision.objects.all().update(priority=1)
    Revision.objects.filter(pk__in=(first.pk, second.pk)).update(host="w1")
    advance(revision_id=second.pk, attempt=1, to=RevisionStatus.DATA_DOWNLOADED, actor=ACTOR)
    assert queue_place(second) is None
    release_host("w1")
    assert [queue_place(revision).place for revision in (first, second, third)] == [1, 2, 3]
    cancel_revision(actor=ACTOR, revision=first)
    assert [queue_place(revision).place for revision in (second, third)] == [1, 2]
