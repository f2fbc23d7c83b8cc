"""Live parts: fragments that htmx polls. An unchanged one answers 304 and costs no swap, so focus stays put."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified


def etag_of(state: Any) -> str:
    """The ETag of whatever the fragment shows, given as plain data (dates are written as text)."""
    text = json.dumps(state, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def fragment(request: HttpRequest, etag: str, render: Callable[[], HttpResponse]) -> HttpResponse:
    """304 when the caller has this ETag, else what `render` gives, marked with it.

    The ETag also stands in the fragment as `data-etag`: live.js sends it back itself, because a browser that
    revalidates its own cache would hide the 304 from htmx and swap an unchanged fragment.
    """
    if request.headers.get("If-None-Match") == etag:
        unchanged = HttpResponseNotModified()
        unchanged["ETag"] = etag
        return unchanged
    response = render()
    response["ETag"] = etag
    return response
