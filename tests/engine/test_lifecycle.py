"""Declared lifecycles: what they offer, and the contradictions that they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from mop.engine.lifecycle import Lifecycle, State, Tone, absent, final, live
from mop.loadtest.states import LOAD_TEST_LIFECYCLE
from mop.registry.statuses import REVISION_LIFECYCLE


class Parcel(State):
    NONE = absent("none", "There is no parcel.")
    QUEUED = live("queued", "The parcel waits.")
    PACKED = live("packed", "The parcel is packed.", tone=Tone.WARN, label="in its box")
    SENT = final("sent", "The parcel was sent.", tone=Tone.OK)
    LOST = final("lost", "The parcel was lost.", tone=Tone.BAD)


P = Parcel
GIVEN: dict[str, Any] = {"path": (P.QUEUED, P.PACKED, P.SENT), "exits": {P.LOST}}


def test_a_state_knows_its_word_label_meaning_tone_and_phase():
    assert (P.PACKED, P("packed"), str(P.PACKED)) == ("packed", P.PACKED, "packed")
    assert (P.PACKED.label, P.PACKED.meaning, P.PACKED.tone) == ("in its box", "The parcel is packed.", "warn")
    assert P.choices[1:3] == [("queued", "queued"), ("packed", "in its box")]
    assert (P.QUEUED.tone, P.NONE.tone) == (Tone.BUSY, Tone.QUIET)
    assert [(state.is_live, state.is_final) for state in (P.NONE, P.QUEUED, P.SENT)] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_transitions_follow_from_path_and_exits():
    lifecycle = Lifecycle(**GIVEN)
    assert lifecycle.transitions == {
        P.NONE: frozenset(),
        P.QUEUED: {P.PACKED, P.LOST},
        P.PACKED: {P.SENT, P.LOST},
        P.SENT: frozenset(),
        P.LOST: frozenset(),
    }
    assert (lifecycle.start, lifecycle.live, lifecycle.final) == (P.QUEUED, {P.QUEUED, P.PACKED}, {P.SENT, P.LOST})
    assert lifecycle.reachable(P.PACKED) == {P.PACKED, P.SENT, P.LOST}


def test_further_transitions_are_added_and_only_restarts_give_attempts():
    lifecycle = Lifecycle(**GIVEN, further={P.SENT: {P.LOST}}, restarts={P.LOST})
    assert lifecycle.transitions[P.SENT] == {P.LOST}
    assert lifecycle.has_attempts
    assert not Lifecycle(**GIVEN).has_attempts


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"path": (P.QUEUED, P.PACKED, P.QUEUED, P.SENT)}, "a state stands twice in the path"),
        ({"path": (P.SENT, P.LOST), "exits": ()}, "it starts in sent, which is not live"),
        ({"exits": ()}, "lost cannot be reached from queued"),
        ({"path": (P.QUEUED, P.SENT)}, "packed cannot be reached from queued"),
        ({"path": (P.QUEUED, P.PACKED), "exits": ()}, "packed is live, but never leads to a final state"),
        ({"further": {P.SENT: {P.QUEUED}}}, "sent is final, but goes on to a live state"),
        ({"further": {P.NONE: {P.QUEUED}}}, "none is absent, but has transitions"),
        ({"exits": {P.LOST, P.NONE}}, "none is absent, but has transitions"),
        ({"restarts": {P.NONE}}, "none is absent, but has transitions"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(changes: dict[str, Any], problem: str):
    with pytest.raises(ValueError, match="the lifecycle of Parcel contradicts itself") as caught:
        Lifecycle(**GIVEN | changes)
    assert problem in str(caught.value)


def test_a_state_without_a_meaning_is_refused():
    class Plain(State):
        OPEN = live("open", "")
        CLOSED = final("closed", "It is closed.", tone=Tone.OK)

    with pytest.raises(ValueError, match="open has no meaning"):
        Lifecycle(path=(Plain.OPEN, Plain.CLOSED))


def test_revisions_have_attempts_and_load_tests_have_none():
    assert {state.value for state in REVISION_LIFECYCLE.restarts} == {"verifyFailed", "cancelled", "toBeRetried"}
    assert not LOAD_TEST_LIFECYCLE.has_attempts


def test_every_live_state_can_be_cancelled():
    for lifecycle in (REVISION_LIFECYCLE, LOAD_TEST_LIFECYCLE):
        for state in lifecycle.live:
            assert "cancelled" in lifecycle.transitions[state], state
