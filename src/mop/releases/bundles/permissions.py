"""Who may have bundles made and take them: rows as `mop.areas.permissions` explains them.

A service takes its own with its token, which no row shows; the owner is an admin of the service.
"""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET   /services/{service}/releases/{number}/bundle        -       401 403 403 404 404 404 404 service-admin
GET   /services/{service}/releases/{number}/bundle/status -       401 403 403 404 404 404 404 service-admin
POST  /services/{service}/releases/{number}/bundle        -       401 403 403 404 404 403 404 service-admin
POST  /models/{name}/revisions/{version}/bundle           private 401 404 404 403 409 403 403
POST  /models/{name}/revisions/{version}/bundle           public  401 403 403 403 409 403 403
GET   /models/{name}/revisions/{version}/bundle           private 401 404 404 403 404 403 403
GET   /models/{name}/revisions/{version}/bundle           public  401 403 403 403 404 403 403
GET   /models/{name}/revisions/{version}/bundle/status    private 401 404 404 403 404 403 403
GET   /models/{name}/revisions/{version}/bundle/status    public  401 403 403 403 404 403 403
""",
        scope=RouteScope.RELEASES,
    ),
)
