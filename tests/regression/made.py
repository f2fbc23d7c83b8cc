"""DSAT cases that tests of regression tests need, and what models say of them."""

from __future__ import annotations

from typing import Any

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.dsat.models import Case
from mop.dsat.services import add_case
from support.factories import make_user

SECRET = "nobody-may-read-this"


def made_case(task: Task, text: str, *, submitter: User | None = None, **fields: Any) -> Case:
    """A case whose expected label is 1 unless told."""
    user = submitter or make_user()
    given = fields if {"expected_label", "kind"} & fields.keys() else {"expected_label": "1", **fields}
    return add_case(task=task, content={"text": text}, actor=actor_of(user), submitter=user, **given)


def knows(*words: str) -> Any:
    """A model that says 1 to texts with one of these words; it has no answer to texts with `raise`."""

    def predict(item: Any) -> str:
        if "raise" in item["text"]:
            return "[UserScriptException]"
        return str(int(any(word in item["text"] for word in words)))

    return predict
