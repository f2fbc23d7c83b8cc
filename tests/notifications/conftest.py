"""A model with two owners, and a way to lead it to a status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mop.accounts.models import User
from mop.audit.services import Actor
from mop.registry.advance import advance
from mop.registry.models import Model, Revision
from mop.registry.statuses import CHAIN, RevisionStatus
from support.factories import make_model, make_task, make_user

WORKER = Actor.system("worker")
End = Callable[..., None]


@pytest.fixture
def olivia(db: None) -> User:
    return make_user("olivia")


@pytest.fixture
def sam(db: None) -> User:
    return make_user("sam")


@pytest.fixture
def model(olivia: User, sam: User) -> Model:
    model = make_model("toxicity", owner=olivia, tasks=(make_task("hate in text"),))
    model.owners.add(sam)  # by no service: nobody is told
    return model


@pytest.fixture
def revision(model: Model) -> Revision:
    return model.revisions.get()


@pytest.fixture
def end(revision: Revision) -> End:
    """Lead the revision's attempt to a status."""

    def lead(to: RevisionStatus, **fields: Any) -> None:
        revision.refresh_from_db()
        straight = CHAIN[1 : CHAIN.index(to) + 1] if to in CHAIN else ()
        for status in straight[:-1]:
            advance(revision_id=revision.pk, attempt=revision.attempt, to=status, actor=WORKER)
        advance(revision_id=revision.pk, attempt=revision.attempt, to=to, actor=WORKER, **fields)

    return lead
