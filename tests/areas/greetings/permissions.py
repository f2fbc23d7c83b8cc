"""Who may do what with greetings."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET  /greetings - 401 200 200 200 200 200 200
POST /greetings - 401 202 202 202 202 403 202
""",
        scope=RouteScope.GROUPS,
    ),
    pages=rows("""
GET  /greetings/ - 401 200 200 200 200 401 401
"""),
)
