"""Ending what lets a person in: sessions, access tokens, and what areas above gave them."""

from __future__ import annotations

from django.db import transaction

from mop.accounts.actions import Action
from mop.accounts.models import SignIn, User
from mop.accounts.sessions import SessionStore
from mop.accounts.token_services import revoke_token
from mop.areas.registry import registered
from mop.audit.services import Actor, record


@transaction.atomic
def end_access(*, actor: Actor, user: User, why: str) -> None:
    """End all sessions and tokens of a person now."""
    end_sessions(actor=actor, user=user, why=why)
    for token in user.tokens.filter(revoked_at=None):
        revoke_token(actor=actor, token=token)


@transaction.atomic
def end_sessions(*, actor: Actor, user: User, keep: str = "", why: str = "") -> int:
    """End a person's sessions of the portal, but the one with the key `keep`; gives how many."""
    rows = list(SignIn.objects.filter(user=user).exclude(session_key=keep))
    for row in rows:
        end_session(row)
    if rows:
        record(
            actor=actor,
            action=Action.USER_SESSIONS_ENDED,
            object_type="user",
            object_id=user.pk,
            object_label=user.username,
            data={"sessions": len(rows), "why": why},
        )
    return len(rows)


def end_session(row: SignIn) -> None:
    """End one session."""
    SessionStore(session_key=row.session_key).delete()
    row.delete()


def tell_departure(*, actor: Actor, user: User) -> None:
    """Let every area end what it did in the name of a person who was disabled. Call it in the transaction of that."""
    for area in registered():
        for departure in area.departures:
            departure.load()(actor, user)
