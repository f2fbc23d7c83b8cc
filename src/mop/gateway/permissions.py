"""Who may do what with gateways: rows as `mop.areas.permissions` explains them.

The owner is an admin of the service.
"""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET    /services/{service}/gateway                        - 401 403 403 200 200 200 200 service-admin
POST   /services/{service}/gateway/keys/{number}/rotate   - 401 403 403 200 200 403 200 service-admin
POST   /services/{service}/gateway/containers             - 401 403 403 201 201 403 201 service-admin
DELETE /services/{service}/gateway/containers/{container} - 401 403 403 204 204 403 204 service-admin
GET    /services/{service}/gateway/answers/{request_id}   - 401 403 403 200 200 200 200 service-admin
""",
        scope=RouteScope.RELEASES,
    ),
    pages=rows("""
GET  /services/<str:service>/gateway/keys/<int:number>/rotate/       - 401 403 403 200 200 401 401 service-admin
POST /services/<str:service>/gateway/keys/<int:number>/rotate/       - 401 403 403 200 200 401 401 service-admin
GET  /services/<str:service>/gateway/containers/add/                 - 401 403 403 200 200 401 401 service-admin
POST /services/<str:service>/gateway/containers/add/                 - 401 403 403 422 422 401 401 service-admin
GET  /services/<str:service>/gateway/containers/<int:container>/remove/ - 401 403 403 200 200 401 401 service-admin
POST /services/<str:service>/gateway/containers/<int:container>/remove/ - 401 403 403 302 302 401 401 service-admin
"""),
)
