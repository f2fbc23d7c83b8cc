"""The durable work of greetings."""

from __future__ import annotations

from dbos import DBOS

from areas.greetings.area import ANSWER
from areas.greetings.services import give
from mop.engine.database import in_database


@DBOS.workflow(name=ANSWER.name)
async def answer(greeting: str, username: str) -> str:
    await give_step(greeting, username)
    return "hello"


@DBOS.step(name="greetings.give")
async def give_step(greeting: str, username: str) -> None:
    await in_database(give)(greeting, username)
