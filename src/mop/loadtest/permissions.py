"""Who may do what with load tests: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET  /models/{name}/revisions/{version}/load-test        private 401 404 404 200 200 200 200
GET  /models/{name}/revisions/{version}/load-test        public  401 200 200 200 200 200 200
POST /models/{name}/revisions/{version}/load-test        private 401 404 404 201 403 403 201
POST /models/{name}/revisions/{version}/load-test        public  401 403 403 201 403 403 201
POST /models/{name}/revisions/{version}/load-test/cancel private 401 404 404 200 403 403 200
POST /models/{name}/revisions/{version}/load-test/cancel public  401 403 403 200 403 403 200
""",
        scope=RouteScope.EVALUATIONS,
    ),
    pages=rows("""
GET  /models/<str:name>/versions/<str:version>/load-test/                     private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/                     public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/                private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/                public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/now/            private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/now/            public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/download/<str:kind>/ private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/download/<str:kind>/ public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/enable/              private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/enable/              public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/enable/              private 401 404 404 422 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/enable/              public  401 403 403 422 403 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/cancel/              private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/cancel/              public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/cancel/              private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/cancel/              public  401 403 403 302 403 401 401
"""),
)
