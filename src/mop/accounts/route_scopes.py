"""Which scope an operation of the API needs: the areas' permission rows say it."""

from __future__ import annotations

import functools
import re

from django.http import HttpRequest

from mop.areas.permissions import Permissions
from mop.areas.references import Ref
from mop.areas.registry import registered
from mop.areas.scopes import RouteScope

API_ROOT = "api/v1"


def scope_of_route(request: HttpRequest) -> RouteScope | None:
    """The scope of the operation that a request asks for; None when no area gives it one."""
    match = request.resolver_match
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", match.route.removeprefix(API_ROOT)) if match else ""
    for area in registered():
        if area.permissions and (scope := _scopes(area.permissions).get((request.method or "", path))):
            return scope
    return None


@functools.cache
def _scopes(permissions: Ref[Permissions]) -> dict[tuple[str, str], RouteScope]:
    return {(row.method, row.path): row.scope for row in permissions.load().api if row.scope}
