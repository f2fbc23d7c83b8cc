"""What a model's row tells of its versions is always what its versions say."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from mop.accounts.services import actor_of
from mop.registry.advance import advance
from mop.registry.models import Model, Revision
from mop.registry.publishing import publish_revision, set_outdated, unpublish_revision
from mop.registry.services import cancel_revision, create_revision, delete_revision, retry_revision
from mop.registry.statuses import CHAIN, RevisionStatus
from mop.registry.summaries import HIDDEN_BY_DEFAULT
from support.factories import ACTOR, make_model, make_revision_input, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def expected(model: Model, prefix: str) -> dict[str, object]:
    """The summary, computed anew from the versions."""
    rows = list(model.revisions.order_by("-created_at", "-id"))
    if prefix == "public_":
        rows = [row for row in rows if row.publish_status == "public"]
    usable = [row.version for row in rows if row.status == "verified"]
    moments = [moment for row in rows for moment in (row.status_changed_at, row.publish_changed_at) if moment]
    return {
        "newest_id": rows[0].pk if rows else None,
        "newest_version": rows[0].version if rows else "",
        "newest_status": rows[0].status if rows else "created",
        "usable_version": usable[0] if usable else "",
        "is_living": any(row.status not in HIDDEN_BY_DEFAULT for row in rows),
        "updated_at": max(moments) if moments else model.created_at,
    }


def check(model: Model) -> None:
    model.refresh_from_db()
    for prefix in ("all_", "public_"):
        found = {name: getattr(model, prefix + name) for name in expected(model, prefix)}
        assert found == expected(model, prefix), prefix
    assert model.is_public == model.revisions.filter(publish_status="public").exists()


def verify(revision: Revision) -> None:
    for status in CHAIN[1:]:
        advance(revision_id=revision.pk, attempt=revision.attempt, to=status, actor=ACTOR)
        check(revision.model)


def test_it_follows_every_change_of_a_version():
    model = make_model()
    actor = actor_of(model.created_by)
    first = model.revisions.get()
    check(model)
    verify(first)
    publish_revision(actor=actor, revision=first)
    check(model)
    second = create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    check(model)
    cancel_revision(actor=actor, revision=second)
    check(model)
    retry_revision(actor=actor, revision=second)
    check(model)
    second.refresh_from_db()
    verify(second)
    assert model.revisions.count() == 2
    set_outdated(actor=actor, revision=first)
    check(model)
    unpublish_revision(actor=actor, revision=first)
    check(model)
    delete_revision(actor=actor, revision=second)
    check(model)
    model.refresh_from_db()
    assert (model.all_newest_version, model.all_is_living, model.is_public) == ("v1.0.0", False, False)


def test_a_failed_newest_version_leaves_the_model_living_and_the_usable_one_usable():
    model = make_model()
    verify(model.revisions.get())
    second = create_revision(actor=ACTOR, user=make_user(), model=model, revision=make_revision_input("v2"))
    advance(revision_id=second.pk, attempt=1, to=RevisionStatus.VERIFY_FAILED, actor=ACTOR)
    check(model)
    assert (model.all_newest_status, model.all_usable_version, model.all_is_living) == ("verifyFailed", "v1.0.0", True)


def test_the_migration_fills_rows_that_stand_and_can_go_back():
    """It alone is taken back and made again: with all that was built upon it that takes a minute on PostgreSQL."""
    model = make_model("old")
    Revision.objects.filter(model=model).update(status="verified", publish_status="public")
    summary = [
        field for field in Model._meta.concrete_fields if field.name.startswith(("all_", "public_", "is_public"))
    ]
    Model.objects.filter(pk=model.pk).update(**{field.name: field.get_default() for field in summary})
    loader = MigrationLoader(connection)
    before = loader.project_state([("registry", "0005_owners")])
    migration = loader.get_migration("registry", "0006_model_summaries")
    editor = connection.schema_editor()  # not entered: the migration changes no table
    migration.unapply(before.clone(), editor)
    migration.apply(before.clone(), editor)
    check(Model.objects.get(name="old"))


def test_what_was_built_upon_the_summaries_can_be_taken_back():
    loader = MigrationLoader(connection)
    later = loader.graph.backwards_plan(("registry", "0006_model_summaries"))
    assert ("registry", "0007_card_texts") in later
    stuck = [
        (name, operation)
        for name in later
        for operation in loader.get_migration(*name).operations
        if not operation.reversible
    ]
    assert stuck == []
