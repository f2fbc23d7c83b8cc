"""Who may try versions: rows as `mop.areas.permissions` explains them. A body without an input is 422 for who may."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
POST /models/{name}/revisions/{version}/try                 private 401 404 404 422 422 403 422
POST /models/{name}/revisions/{version}/try                 public  401 422 422 422 422 403 422
GET  /models/{name}/revisions/{version}/try/{try_id}        private 401 404 404 200 404 200 200
GET  /models/{name}/revisions/{version}/try/{try_id}        public  401 404 404 200 404 200 200
POST /models/{name}/revisions/{version}/try/{try_id}/cancel private 401 404 404 200 404 403 200
POST /models/{name}/revisions/{version}/try/{try_id}/cancel public  401 404 404 200 404 403 200
""",
        scope=RouteScope.MODELS,
    ),
    pages=rows("""
GET  /models/<str:name>/versions/<str:version>/try/                      private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/try/                      public  401 200 200 200 200 401 401
POST /models/<str:name>/versions/<str:version>/try/                      private 401 404 404 422 422 401 401
POST /models/<str:name>/versions/<str:version>/try/                      public  401 422 422 422 422 401 401
GET  /models/<str:name>/versions/<str:version>/try/<uuid:try_id>/        private 401 404 404 200 404 401 401
GET  /models/<str:name>/versions/<str:version>/try/<uuid:try_id>/        public  401 404 404 200 404 401 401
GET  /live/models/<str:name>/versions/<str:version>/try/<uuid:try_id>/   private 401 404 404 200 404 401 401
GET  /live/models/<str:name>/versions/<str:version>/try/<uuid:try_id>/   public  401 404 404 200 404 401 401
POST /models/<str:name>/versions/<str:version>/try/<uuid:try_id>/cancel/ private 401 404 404 302 404 401 401
POST /models/<str:name>/versions/<str:version>/try/<uuid:try_id>/cancel/ public  401 404 404 302 404 401 401
"""),
)
