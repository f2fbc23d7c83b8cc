from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from mop.areas.area import Area
from mop.areas.references import Ref
from mop.audit.models import AuditEvent
from mop.errors import ConflictError, ValidationFailedError
from mop.registry.editing import change_model, change_note
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.samples import DEPTH_MAX, SAMPLE_BYTES_MAX
from mop.registry.services import (
    ConnectionInput,
    add_owner,
    create_model,
    create_revision,
    delete_model,
    delete_revision,
    remove_owner,
)
from support.areas import also_registered
from support.factories import ACTOR, make_model, make_revision_input, make_task, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def create(**fields: Any) -> Revision:
    user = make_user()
    task = make_task()
    given = {
        "name": "scorer",
        "description": "",
        "team": user.teams.get(),
        "connections": [ConnectionInput(task, "Hate")],
        "revision": fields.get("revision") or make_revision_input(),
    } | fields
    return create_model(actor=ACTOR, user=user, **given)


def test_a_model_is_made_with_owner_connections_and_a_private_first_revision():
    revision = create()
    model = Model.objects.get(name="scorer")
    assert list(model.owners.all()) == [model.created_by]
    assert [(row.taxonomy.name, row.customized_name) for row in model.connections.all()] == [("Hate", "Hate")]
    assert (revision.status, revision.publish_status, revision.attempt) == ("created", "private", 1)
    assert revision.note.startswith("This version for model scorer is created by ")
    assert revision.workflow_id == f"{revision.pk}:1"


