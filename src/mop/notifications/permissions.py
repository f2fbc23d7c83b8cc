"""Who may do what with notifications: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET  /alerts                  - 401 403 403 403 200 403 403
POST /alerts/{alert_id}/close - 401 403 403 403 204 403 403
""",
        scope=RouteScope.ADMINISTRATION,
    )
    + rows(
        """
GET   /notifications/settings              - 401 200 200 200 200 200 200
PATCH /notifications/settings              - 401 200 200 200 200 403 200
GET  /notifications                        - 401 200 200 200 200 200 200
POST /notifications/{notification_id}/read - 401 404 404 200 404 403 200
POST /notifications/read                   - 401 200 200 200 200 403 200
GET    /webhooks                                            - 401 200 200 200 200 200 200
POST   /webhooks                                            - 401 201 201 201 201 403 201
GET    /webhooks/{webhook_id}                               - 401 404 404 200 404 200 200
PATCH  /webhooks/{webhook_id}                               - 401 404 404 200 404 403 200
POST   /webhooks/{webhook_id}/rotate                        - 401 404 404 200 404 403 200
POST   /webhooks/{webhook_id}/enable                        - 401 404 404 200 404 403 200
POST   /webhooks/{webhook_id}/test                          - 401 404 404 202 404 403 202
GET    /webhooks/{webhook_id}/deliveries                    - 401 404 404 200 404 200 200
GET    /webhooks/{webhook_id}/deliveries/{delivery_id}      - 401 404 404 200 404 200 200
POST   /webhooks/{webhook_id}/deliveries/{delivery_id}/replay - 401 404 404 202 404 403 202
DELETE /webhooks/{webhook_id}                               - 401 404 404 204 404 403 204
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
GET  /notifications/webhooks/                                     - 401 200 200 200 200 401 401
GET  /notifications/webhooks/new/                                 - 401 200 200 200 200 401 401
POST /notifications/webhooks/new/                                 - 401 422 422 422 422 401 401
GET  /notifications/webhooks/<int:webhook_id>/                    - 401 404 404 200 404 401 401
GET  /notifications/webhooks/<int:webhook_id>/edit/               - 401 404 404 200 404 401 401
POST /notifications/webhooks/<int:webhook_id>/edit/               - 401 404 404 422 404 401 401
POST /notifications/webhooks/<int:webhook_id>/rotate/             - 401 404 404 200 404 401 401
POST /notifications/webhooks/<int:webhook_id>/test/               - 401 404 404 302 404 401 401
POST /notifications/webhooks/<int:webhook_id>/enable/             - 401 404 404 302 404 401 401
POST /notifications/webhooks/<int:webhook_id>/replay/<int:delivery_id>/ - 401 404 404 302 404 401 401
GET  /notifications/webhooks/<int:webhook_id>/delete/             - 401 404 404 200 404 401 401
POST /notifications/webhooks/<int:webhook_id>/delete/             - 401 404 404 302 404 401 401
"""),
)
