"""Asking for greetings and answering them; the audit log is all that is kept."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction

from areas.greetings.area import ANSWER
from areas.greetings.words import Action, Kind
from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.audit.services import Actor, record
from mop.engine.job import Job
from mop.notifications.services import News, notify
from mop.registry.models import Revision

GREETER = Actor.system("greeter")


@transaction.atomic
def ask(*, actor: Actor, user: User) -> str:
    """Ask for a greeting of a person; its id."""
    greeting = str(uuid.uuid4())
    record(actor=actor, action=Action.ASKED, object_type="greeting", object_id=greeting, object_label=user.username)
    JOB.start(Greeting(greeting, user.username))
    return greeting


@dataclass(frozen=True)
class Greeting:
    """What waits for an answer."""

    id: str
    username: str


def unanswered(_before: dt.datetime) -> list[Greeting]:
    done = AuditEvent.objects.filter(action=Action.ANSWERED).values("object_id")
    asked = AuditEvent.objects.filter(action=Action.ASKED).exclude(object_id__in=done)
    return [Greeting(event.object_id, event.object_label) for event in asked]


JOB: Job[Greeting] = Job(
    workflow=ANSWER.name,
    workflow_id=lambda greeting: greeting.id,
    queue=lambda _greeting: ANSWER.queue.name,
    args=lambda greeting: (greeting.id, greeting.username),
    waiting=unanswered,
)


@transaction.atomic
def give(greeting: str, username: str) -> None:
    user = User.objects.get(username=username)
    record(
        actor=GREETER, action=Action.ANSWERED, object_type="greeting", object_id=greeting, object_label=user.username
    )
    news = News(Kind.GREETED, f"greeting:{greeting}", f"Hello {user.username}", "You asked for it.", "/greetings/")
    notify(actor=GREETER, people=[user], news=news)


def answered() -> int:
    return AuditEvent.objects.filter(action=Action.ANSWERED).count()


def may_be_greeted(revision: Revision) -> bool:
    return revision.version == "hello"


def turn_of(revision: Revision) -> tuple[str, int]:
    return ANSWER.queue.name, revision.attempt


def held(revision: Revision) -> str | None:
    return f"{revision} is being greeted." if may_be_greeted(revision) else None