def test_a_database_that_fails_in_between_keeps_nothing_of_a_model():
    def lost(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith('INSERT INTO "registry_revisionevent"'):
            raise OperationalError("the connection was lost")
        return execute(sql, *rest)

    with connection.execute_wrapper(lost), pytest.raises(OperationalError):
        create()
    assert not Model.objects.exists()
    assert not TaskConnection.objects.exists()
    assert not AuditEvent.objects.filter(action__in=("model.created", "revision.created")).exists()


@pytest.mark.parametrize("name", ["", "a b", "ü", "a/b", "a.b", "a\n", "x" * 101])
def test_model_names_are_letters_digits_underscore_and_hyphen(name: str):
    with pytest.raises(ValidationFailedError) as caught:
        create(name=name)
    assert list(caught.value.fields) == ["name"]


def test_model_names_are_unique_and_case_sensitive():
    create()
    create(name="Scorer")
    with pytest.raises(ValidationFailedError) as caught:
        create()
    assert list(caught.value.fields) == ["name"]


@pytest.mark.parametrize("version", ["", " ", "-1", "a/b", "v 1", "v1\n", "x" * 65])
def test_versions_are_short_words(version: str):
    with pytest.raises(ValidationFailedError) as caught:
        create(revision=make_revision_input(version))
    assert list(caught.value.fields) == ["version"]


def test_a_version_is_unique_within_its_model():
    model = make_model(version="v1")
    make_model(version="v1")
    with pytest.raises(ValidationFailedError) as caught:
        create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v1"))
    assert caught.value.fields == {"version": ["The model has a version v1 already. Choose another one."]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("worker_number", 0),
        ("worker_number", 65),
        ("thread_number", 0),
        ("batch_max_size", 0),
        ("batch_idle_size", 0),
        ("batch_max_interval", -0.1),
        ("batch_max_interval", 10.5),
        ("load_test_option", "perhaps"),
        ("server", "apache"),
        ("model_url", ""),
        ("model_url", "ftp://example.org/model"),
        ("model_url", "file:///etc"),
        ("model_url", "https://elsewhere.blob.core.windows.net/models/m"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named(field: str, value: object):
    with pytest.raises(ValidationFailedError) as caught:
        create(revision=make_revision_input(**{field: value}))
    assert list(caught.value.fields) == [field]
    assert not Model.objects.exists()


def test_the_idle_batch_fits_into_the_max_batch():
    model = make_model()
    fields = {"batch_max_size": 2, "batch_idle_size": 3}
    told = {"batch_idle_size": ["The idle batch size must not be over the max batch size, 2."]}
    with pytest.raises(ValidationFailedError) as caught:
        create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2", **fields))
    assert caught.value.fields == told
    with pytest.raises(ValidationFailedError) as caught:
        create(revision=make_revision_input(**fields))
    assert caught.value.fields == told


def test_a_sample_fits_a_request_of_a_model_service():
    """The same limits as for another sample of a version that is verified."""
    deep: Any = "x"
    for _ in range(DEPTH_MAX):
        deep = [deep]
    model = make_model()
    for sample in ({"text": "x" * SAMPLE_BYTES_MAX}, deep):
        with pytest.raises(ValidationFailedError) as caught:
            create(revision=make_revision_input(sample_post_data=sample))
        assert list(caught.value.fields) == ["sample_post_data"]
        given = make_revision_input("v2", sample_post_data=sample)
        with pytest.raises(ValidationFailedError):
            create_revision(actor=ACTOR, user=model.created_by, model=model, revision=given)


def test_all_problems_of_a_form_are_told_at_once():
    with pytest.raises(ValidationFailedError) as caught:
        create(name="a b", connections=[], revision=make_revision_input("v 1", worker_number=0))
    assert set(caught.value.fields) == {"name", "connections", "version", "worker_number"}


def test_at_least_one_task_at_most_one_of_a_taxonomy_under_different_names():
    hate, more_hate, violence = make_task(), make_task(), make_task(taxonomy="Violence")
    wrong = (
        [],
        [ConnectionInput(hate, "a"), ConnectionInput(more_hate, "b")],
        [ConnectionInput(hate, "same"), ConnectionInput(violence, "same ")],
        [ConnectionInput(hate, "  ")],
        [ConnectionInput(hate, "x" * 101)],
    )
    for connections in wrong:
        with pytest.raises(ValidationFailedError) as caught:
            create(connections=connections)
        assert list(caught.value.fields) == ["connections"]
    create(connections=[ConnectionInput(hate, "hateful"), ConnectionInput(violence, "violent")])


def test_an_owner_can_be_added_and_the_last_is_never_removed():
    model, colleague = make_model(), make_user()
    first = model.owners.get()
    with pytest.raises(ConflictError):
        remove_owner(actor=ACTOR, model=model, user=first)
    add_owner(actor=ACTOR, model=model, user=colleague)
    remove_owner(actor=ACTOR, model=model, user=first)
    assert list(model.owners.all()) == [colleague]
    remove_owner(actor=ACTOR, model=model, user=first)  # is none any more
    with pytest.raises(ConflictError):
        remove_owner(actor=ACTOR, model=model, user=colleague)


def test_description_and_note_can_change():
    model = make_model()
    change_model(actor=ACTOR, model=model, description="new")
    change_note(actor=ACTOR, revision=model.revisions.get(), note="newer")
    model.refresh_from_db()
    assert (model.description, model.revisions.get().note) == ("new", "newer")


def test_a_version_is_deleted_but_not_the_only_one():
    model = make_model()
    only = model.revisions.get()
    with pytest.raises(ConflictError, match="only version"):
        delete_revision(actor=ACTOR, revision=only)
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    delete_revision(actor=ACTOR, revision=only)
    assert [row.version for row in model.revisions.all()] == ["v2"]
    model.refresh_from_db()
    assert (model.all_newest_version, model.all_usable_version) == ("v2", "")


def test_a_model_goes_with_its_versions_events_and_connections():
    model, other = make_model(), make_model()
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    delete_model(actor=ACTOR, model=model)
    assert list(Model.objects.all()) == [other]
    assert Revision.objects.get().model == other


def test_what_an_area_above_holds_is_not_deleted():
    model = make_model()
    with also_registered(Area(name="above", deletion_guards=(Ref(f"{__name__}:held"),))):
        with pytest.raises(ConflictError, match="live in a service"):
            delete_model(actor=ACTOR, model=model)
        create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
        with pytest.raises(ConflictError, match="live in a service"):
            delete_revision(actor=ACTOR, revision=model.revisions.get(version="v1.0.0"))
        delete_revision(actor=ACTOR, revision=model.revisions.get(version="v2"))


def held(revision: Revision) -> str | None:
    """The guard of that area."""
    return "It is live in a service." if revision.version == "v1.0.0" else None


def test_a_url_outside_the_allowed_roots_is_refused_before_anything_is_stored(settings: Settings):
    revision = make_revision_input()
    settings.MOP_FILE_ROOTS = ()
    with pytest.raises(ValidationFailedError) as caught:
        create(revision=revision)
    assert list(caught.value.fields) == ["model_url"]
    assert not Revision.objects.exists()
