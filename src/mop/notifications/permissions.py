"""Who may do what with notifications: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET  /notifications                        - 401 200 200 200 200 200 200
POST /notifications/{notification_id}/read - 401 404 404 200 404 403 200
POST /notifications/read                   - 401 200 200 200 200 403 200
""",
        scope=RouteScope.ACCOUNT,
    ),
    pages=rows("""
GET  /notifications/                             - 401 200 200 200 200 401 401
POST /notifications/read/                        - 401 302 302 302 302 401 401
POST /notifications/<int:notification_id>/read/  - 401 404 404 302 404 401 401
GET  /notifications/settings/                    - 401 200 200 200 200 401 401
POST /notifications/settings/                    - 401 302 302 302 302 401 401
POST /notifications/alerts/<int:alert_id>/close/ - 401 403 403 403 302 401 401
GET  /live/notifications/                        - 401 200 200 200 200 401 401
"""),
)
