from __future__ import annotations

import datetime as dt
import re

import pytest

from mop.catalog.models import InstanceType
from mop.catalog.services import offer_instance_type
from mop.errors import ValidationFailedError
from mop.registry.proposals import propose_first_revision, propose_name, propose_next_revision
from mop.registry.services import create_revision
from mop.registry.versions import recommend_name, recommend_version
from support.factories import ACTOR, make_model, make_revision_input, make_user

pytestmark = pytest.mark.dialect

TODAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("last", "following"),
    [
        (None, "v1.0.0"),
        ("v1.0.0", "v1.0.1"),
        ("1.0.0", "1.0.1"),
        ("v1", "v2"),
        ("1", "2"),
        ("v1.0.9", "v1.0.10"),
        ("v1.9", "v1.10"),
        ("099", "100"),
        ("first", "2026-11-23"),
        ("v1.0.0-rc1", "2026-11-23"),
        ("2026-11-22", "2026-11-23"),
        ("v1.0.", "2026-11-23"),
        ("v１", "2026-11-23"),  # noqa: RUF001 - a digit, but not one that we count with
    ],
)
def test_the_next_version_is_recommended_from_the_last(last: str | None, following: str):
    assert recommend_version(last, TODAY) == following


@pytest.mark.parametrize(
    ("username", "start"), [("ada", "ada"), ("ada.l0velace", "adalvelace"), ("42", "my"), ("x" * 150, "x" * 80)]
)
def test_a_name_is_the_letters_of_the_user_and_four_random_ones(username: str, start: str):
    assert re.fullmatch(f"{start}-model-[a-z]{{4}}", recommend_name(username))


@pytest.mark.django_db
def test_a_proposed_name_is_a_valid_model_name():
    user = make_user("o.brien@example.org")
    model = make_model(propose_name(user), owner=user)
    assert model.name.startswith("obrienexampleorg-model-")


@pytest.mark.django_db
def test_the_first_version_is_proposed_with_the_defaults():
    proposed = propose_first_revision()
    assert (proposed.version, proposed.instance_type.name) == ("v1.0.0", "Standard_F4s_v2")
    assert proposed.model_url == ""


@pytest.mark.django_db
def test_a_further_version_takes_over_the_newest_ones_fields_but_not_its_note():
    given = {"worker_number": 2, "thread_number": 3, "batch_enabled": False, "batch_max_size": 9, "batch_idle_size": 4}
    given |= {"batch_max_interval": 0.5, "regression_enabled": False, "load_test_option": "off"}
    given |= {"sample_post_data": {"text": "x"}, "server": "gunicorn"}
    model = make_model(version="1.0", note="mine", **given)
    proposed = propose_next_revision(model)
    assert {name: getattr(proposed, name) for name in given} == given
    assert (proposed.version, proposed.note) == ("1.1", "")
    assert proposed.model_url == make_revision_input().model_url


@pytest.mark.django_db
def test_a_proposed_version_is_free():
    user = make_user()
    model = make_model(owner=user, version="v2")
    create_revision(actor=ACTOR, user=user, model=model, revision=make_revision_input("v1"))
    assert propose_next_revision(model).version == "v3"


@pytest.mark.django_db
def test_when_todays_date_is_taken_it_is_numbered():
    user = make_user()
    model = make_model(owner=user, version="first")
    for following in ("", ".2", ".3"):
        proposed = propose_next_revision(model)
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d{re.escape(following)}", proposed.version)
        create_revision(actor=ACTOR, user=user, model=model, revision=proposed)


@pytest.mark.django_db
def test_a_new_version_has_an_instance_type_that_is_offered():
    user = make_user()
    model = make_model(owner=user)
    default = InstanceType.objects.get(name="Standard_F4s_v2")
    offer_instance_type(actor=ACTOR, instance_type=default, is_offered=False)
    assert propose_first_revision().instance_type.name == "Standard_F2s_v2"
    with pytest.raises(ValidationFailedError) as refused:
        create_revision(actor=ACTOR, user=user, model=model, revision=propose_next_revision(model))
    assert refused.value.fields == {"instance_type": ["Standard_F4s_v2 is retired. Choose one that is offered."]}
    assert model.revisions.get().instance_type == default
