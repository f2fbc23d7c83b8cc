"""The routes of the wire contract beside the analysis: blocklists and their items; and the report of an answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mop.audit.services import Actor
from mop.engine.database import in_database
from mop.gateway import blocklists
from mop.gateway.analyze_requests import read_object
from mop.gateway.answer_log import AnswerLog
from mop.gateway.blocklists import Page
from mop.gateway.reports import FIELDS, report_answer
from mop.gateway.wire_errors import INVALID_NAME, WireError, invalid, not_found
from mop.releases.models import Service

if TYPE_CHECKING:
    from mop.gateway.app import Asked

Handler = Callable[[], Awaitable[tuple[int, Any]]]
PAGE_DEFAULT = 100
PAGE_MAX = 1000
SKIP_MAX = 1_000_000_000
_LIST = re.compile(r"text/blocklists/([^/:]+)(?::(addOrUpdateBlocklistItems|removeBlocklistItems))?")
_REPORT = re.compile(r"answers/([^/:]+):report")
_ITEMS = re.compile(r"text/blocklists/([^/:]+)/blocklistItems(?:/([^/]+))?")


class Management:
    """Handlers for one service. Each change is in the database when it is answered, for every gateway."""

    def __init__(self, service: Service, log: AnswerLog) -> None:
        self._service = service
        self._log = log

    def handler(self, asked: Asked) -> Handler:
        """Who answers.

        Raises:
            WireError: nothing has this address, or the method is another.
        """
        if asked.path == "text/blocklists":
            return self._dispatch(asked, {"GET": partial(self._list_blocklists, asked)})
        if found := _LIST.fullmatch(asked.path):
            return self._dispatch(asked, self._of_list(asked, _checked(found[1]), found[2]))
        if found := _ITEMS.fullmatch(asked.path):
            name, item = _checked(found[1]), found[2]
            if item is None:
                return self._dispatch(asked, {"GET": partial(self._list_items, asked, name)})
            return self._dispatch(asked, {"GET": partial(self._read, blocklists.read_item, name, item)})
        if found := _REPORT.fullmatch(asked.path):
            return self._dispatch(asked, {"POST": partial(self._report, asked, found[1])})
        raise not_found("The contract has no such address.")

    def _dispatch(self, asked: Asked, methods: dict[str, Handler]) -> Handler:
        if asked.method not in methods:
            allowed = ", ".join(methods)
            message, headers = f"This address takes {allowed}.", ((b"allow", allowed.encode()),)
            raise WireError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message, headers=headers)
        return methods[asked.method]

    def _of_list(self, asked: Asked, name: str, verb: str | None) -> dict[str, Handler]:
        if verb == "addOrUpdateBlocklistItems":
            return {"POST": partial(self._put_items, asked, name)}
        if verb == "removeBlocklistItems":
            return {"POST": partial(self._remove_items, asked, name)}
        return {
            "GET": partial(self._read, blocklists.read_blocklist, name),
            "PATCH": partial(self._put_blocklist, asked, name),
            "DELETE": partial(self._delete_blocklist, asked, name),
        }

    def _actor(self, asked: Asked) -> Actor:
        return Actor(f"gateway:{self._service.pk}", f"caller of {self._service.name} with key {asked.key}")

    async def _read(self, read: Callable[..., Any], *names: str) -> tuple[int, Any]:
        return HTTPStatus.OK, await in_database(read)(self._service, *names)

    async def _put_blocklist(self, asked: Asked, name: str) -> tuple[int, Any]:
        data = read_object(asked.body, frozenset({"blocklistName", "description"}))
        shown, is_new = await in_database(blocklists.put_blocklist)(
            actor=self._actor(asked), service=self._service, name=name, data=data
        )
        return HTTPStatus.CREATED if is_new else HTTPStatus.OK, shown

    async def _delete_blocklist(self, asked: Asked, name: str) -> tuple[int, Any]:
        delete = in_database(blocklists.delete_blocklist)
        await delete(actor=self._actor(asked), service=self._service, name=name)
        return HTTPStatus.NO_CONTENT, None

    async def _put_items(self, asked: Asked, name: str) -> tuple[int, Any]:
        items = read_object(asked.body, frozenset({"blocklistItems"})).get("blocklistItems")
        put = in_database(blocklists.put_items)
        shown = await put(actor=self._actor(asked), service=self._service, name=name, items=items)
        return HTTPStatus.OK, {"blocklistItems": shown}

    async def _remove_items(self, asked: Asked, name: str) -> tuple[int, Any]:
        ids = read_object(asked.body, frozenset({"blocklistItemIds"})).get("blocklistItemIds")
        remove = in_database(blocklists.remove_items)
        await remove(actor=self._actor(asked), service=self._service, name=name, ids=ids)
        return HTTPStatus.NO_CONTENT, None

    async def _report(self, asked: Asked, request_id: str) -> tuple[int, Any]:
        data = read_object(asked.body, FIELDS)
        await self._log.flush()  # a caller may report an answer whose record still waits
        report = in_database(report_answer)
        made = await report(actor=self._actor(asked), service=self._service, request_id=request_id, data=data)
        return HTTPStatus.CREATED, made

    async def _list_blocklists(self, asked: Asked) -> tuple[int, Any]:
        return await self._paged(asked, partial(blocklists.list_blocklists, self._service))

    async def _list_items(self, asked: Asked, name: str) -> tuple[int, Any]:
        return await self._paged(asked, partial(blocklists.list_items, self._service, name))

    async def _paged(self, asked: Asked, read: Callable[..., Page]) -> tuple[int, Any]:
        """A page of `maxpagesize` rows after `skip` ones; `top` is how many the caller wants in all."""
        skip = _number(asked, "skip", 0, least=0, most=SKIP_MAX)
        size = _number(asked, "maxpagesize", PAGE_DEFAULT, least=1, most=PAGE_MAX)
        top = _number(asked, "top", SKIP_MAX, least=0, most=SKIP_MAX)
        size = min(size, PAGE_MAX)
        page = await in_database(read)(skip=skip, top=min(size, top))
        answer: dict[str, Any] = {"value": page.rows}
        left = top - len(page.rows)
        if page.has_more and left > 0 and page.rows:
            rest = f"&top={left}" if "top" in asked.query else ""
            answer["nextLink"] = (
                f"{asked.base}/contentsafety/{asked.path}?api-version=2023-10-01"
                f"&skip={skip + len(page.rows)}&maxpagesize={size}{rest}"
            )
        return HTTPStatus.OK, answer


def _checked(name: str) -> str:
    if not blocklists.is_name(name):
        message = "A blocklist's name has 1 to 64 letters, digits, -, ., _ and ~."
        raise WireError(HTTPStatus.BAD_REQUEST, INVALID_NAME, message)
    return name


def _number(asked: Asked, name: str, default: int, *, least: int, most: int) -> int:
    given = asked.query.get(name)
    if given is None:
        return default
    if len(given) != 1 or not given[0].isascii() or not given[0].isdigit() or not least <= int(given[0][:12]) <= most:
        raise invalid(f"{name} is a number of at least {least}.", name)
    return int(given[0])
