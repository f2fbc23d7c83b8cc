"""Two people at once: what one adds while another deletes, and what both do to one thing."""

from __future__ import annotations

import pytest
from django.db import transaction

from mop.contract_runs.services import add_task
from mop.registry.advance import advance
from mop.registry.groups import create_group, share_group
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision, delete_model
from mop.registry.statuses import RevisionStatus
from support.at_once import at_once
from support.factories import ACTOR, make_model, make_revision_input, make_task, make_user, put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.dialect, pytest.mark.usefixtures("engine_database")]


def test_a_version_that_is_added_while_its_model_is_deleted_goes_with_it_or_is_refused():
    for number in range(4):
        model = make_model(f"model-{number}")
        given = make_revision_input("v2")
        found = at_once(
            lambda model=model, given=given: create_revision(
                actor=ACTOR, user=model.created_by, model=model, revision=given
            ),
            lambda model=model: delete_model(actor=ACTOR, model=model),
        )
        assert found in (["", ""], ["", "NotFoundError"])
        assert not Model.objects.filter(pk=model.pk).exists()
        assert not Revision.objects.filter(model=model.pk).exists()


def test_a_task_is_added_while_versions_change_their_status():
    """Both lock the versions before the model; in the other order each would wait for the other."""
    tasks = [make_task(taxonomy=name) for name in ("Sexual", "Violence", "Self-harm", "Jailbreak")]
    model = make_model()
    for number in range(4):
        create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input(f"v2.{number}"))
    with transaction.atomic():
        put(model.revisions.all(), status=RevisionStatus.VERIFIED)
    versions = list(model.revisions.all())
    for task, version in zip(tasks, versions, strict=False):
        found = at_once(
            lambda task=task: add_task(actor=ACTOR, model=model, task=task),
            lambda version=version: advance(revision_id=version.pk, attempt=1, to=RevisionStatus.OUTDATED, actor=ACTOR),
        )
        assert found == ["", ""]


def test_two_who_share_a_group_with_the_same_person_make_one_share():
    reader = make_user()
    for number in range(4):
        group = create_group(actor=ACTOR, user=make_user(), name=f"group {number}")
        share = lambda group=group: share_group(actor=ACTOR, group=group, user=reader)  # noqa: E731 - a call among calls
        assert at_once(share, share, share) == ["", "", ""]
        assert group.shares.count() == 1
