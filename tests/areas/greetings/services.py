"""Asking for greetings and answering them; the audit log is all that is kept."""

from __future__ import annotations

import datetime as dt
import functools
import uuid

from django.db import transaction

from areas.greetings.area import ANSWER
from areas.greetings.words import Action, Kind
from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.audit.services import Actor, record
from mop.engine.client import enqueue
from mop.engine.lost_enqueues import Job
from mop.notifications.services import News, notify
from mop.registry.models import Revision

GREETER = Actor.system("greeter")


@transaction.atomic
def ask(*, actor: Actor, user: User) -> str:
    """Ask for a greeting of a person; its id."""
    greeting = str(uuid.uuid4())
    record(actor=actor, action=Action.ASKED, object_type="greeting", object_id=greeting, object_label=user.username)
    transaction.on_commit(functools.partial(put_on_queue, greeting, user))
    return greeting


def put_on_queue(greeting: str, user: User) -> None:
    enqueue(workflow=ANSWER.name, queue=ANSWER.queue.name, workflow_id=greeting, args=(greeting, user.pk))


def unanswered(_before: dt.datetime) -> list[str]:
    """What may have been lost: what is not answered yet."""
    done = AuditEvent.objects.filter(action=Action.ANSWERED).values("object_id")
    asked = AuditEvent.objects.filter(action=Action.ASKED).exclude(object_id__in=done)
    return list(asked.values_list("object_id", flat=True))


def again(greeting: str) -> None:
    asked = AuditEvent.objects.get(action=Action.ASKED, object_id=greeting)
    put_on_queue(greeting, User.objects.get(username=asked.object_label))


JOB = Job(unanswered, again)


@transaction.atomic
def give(greeting: str, user_id: int) -> None:
    user = User.objects.get(pk=user_id)
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
