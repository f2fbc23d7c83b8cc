"""Who may read the help: everybody, rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET /guides        - 401 200 200 200 200 200 200
GET /guides/{name} - 401 200 200 200 200 200 200
""",
        scope=RouteScope.ANY_TOKEN,
    ),
    pages=rows("""
GET /help/             - 200 200 200 200 200 200 200
GET /help/api/         - 200 200 200 200 200 200 200
GET /help/<slug:name>/ - 200 200 200 200 200 200 200
"""),
)
