"""API of source prefixes."""

from __future__ import annotations

import dataclasses

from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import caller_of
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_team
from mop.sources.schemas import SourcePrefixIn, SourcePrefixOut
from mop.sources.selectors import ShownPrefix, get_prefix, visible_prefixes
from mop.sources.services import add_prefix, remove_prefix

router = Router(tags=["source prefixes"])


@router.get("/source-prefixes", response=list[SourcePrefixOut])
def list_source_prefixes(request: HttpRequest) -> list[SourcePrefixOut]:
    """Where the caller's teams may read models and datasets; for administrators the prefixes of all teams."""
    return [_out(shown) for shown in visible_prefixes(caller_of(request).user)]


@router.post("/source-prefixes", response={201: SourcePrefixOut})
def post_source_prefix(request: HttpRequest, body: SourcePrefixIn) -> Status[SourcePrefixOut]:
    """Let a team read below a url. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "sources.define", what="add source prefixes")
    team = None
    if body.team is not None:
        with named_in("team"):
            team = get_team(caller.user, body.team)
    row = add_prefix(actor=caller.actor, user=caller.user, team=team, purpose=body.purpose, prefix=body.prefix)
    return Status(201, next(_out(shown) for shown in visible_prefixes(caller.user) if shown.id == row.pk))


@router.delete("/source-prefixes/{prefix_id}", response={204: None})
def delete_source_prefix(request: HttpRequest, prefix_id: int) -> Status[None]:
    """Take a prefix from its team. Administrators only; one of the settings is removed there."""
    caller = caller_of(request)
    authorise(caller.user, "sources.define", what="remove source prefixes")
    remove_prefix(actor=caller.actor, prefix=get_prefix(prefix_id))
    return Status(204, None)


def _out(shown: ShownPrefix) -> SourcePrefixOut:
    return SourcePrefixOut(**{**dataclasses.asdict(shown), "team": shown.team or None})
