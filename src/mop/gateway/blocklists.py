"""Blocklists, as their callers change and read them through the gateway. All gateways of a service share them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from mop.audit.services import Actor
from mop.gateway.actions import Action
from mop.gateway.models import (
    BLOCKLIST_NAME_MAX,
    BLOCKLIST_NAME_PATTERN,
    DESCRIPTION_MAX,
    TERM_MAX,
    Blocklist,
    BlocklistItem,
)
from mop.gateway.services import touch
from mop.gateway.wire_errors import invalid, not_found
from mop.releases.models import Service
from mop.releases.services import record_of_service

BLOCKLISTS_MAX = 100
ITEMS_MAX = 10_000
ITEMS_AT_ONCE = 100
_ITEM_FIELDS = frozenset({"text", "description", "blocklistItemId"})


@dataclass(frozen=True)
class Page:
    """A part of a list, and whether more follows."""

    rows: list[dict[str, Any]]
    has_more: bool


@transaction.atomic
def put_blocklist(*, actor: Actor, service: Service, name: str, data: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Create a blocklist, or change its description.

    Returns:
        The blocklist, and whether it is new.

    Raises:
        WireError: the name or description is not valid, or there are too many blocklists.
    """
    if data.get("blocklistName") not in (None, name):
        raise invalid("blocklistName is that of the url.", "blocklistName")
    description = _description(data.get("description"))
    touch(service)
    found = Blocklist.objects.filter(service=service, name=name).first()
    is_new = found is None
    if found is None:
        if Blocklist.objects.filter(service=service).count() >= BLOCKLISTS_MAX:
            raise invalid(f"There are {BLOCKLISTS_MAX} blocklists already.")
        found = Blocklist(service=service, name=name)
    if description is not None:
        found.description = description
    found.save()
    record_of_service(actor, Action.BLOCKLIST_CHANGED, service, {"blocklist": name, "is_new": is_new})
    return _blocklist(found), is_new


@transaction.atomic
def delete_blocklist(*, actor: Actor, service: Service, name: str) -> None:
    """Delete a blocklist with its items.

    Raises:
        WireError: there is no such blocklist.
    """
    touch(service)
    get(service, name).delete()
    record_of_service(actor, Action.BLOCKLIST_DELETED, service, {"blocklist": name})


@transaction.atomic
def put_items(*, actor: Actor, service: Service, name: str, items: Any) -> list[dict[str, Any]]:
    """Add terms; one that is there already gets the new description and keeps its id.

    Raises:
        WireError: there is no such blocklist, an item is not valid, or there are too many.
    """
    wanted = _items(items)
    touch(service)
    blocklist = get(service, name)
    known = {item.text: item for item in blocklist.items.filter(text__in=list(wanted))}
    held = BlocklistItem.objects.filter(blocklist__service=service).count()
    if held + len(wanted) - len(known) > ITEMS_MAX:
        raise invalid(f"The blocklists of a service hold at most {ITEMS_MAX:,} items together.", "blocklistItems")
    number = blocklist.items.aggregate(last=Max("number"))["last"] or 0
    answer = []
    for text, description in wanted.items():
        item = known.get(text)
        if item is None:
            number += 1
            item = BlocklistItem.objects.create(
                blocklist=blocklist, number=number, text=text, description=description or ""
            )
        elif description is not None and description != item.description:
            item.description = description
            item.save(update_fields=["description"])
        answer.append(_item(item))
    _changed(actor, service, blocklist, {"items_put": len(answer)})
    return answer


