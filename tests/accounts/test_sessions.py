"""The session brings its person along, and lets nobody in whom Django would not."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import SignIn, User
from support.browsing import client_of
from support.factories import make_user

PAGE = "/accounts/security/"


@pytest.fixture
def owner(db: None) -> User:
    return make_user("olivia")


def test_the_session_and_its_person_are_one_query(owner: User):
    client = client_of(owner)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(PAGE).status_code == 200
    asked = [query["sql"] for query in queries.captured_queries]
    assert [sql for sql in asked if "django_session" in sql] == asked[:1]
    assert 'FROM "accounts_user"' in asked[0]
    assert not any('FROM "accounts_user"' in sql for sql in asked[1:])


def test_a_session_that_is_on_no_list_is_its_persons_all_the_same(owner: User):
    client = client_of(owner)
    SignIn.objects.all().delete()
    assert client.get(PAGE).context["user"] == owner


def test_a_session_listed_as_somebody_elses_stays_its_own_persons(owner: User):
    client = client_of(owner)
    SignIn.objects.update(user=make_user("sam"))
    assert client.get(PAGE).context["user"] == owner


@pytest.mark.parametrize("what", ["disabled", "another password", "another backend"])
def test_who_may_not_be_let_in_is_led_to_sign_in(owner: User, what: str):
    client = client_of(owner)
    assert client.get(PAGE).status_code == 200
    if what == "disabled":
        User.objects.update(is_active=False)
    elif what == "another password":
        owner.set_password("a new one, set by nobody's browser")
        owner.save()
    else:
        session = client.session
        session["_auth_user_backend"] = "somewhere.else.Backend"
        session.save()
    assert client.get(PAGE).headers["Location"].startswith("/accounts/login/")
