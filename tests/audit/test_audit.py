from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from mop.accounts import services as accounts
from mop.accounts import token_services as tokens
from mop.accounts.actions import Action
from mop.accounts.models import TeamMembership, User
from mop.areas.registry import registered
from mop.areas.words import AuditAction
from mop.audit.models import AuditEvent
from mop.audit.services import Actor, record
from mop.catalog import services as catalog
from mop.catalog.models import Taxonomy
from mop.registry import services as registry
from mop.registry.advance import advance
from mop.registry.editing import change_model, change_note
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from support.factories import (
    ACTOR,
    make_model,
    make_revision_input,
    make_task,
    make_team,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
WHO = Actor(id="7", label="ada", address="192.0.2.1")


def happened(action: Callable[[], object]) -> list[str]:
    """The actions that were recorded, every one of them as ada's from her address."""
    last = AuditEvent.objects.order_by("id").last()
    action()
    events = AuditEvent.objects.order_by("id").filter(id__gt=last.pk if last else 0)
    assert {(event.actor_id, event.actor_label, event.address) for event in events} <= {("7", "ada", "192.0.2.1")}
    return [event.action for event in events]


def model_of_two() -> tuple[User, Model, Revision]:
    user = make_user()
    model = make_model(owner=user)
    revision = registry.create_revision(actor=ACTOR, user=user, model=model, revision=make_revision_input("v2"))
    return user, model, revision


def test_every_write_to_accounts_leaves_its_record():
    user, team = make_user(is_administrator=True), make_team()
    assert happened(lambda: accounts.create_user(actor=WHO, username="eve", password=None)) == [
        "user.created",
        "team.created",
        "team.member_added",
    ]
    assert happened(lambda: accounts.create_team(actor=WHO, name="new")) == ["team.created"]
    add = lambda: accounts.add_member(actor=WHO, team=team, user=user)  # noqa: E731 - done twice
    remove = lambda: accounts.remove_member(actor=WHO, team=team, user=user)  # noqa: E731 - done twice
    assert happened(add) == ["team.member_added"]
    assert happened(add) == []
    assert happened(remove) == ["team.member_removed"]
    assert happened(remove) == []
    create = lambda: tokens.create_token(actor=WHO, user=user, name="ci", scopes=["all:read"])  # noqa: E731
    assert happened(create) == ["token.created"]
    token = user.tokens.get()
    assert happened(lambda: tokens.revoke_token(actor=WHO, token=token)) == ["token.revoked"]
    assert happened(lambda: tokens.revoke_token(actor=WHO, token=token)) == []
    access = {"is_active": True, "is_administrator": True}
    assert happened(lambda: accounts.change_access(actor=WHO, user=user, **access)) == ["user.access_changed"]


def test_every_write_to_the_catalog_leaves_its_record():
    user, team = make_user(), make_team()
    assert happened(lambda: catalog.create_taxonomy(actor=WHO, name="Spam")) == ["taxonomy.created"]
    sizes = {"name": "tiny", "vcpus": 1, "memory_gib": 1.0}
    assert happened(lambda: catalog.create_instance_type(actor=WHO, **sizes)) == ["instance_type.created"]
    task = {"name": "spam", "description": "", "modality": "Text", "label_type": "Categorical", "labels": ["0", "1"]}
    taxonomy = Taxonomy.objects.get(name="Spam")
    assert happened(
        lambda: catalog.create_task(actor=WHO, user=user, team=team, owners=[user], taxonomy=taxonomy, **task)
    ) == ["task.created"]


def test_every_write_to_models_leaves_its_record():
    user, model, revision = model_of_two()
    first, colleague, task = model.revisions.get(version="v1.0.0"), make_user(), make_task()
    started = ["revision.created", "revision.status"]
    assert happened(
        lambda: registry.create_model(
            actor=WHO,
            user=user,
            name="another",
            description="",
            team=user.teams.get(),
            connections=[registry.ConnectionInput(task, "Hate")],
            revision=make_revision_input(),
        )
    ) == ["model.created", *started]
    new = make_revision_input("v3")
    assert happened(lambda: registry.create_revision(actor=WHO, user=user, model=model, revision=new)) == started
    assert happened(lambda: registry.cancel_revision(actor=WHO, revision=revision)) == ["revision.status"]
    assert happened(lambda: registry.retry_revision(actor=WHO, revision=revision)) == ["revision.status"]
    to = RevisionStatus.DATA_DOWNLOADED
    step = lambda: advance(revision_id=first.pk, attempt=1, to=to, actor=WHO)  # noqa: E731 - done twice
    assert happened(step) == ["revision.status"]
    assert happened(step) == []
    assert happened(lambda: change_model(actor=WHO, model=model, description="x")) == ["model.description_changed"]
    assert happened(lambda: change_note(actor=WHO, revision=revision, note="x")) == ["revision.note_changed"]
    add = lambda: registry.add_owner(actor=WHO, model=model, user=colleague)  # noqa: E731 - done twice
    remove = lambda: registry.remove_owner(actor=WHO, model=model, user=colleague)  # noqa: E731 - done twice
    assert happened(add) == ["model.owner_added"]
    assert happened(add) == []
    assert happened(remove) == ["model.owner_removed"]
    assert happened(remove) == []
    assert happened(lambda: registry.delete_revision(actor=WHO, revision=revision)) == ["revision.deleted"]
    assert happened(lambda: registry.delete_model(actor=WHO, model=model)) == ["revision.deleted"] * 2 + [
        "model.deleted"
    ]


def test_a_status_record_says_from_where_to_where_and_why():
    revision = make_model().revisions.get()
    registry.cancel_revision(actor=WHO, revision=revision)
    event = AuditEvent.objects.get(object_type="revision", object_id=str(revision.pk), actor_id="7")
    assert event.data == {"from": "created", "to": "cancelled", "attempt": 1, "error": None}
    assert event.object_label == str(revision)


def test_a_change_that_fails_leaves_no_record():
    model = make_model()
    count = AuditEvent.objects.count()
    with transaction.atomic():
        change_model(actor=WHO, model=model, description="lost")
        transaction.set_rollback(True)
    model.refresh_from_db()
    assert AuditEvent.objects.count() == count
    assert model.description != "lost"


def test_the_log_is_append_only():
    event = record(actor=WHO, action=Action.TEAM_CREATED, object_type="thing", object_id=1, object_label="x" * 400)
    assert len(event.object_label) == 300
    for rewrite in (
        event.save,
        event.delete,
        lambda: AuditEvent.objects.update(action="other"),
        lambda: AuditEvent.objects.filter(pk=event.pk).delete(),
    ):
        with pytest.raises(TypeError, match="append-only"):
            rewrite()
    assert AuditEvent.objects.get(pk=event.pk).action == "team.created"


def test_an_action_that_no_area_declares_is_refused():
    class Unheard(AuditAction):
        ACTION = "team.created"  # the word of an area, but not the area's

    for action in (Unheard.ACTION, "team.created"):
        with pytest.raises(ValueError, match=r"no area declares the action .*team\.created"):
            record(actor=WHO, action=action, object_type="thing", object_id=1, object_label="x")
    assert not AuditEvent.objects.filter(object_type="thing").exists()


def test_every_action_is_of_one_area_and_fits_its_column():
    actions = [action.value for area in registered() if area.audit_actions for action in area.audit_actions]
    assert len(set(actions)) == len(actions)
    assert max(map(len, actions)) <= AuditEvent._meta.get_field("action").max_length


def test_the_record_outlives_actor_and_object():
    user, team = make_user("gone"), make_team()
    accounts.add_member(actor=accounts.actor_of(user), team=team, user=user)
    TeamMembership.objects.filter(user=user).delete()
    user.delete()
    assert AuditEvent.objects.filter(actor_label="gone", action="team.member_added").exists()