@transaction.atomic
def remove_items(*, actor: Actor, service: Service, name: str, ids: Any) -> None:
    """Remove terms by their ids.

    Raises:
        WireError: there is no such blocklist, or one of the ids is not in it; then nothing is removed.
    """
    if not isinstance(ids, list) or not 1 <= len(ids) <= ITEMS_AT_ONCE or not all(isinstance(one, str) for one in ids):
        raise invalid(f"blocklistItemIds is a list of 1 to {ITEMS_AT_ONCE} ids.", "blocklistItemIds")
    touch(service)
    blocklist = get(service, name)
    wanted = {item_id(one) for one in ids}
    deleted, _ = blocklist.items.filter(pk__in=wanted).delete()
    if deleted != len(wanted):
        transaction.set_rollback(True)
        raise not_found(f"{len(wanted) - deleted} of the ids are not in the blocklist; nothing was removed.")
    _changed(actor, service, blocklist, {"items_removed": deleted})


def list_blocklists(service: Service, *, skip: int, top: int) -> Page:
    """Blocklists by name."""
    rows = list(Blocklist.objects.filter(service=service).order_by("name")[skip : skip + top + 1])
    return Page([_blocklist(one) for one in rows[:top]], len(rows) > top)


def list_items(service: Service, name: str, *, skip: int, top: int) -> Page:
    """Items of a blocklist, in the order in which they were added.

    Raises:
        WireError: there is no such blocklist.
    """
    rows = list(get(service, name).items.all()[skip : skip + top + 1])
    return Page([_item(one) for one in rows[:top]], len(rows) > top)


def read_blocklist(service: Service, name: str) -> dict[str, Any]:
    """One blocklist.

    Raises:
        WireError: there is none.
    """
    return _blocklist(get(service, name))


def read_item(service: Service, name: str, identifier: str) -> dict[str, Any]:
    """One item.

    Raises:
        WireError: there is no such blocklist or item.
    """
    found = get(service, name).items.filter(pk=item_id(identifier)).first()
    if found is None:
        raise not_found("There is no such item in the blocklist.")
    return _item(found)


def get(service: Service, name: str) -> Blocklist:
    """A blocklist by name.

    Raises:
        WireError: there is none.
    """
    found = Blocklist.objects.filter(service=service, name=name).first()
    if found is None:
        raise not_found(f"There is no blocklist {name}.")
    return found


def is_name(name: str) -> bool:
    """Whether a blocklist may be called so."""
    return 0 < len(name) <= BLOCKLIST_NAME_MAX and re.fullmatch(BLOCKLIST_NAME_PATTERN, name) is not None


def item_id(text: str) -> uuid.UUID:
    """The id in a url or body.

    Raises:
        WireError: nothing has such an id.
    """
    try:
        return uuid.UUID(text)
    except ValueError:
        raise not_found("There is no such item in the blocklist.") from None


def _items(value: Any) -> dict[str, str | None]:
    """Description by text; None: left as it is."""
    if not isinstance(value, list) or not 1 <= len(value) <= ITEMS_AT_ONCE:
        raise invalid(f"blocklistItems is a list of 1 to {ITEMS_AT_ONCE} items.", "blocklistItems")
    items = {}
    for one in value:
        if not isinstance(one, dict) or one.keys() - _ITEM_FIELDS:
            raise invalid('An item is {"text": ..., "description": ...}.', "blocklistItems")
        text = one.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > TERM_MAX or "\0" in text:
            raise invalid(f"The text of an item has 1 to {TERM_MAX} characters.", "blocklistItems")
        items[text] = _description(one.get("description"))
    return items


def _description(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > DESCRIPTION_MAX or "\0" in value):
        raise invalid(f"A description has at most {DESCRIPTION_MAX:,} characters.", "description")
    return value


def _changed(actor: Actor, service: Service, blocklist: Blocklist, data: dict[str, object]) -> None:
    Blocklist.objects.filter(pk=blocklist.pk).update(version=F("version") + 1)
    record_of_service(actor, Action.BLOCKLIST_CHANGED, service, {"blocklist": blocklist.name, **data})


def _blocklist(row: Blocklist) -> dict[str, Any]:
    return {"blocklistName": row.name} | ({"description": row.description} if row.description else {})


def _item(row: BlocklistItem) -> dict[str, Any]:
    shown = {"blocklistItemId": str(row.pk), "text": row.text}
    return shown | ({"description": row.description} if row.description else {})
