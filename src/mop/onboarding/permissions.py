"""Who may do what with logs: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET /models/{name}/revisions/{version}/logs/{kind} private 401 404 404 200 200 200 200
GET /models/{name}/revisions/{version}/logs/{kind} public  401 403 403 200 200 200 200
""",
        scope=RouteScope.MODELS,
    ),
    pages=rows("""
GET /models/<str:name>/versions/<str:version>/logs/<str:kind>/          private 401 404 404 200 200 401 401
GET /models/<str:name>/versions/<str:version>/logs/<str:kind>/          public  401 403 403 200 200 401 401
GET /live/models/<str:name>/versions/<str:version>/logs/<str:kind>/     private 401 404 404 204 204 401 401
GET /live/models/<str:name>/versions/<str:version>/logs/<str:kind>/     public  401 403 403 204 204 401 401
GET /live/models/<str:name>/versions/<str:version>/log-card/            private 401 404 404 200 200 401 401
GET /live/models/<str:name>/versions/<str:version>/log-card/            public  401 403 403 200 200 401 401
GET /models/<str:name>/versions/<str:version>/logs/<str:kind>/download/ private 401 404 404 200 200 401 401
GET /models/<str:name>/versions/<str:version>/logs/<str:kind>/download/ public  401 403 403 200 200 401 401
"""),
)
