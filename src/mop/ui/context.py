"""What every template knows. Asks no database beyond the signed-in user; the header's parts ask when it is drawn."""

from __future__ import annotations

import functools
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from mop.areas.navigation import NavGroup
from mop.ui.extensions import HEADER_PARTS
from mop.ui.navigation import NavLink, links
from mop.ui.search import searches
from mop.ui.theme import following_theme, theme_of


def portal(request: HttpRequest) -> dict[str, Any]:
    """Navigation, user menu and theme of a request.

    Every part of a page that is drawn with the request comes here, each cell of a table: what only the frame shows is
    made when the frame asks for it.
    """
    theme = theme_of(request)
    context: dict[str, Any] = {"theme": theme, "following_theme": following_theme(theme), **support()}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context |= {
            "header_parts": functools.partial(HEADER_PARTS.shown, request, user),
            "search_kinds": SimpleLazyObject(_search_kinds),
            "nav_main": _links_later(request, NavGroup.MAIN),
            "nav_account": _links_later(request, NavGroup.ACCOUNT),
            "nav_administration": _links_later(request, NavGroup.ADMINISTRATION),
        }
    return context


def _search_kinds() -> str:
    """What is searched, as short as the field: `models, tasks, cases`."""
    return ", ".join(search.label.split()[-1].lower() for search in searches())


def _links_later(request: HttpRequest, group: NavGroup) -> SimpleLazyObject[list[NavLink]]:
    return SimpleLazyObject(lambda: links(group, viewer=request.user, path=request.path))  # type: ignore[arg-type] # signed in


def support() -> dict[str, str]:
    """Whom people may ask: the contact of the operator, and where it leads when it is an address."""
    contact = settings.MOP_SUPPORT_CONTACT.strip()
    is_page = contact.startswith(("https://", "http://"))
    is_mail = "@" in contact and " " not in contact
    return {
        "support_contact": contact,
        "support_url": contact if is_page else f"mailto:{contact}" if is_mail and not is_page else "",
    }
