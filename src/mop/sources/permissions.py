"""Who may do what with source prefixes: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET    /source-prefixes             - 401 200 200 200 200 200 200
POST   /source-prefixes             - 401 403 403 403 201 403 403
DELETE /source-prefixes/{prefix_id} - 401 403 403 403 204 403 403
""",
        scope=RouteScope.ADMINISTRATION,
    ),
    pages=rows("""
GET  /source-prefixes/                       - 401 403 403 403 200 401 401
POST /source-prefixes/                       - 401 403 403 403 422 401 401
GET  /source-prefixes/<int:prefix_id>/remove/ - 401 403 403 403 200 401 401
POST /source-prefixes/<int:prefix_id>/remove/ - 401 403 403 403 302 401 401
"""),
)
