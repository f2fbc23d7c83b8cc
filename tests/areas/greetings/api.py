"""API of greetings."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema, Status

from areas.greetings.services import answered, ask
from mop.accounts.access import caller_of

router = Router(tags=["greetings"])


class Asked(Schema):
    id: str


class Greetings(Schema):
    answered: int


@router.get("/greetings", response=Greetings)
def greetings(request: HttpRequest) -> Greetings:
    """How many were answered."""
    caller_of(request)
    return Greetings(answered=answered())


@router.post("/greetings", response={202: Asked})
def add(request: HttpRequest) -> Status[Asked]:
    """Ask for one."""
    caller = caller_of(request)
    return Status(202, Asked(id=ask(actor=caller.actor, user=caller.user)))
