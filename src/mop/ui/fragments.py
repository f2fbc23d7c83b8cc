"""Live blocks: parts of a page that ask for themselves again until all they show is final.

An unchanged block answers 304 and costs no swap, so focus stays put.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render

LIVE_TEMPLATE = "components/live.html"


class Status(Protocol):
    """What a badge shows; the statuses of every area are of this form."""

    @property
    def value(self) -> str:
        """The word."""

    @property
    def tone(self) -> str:
        """The colour family: ok, bad, warn, busy or quiet."""

    @property
    def meaning(self) -> str:
        """One sentence about the word."""


@dataclass(frozen=True)
class Action:
    """A button of a live block: a link, or a form that is sent.

    Attributes:
        look: primary, danger or empty.
        icon: of icons.svg, or empty.
    """

    id: str
    label: str
    url: str
    look: str = ""
    icon: str = ""
    is_post: bool = False


@dataclass(frozen=True, kw_only=True)
class Live:
    """One live block, drawn by `components/live.html`: status, progress, actions, result; each may be absent.

    What says that a block is final is read before what the block shows. Else something could end in between, and the
    last answer would show for ever how it stood before.

    Attributes:
        id: of the element, unique on the page.
        url, query: where the block asks for itself.
        seconds: between two questions.
        is_final: nothing that it shows changes by itself any more, what follows by itself included.
        state: all that it shows as plain data, for the ETag; a running duration is no change.
        progress, result: templates, drawn with the page's context.
        announce: is said aloud when it changes.
        look: classes of the element.
        moving: what people without scripts are told while the block is not final.
    """

    id: str
    url: str
    query: str = ""
    seconds: int
    is_final: bool
    state: Any
    status: Status | None = None
    progress: str = ""
    actions: Sequence[Action] = ()
    result: str = ""
    announce: str = ""
    look: str = ""
    moving: str = ""

    @property
    def etag(self) -> str:
        """Changes with the state, and when the block becomes final: the last answer is never a 304."""
        return etag_of([self.is_final, self.state])


def live_answer(request: HttpRequest, live: Live, context: Mapping[str, Any]) -> HttpResponse:
    """The block alone, for its own question; 304 when the caller has this ETag."""
    return fragment(request, live.etag, lambda: render(request, LIVE_TEMPLATE, {**context, "live": live}))


def etag_of(state: Any) -> str:
    """The ETag of whatever the fragment shows, given as plain data (dates are written as text)."""
    text = json.dumps(state, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def fragment(request: HttpRequest, etag: str, draw: Callable[[], HttpResponse]) -> HttpResponse:
    """304 when the caller has this ETag, else what `draw` gives, marked with it.

    The ETag also stands in the fragment as `data-etag`: live.js sends it back itself, because a browser that
    revalidates its own cache would hide the 304 from htmx and swap an unchanged fragment.
    """
    if request.headers.get("If-None-Match") == etag:
        unchanged = HttpResponseNotModified()
        unchanged["ETag"] = etag
        return unchanged
    response = draw()
    response["ETag"] = etag
    return response
