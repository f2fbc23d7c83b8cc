"""Who may read what of the audit log: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET /audit - 401 403 403 403 200 403 403
""",
        scope=RouteScope.ADMINISTRATION,
    ),
    pages=rows("""
GET /audit/                               -       401 403 403 403 200 401 401
GET /history/<str:kind>/<int:object_id>/  private 401 404 404 200 200 401 401
GET /history/<str:kind>/<int:object_id>/  public  401 404 404 200 200 401 401
GET /history/<str:kind>/<int:object_id>/  task    401 200 200 200 200 401 401
"""),
)
