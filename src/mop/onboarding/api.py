"""API of the logs of revisions."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router

from mop.accounts.access import caller_of
from mop.accounts.rules import authorise
from mop.onboarding.models import LogKind
from mop.onboarding.schemas import LogPageOut
from mop.onboarding.selectors import PAGE_LINES, log_page
from mop.registry.selectors import get_revision

LineNumber = Annotated[int, Query(ge=0, le=2**31 - 1)]

router = Router(tags=["logs"])


@router.get("/models/{name}/revisions/{version}/logs/{kind}", response=LogPageOut)
def get_log(
    request: HttpRequest,
    name: str,
    version: str,
    kind: LogKind,
    after: LineNumber = 0,
    search: str = "",
    cursor: LineNumber | None = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = PAGE_LINES,
) -> dict[str, Any]:
    """Lines after line `after`, only those that hold `search` (any letter case). Owners and administrators."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "registry.view_logs", revision, what="read the logs of this version")
    start = after if cursor is None else cursor
    page = log_page(revision, kind, after=start, search=search, limit=limit)
    last = page.lines[-1].number if page.lines else start
    return {
        "items": page.lines,
        "total": page.total,
        "next": str(last) if page.has_after else None,
        "last": last,
    }
