"""Drafts of the wizard in a session that two requests have at once."""

from __future__ import annotations

import pytest

from mop.accounts.sessions import SessionStore
from mop.registry.drafts import DRAFTS_MAX, Drafts

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture
def key() -> str:
    session = SessionStore()
    session.create()
    assert session.session_key
    return session.session_key


def of_a_request(key: str) -> Drafts:
    """Those of a request, which has read its session."""
    session = SessionStore(key)
    session.load()
    return Drafts(session)


def test_what_two_requests_keep_at_once_is_kept(key: str):
    typing, sending = SessionStore(key), SessionStore(key)
    assert list(typing.keys()) == list(sending.keys()) == []  # both have read it
    sent = Drafts(sending).keep("", "model", {"name": "one"})
    typed = Drafts(typing).keep("", "typed", {"name": "on"})
    assert of_a_request(key).read(sent, "model") == {"name": "one"}
    assert of_a_request(key).read(typed, "typed") == {"name": "on"}
    assert (typing.modified, sending.modified) == (False, False)  # else the older whole would be written once more


def test_a_step_is_dropped_and_a_draft_forgotten(key: str):
    drafts = of_a_request(key)
    draft = drafts.keep("", "model", {"name": "one"})
    drafts.keep(draft, "typed", {"name": "on"})
    drafts.drop(draft, "typed")
    assert (drafts.read(draft, "model"), drafts.read(draft, "typed")) == ({"name": "one"}, None)
    drafts.forget(draft)
    assert of_a_request(key).read(draft, "model") is None


def test_the_oldest_draft_gives_way(key: str):
    drafts = of_a_request(key)
    kept = [drafts.keep("", "model", {"number": number}) for number in range(DRAFTS_MAX + 1)]
    assert [drafts.read(draft, "model") is not None for draft in kept] == [False] + [True] * DRAFTS_MAX
