"""The way back to the list as somebody left it."""

from __future__ import annotations

from django.http import QueryDict
from django.urls import reverse

KEPT = ("group", "search", "status", "team", "task", "tag", "sort", "rows", "cursor")


def list_url(back: str) -> str:
    """The address of the list with its own parameters out of a query string that came from outside."""
    given, kept = QueryDict(back[:2000]), QueryDict(mutable=True)
    for name in KEPT:
        if given.get(name):
            kept[name] = given[name]
    here = reverse("registry:models")
    return f"{here}?{kept.urlencode()}" if kept else here
