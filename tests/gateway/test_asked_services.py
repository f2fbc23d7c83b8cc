"""What is asked of a model's service: items that come together go together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import pytest

from mop.errors import DeploymentCrashedError, MopError, QueueFullError, UserScriptException
from mop.gateway.categories import Kind
from mop.gateway.request_ids import FETCHED_IDS, RequestIds
from mop.gateway.running_versions import GATHERED_BYTES_MAX, AskedService
from mop.serving.problem import problem_body

TOGETHER = 4
FAILS, DIES, IS_FULL = "fails", "dies", "is full"


@dataclass
class Service:
    """Answers an item with its own text; a list that holds a failing item fails, as a service's does."""

    bodies: list[Any] = field(default_factory=list)
    gone: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                asked = orjson.loads(await reader.readexactly(size))
                self.bodies.append(asked)
                await self.open.wait()
                status, body = self.answer(asked)
                writer.write(b"HTTP/1.1 %d OK\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))
        self.gone += 1
        writer.close()

    def answer(self, asked: Any) -> tuple[int, bytes]:
        texts = [one["text"] for one in asked] if isinstance(asked, list) else [asked["text"]]
        if FAILS in texts:
            place = f"item {texts.index(FAILS)}" if isinstance(asked, list) else None
            return 400, problem_body(UserScriptException("it raised", place=place), HTTPStatus.BAD_REQUEST)
        if DIES in texts:
            # of whatever item: the front names the first of the batch
            return 500, problem_body(DeploymentCrashedError("it ended", place="item 0"), HTTPStatus.BAD_GATEWAY)
        if IS_FULL in texts:
            return 429, problem_body(QueueFullError("too many"), HTTPStatus.TOO_MANY_REQUESTS)
        return 200, orjson.dumps(texts if isinstance(asked, list) else texts[0])


@contextlib.asynccontextmanager
async def asked_service(folder: Path, together: int = TOGETHER) -> AsyncIterator[tuple[Service, AskedService]]:
    service = Service()
    address = folder / "s"
    async with await asyncio.start_unix_server(service.serve, address):
        asked = AskedService(f"unix:{address}", together=together)
        yield service, asked
        asked.close()


def ask(asked: AskedService, *texts: str) -> list[asyncio.Future[Any]]:
    return [asked.ask(Kind.TEXT, orjson.dumps({"text": text})) for text in texts]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the other side of a socket tells nobody
            await asyncio.sleep(0.005)


async def test_what_comes_together_goes_to_the_service_together_and_each_gets_its_answer(tmp_path: Path):
    async with asked_service(tmp_path) as (service, asked):
        answers = ask(asked, *"abcdef")
        await until(lambda: len(service.bodies) == 2)
        answers += ask(asked, "later")  # it works on the others
        await until(lambda: len(service.bodies) == 3)
        service.open.set()
        assert await asyncio.gather(*answers) == [*"abcdef", "later"]
        texts = [[item["text"] for item in one] if isinstance(one, list) else one["text"] for one in service.bodies]
        assert sorted(texts, key=str) == [list("abcd"), list("ef"), "later"]


@pytest.mark.parametrize(("together", "size"), [(1, 1), (TOGETHER, GATHERED_BYTES_MAX)])
async def test_what_is_large_or_no_batch_is_asked_by_itself(tmp_path: Path, together: int, size: int):
    async with asked_service(tmp_path, together) as (service, asked):
        service.open.set()
        texts = [letter * size for letter in "abc"]
        assert await asyncio.gather(*ask(asked, *texts)) == texts
        assert sorted(one["text"] for one in service.bodies) == texts


async def test_an_item_that_fails_is_no_error_of_those_beside_it(tmp_path: Path):
    async with asked_service(tmp_path) as (service, asked):
        service.open.set()
        good, bad, other = await asyncio.gather(*ask(asked, "good", FAILS, "other"), return_exceptions=True)
        assert (good, other) == ("good", "other")
        assert isinstance(bad, UserScriptException)
        assert len(service.bodies) == 3  # the three together, and the two good ones again


@pytest.mark.parametrize(("text", "error"), [(IS_FULL, QueueFullError), (DIES, DeploymentCrashedError)])
async def test_what_is_no_one_items_error_is_the_answer_of_all_and_nothing_is_asked_again(
    tmp_path: Path, text: str, error: type[MopError]
):
    async with asked_service(tmp_path) as (service, asked):
        service.open.set()
        found = await asyncio.gather(*ask(asked, "good", text), return_exceptions=True)
        assert [type(one) for one in found] == [error, error]
        assert len(service.bodies) == 1


async def test_a_request_ends_when_nobody_waits_for_any_of_its_items(tmp_path: Path):
    async with asked_service(tmp_path) as (service, asked):
        one, other = ask(asked, "one", "other")
        await until(lambda: len(service.bodies) == 1)
        [first] = ask(asked, "first")
        await until(lambda: len(service.bodies) == 2)
        one.cancel()
        await asyncio.sleep(0)
        other.cancel()
        await until(lambda: not other.cancelled() or asked._client._open == 1)
        service.open.set()
        assert await first == "first"
        await until(lambda: service.gone == 1)


async def test_an_answer_without_json_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with asked_service(tmp_path) as (service, asked):
        service.open.set()
        monkeypatch.setattr(service, "answer", lambda _asked: (502, b"<html>"))
        with pytest.raises(MopError, match="502 without JSON"):
            await ask(asked, "a")[0]


@pytest.mark.parametrize("answered", [b'["only one"]', b'{"a": "no list"}'])
async def test_an_answer_to_something_else_is_an_error_of_all_that_were_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answered: bytes
):
    async with asked_service(tmp_path) as (service, asked):
        service.open.set()
        monkeypatch.setattr(service, "answer", lambda _asked: (200, answered))
        found = await asyncio.gather(*ask(asked, "a", "b"), return_exceptions=True)
        assert [type(one) for one in found] == [MopError, MopError]
        assert len(service.bodies) == 1


def test_request_ids_are_random_uuids_that_do_not_come_again():
    ids = RequestIds()
    made = [ids.next() for _ in range(3 * FETCHED_IDS)]
    read = [uuid.UUID(one) for one in made]
    assert [str(one) for one in read] == made
    assert {(one.version, one.variant) for one in read} == {(4, uuid.RFC_4122)}
    assert len(set(made)) == len(made)
    assert {one[19] for one in made} == set("89ab")
