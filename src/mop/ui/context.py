"""What every template knows. Asks no database beyond the signed-in user; the header's parts ask when it is drawn."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest

from mop.areas.navigation import NavGroup
from mop.ui.extensions import HEADER_PARTS
from mop.ui.navigation import links
from mop.ui.theme import following_theme, theme_of


def portal(request: HttpRequest) -> dict[str, Any]:
    """Navigation, user menu and theme of a request."""
    theme = theme_of(request)
    context: dict[str, Any] = {"theme": theme, "following_theme": following_theme(theme)}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context |= {
            "header_parts": functools.partial(HEADER_PARTS.shown, request, user),
            "nav_main": links(NavGroup.MAIN, viewer=user, path=request.path),
            "nav_account": links(NavGroup.ACCOUNT, viewer=user, path=request.path),
            "nav_administration": links(NavGroup.ADMINISTRATION, viewer=user, path=request.path),
        }
    return context
