"""Pages of a revision's build and deployment log. Logs show paths and values of the model's code: owners only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.rules import authorise
from mop.errors import NotFoundError
from mop.onboarding.log_tail import LAST, ShownLine, log_card_context, tail_of
from mop.onboarding.models import LogKind, LogLine
from mop.onboarding.selectors import LogPage, log_page
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.registry.trails import below_revision
from mop.ui.fragments import fragment

NO_CONTENT = 204
CHUNK_LINES = 1000
LOG_CARD = "onboarding/components/log_card.html"


@require_GET
def log(request: HttpRequest, name: str, version: str, kind: str) -> HttpResponse:
    """A page of a log: the end of it, unless the address says where; the end grows while the pipeline runs."""
    revision, log_kind = _readable(request, name, version, kind)
    search = request.GET.get("search", "").strip()
    after, before = _number(request, "after"), _number(request, "before")
    if after is None and before is None:
        after, before = (0, None) if search else (0, LAST)
    page = log_page(revision, log_kind, after=after or 0, before=before, search=search)
    last = page.lines[-1].number if page.lines else 0
    grows = revision.get_status().is_live and not page.has_after and not search
    context = {
        **_context(revision, log_kind, page, search),
        "trail": below_revision(revision, log_kind.label),
        "search": search,
        "kinds": LogKind.choices,
        "live": tail_of(revision, log_kind, last, is_final=not grows),
        "last": last,
    }
    return render(request, "onboarding/log.html", context)


@require_GET
def tail(request: HttpRequest, name: str, version: str, kind: str) -> HttpResponse:
    """The lines after `?after=`, and the part that asks again; no content when there is nothing new yet."""
    revision, log_kind = _readable(request, name, version, kind)
    after = _number(request, "after") or 0
    page = log_page(revision, log_kind, after=after)
    is_live = revision.get_status().is_live
    if not page.lines and is_live:
        return HttpResponse(status=NO_CONTENT)
    last = page.lines[-1].number if page.lines else after
    live = tail_of(revision, log_kind, last, is_final=not is_live and not page.has_after)
    context = {**_context(revision, log_kind, page, ""), "live": live}
    return render(request, "onboarding/components/log_lines.html", context)


@require_GET
def live_card(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The card beside Details again when another log is written, and when the pipeline has ended."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.view_logs", revision, what="read the logs of this model")
    context = log_card_context(revision)
    card = context["card"]
    return fragment(
        request,
        card.etag,
        lambda: render(request, "onboarding/components/log_card.html", {**context, "is_answer": True}),
    )


@require_GET
def download(request: HttpRequest, name: str, version: str, kind: str) -> StreamingHttpResponse:
    """The whole log as text, a line as `number time text`."""
    revision, log_kind = _readable(request, name, version, kind)
    response = StreamingHttpResponse(_text(revision, log_kind), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{version}-{log_kind.value}.log"'
    response["Cache-Control"] = "no-store"
    return response


def _readable(request: HttpRequest, name: str, version: str, kind: str) -> tuple[Revision, LogKind]:
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "registry.view_logs", revision, what="read the logs of this model")
    if kind not in LogKind.values:
        raise NotFoundError(f"There is no {kind!r} log.")
    return revision, LogKind(kind)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return min(int(text), LAST) if text.isascii() and text.isdigit() else None


def _context(revision: Revision, kind: LogKind, page: LogPage, search: str) -> dict[str, Any]:
    return {
        "revision": revision,
        "model": revision.model,
        "kind": kind,
        "page": page,
        "lines": [ShownLine(line.number, line.at, pieces(line.text, search)) for line in page.lines],
    }


def pieces(text: str, search: str) -> list[str]:
    """`text` cut at each match of `search`, letter case aside: every second piece is a match.

    Joined they are the text again. Without a search there is one piece.
    """
    if not search:
        return [text]
    found, wanted, start = [], search.lower(), 0
    lowered = text.lower()
    if len(lowered) != len(text):  # some letters change length in lower case: positions would not fit
        return [text]
    while (place := lowered.find(wanted, start)) >= 0:
        found += [text[start:place], text[place : place + len(wanted)]]
        start = place + len(wanted)
    return [*found, text[start:]]


def _text(revision: Revision, kind: LogKind) -> Iterator[str]:
    lines = LogLine.objects.filter(revision=revision, kind=kind).order_by("number")
    for line in lines.iterator(chunk_size=CHUNK_LINES):
        yield f"{line.number:>6} {line.at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ} {line.text}\n"
