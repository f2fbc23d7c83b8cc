"""Every address of API and portal, as they are assembled from the areas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from mop.api.api import api
from support.permission_table import api_rows, page_rows

API_ROOT = "/api/v1"


def operations() -> Iterator[tuple[str, str]]:
    """Method and address of every operation of the API, below its root."""
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method in methods:
            yield method.upper(), path.removeprefix(API_ROOT)


def pages() -> Iterator[str]:
    """Every address that is no operation of the API."""
    known = {f"{API_ROOT}{path}".replace("{", "<").replace("}", ">").removeprefix("/") for _, path in operations()}
    for path in _walk(get_resolver().url_patterns, ""):
        if re.sub(r"<\w+:", "<", path) not in known:
            yield "/" + path


def without_row() -> list[str]:
    """Operations and pages that no area gives a row for."""
    asked = {(row.method, row.path) for row in api_rows()}
    shown = {row.path for row in page_rows()}
    lacking = [f"{method} {path}" for method, path in operations() if (method, path) not in asked]
    return lacking + [path for path in pages() if path not in shown]


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + _readable(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield path


def _readable(pattern: str) -> str:
    """`^x/(?P<key>[-:\\w]+)/$` as `x/<key>/`."""
    if "(?P" not in pattern:
        return pattern
    named = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", pattern)
    return named.removeprefix("^").removesuffix("$")
