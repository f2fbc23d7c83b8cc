"""Who may do what with regression tests: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

_API = "/models/{name}/revisions/{version}/regression"
_PAGE = "/models/<str:name>/versions/<str:version>/regression/"

PERMISSIONS = Permissions(
    api=rows(
        f"""
GET  {_API}        private 401 404 404 200 200 200 200
GET  {_API}        public  401 200 200 200 200 200 200
GET  {_API}/cases  private 401 404 404 200 200 200 200
GET  {_API}/cases  public  401 200 200 200 200 200 200
POST {_API}/run    private 401 404 404 200 403 403 200
POST {_API}/run    public  401 403 403 200 403 403 200
POST {_API}/cancel private 401 404 404 409 403 403 409
POST {_API}/cancel public  401 403 403 409 403 403 409
""",
        scope=RouteScope.EVALUATIONS,
    )
    + rows(
        f"""
POST {_API}/fixed  private 401 404 404 200 200 403 200
POST {_API}/fixed  public  401 200 200 200 200 403 200
POST {_API}/closed private 401 404 404 200 200 403 200
POST {_API}/closed public  401 200 200 200 200 403 200
""",
        scope=RouteScope.DSAT,
    ),
    pages=rows(f"""
GET  /models/<str:name>/regression/      private 401 404 404 200 200 401 401
GET  /models/<str:name>/regression/      public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/regression/ private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/regression/ public  401 200 200 200 200 401 401
GET  {_PAGE}csv/                         private 401 404 404 200 200 401 401
GET  {_PAGE}csv/                         public  401 200 200 200 200 401 401
GET  {_PAGE}run/                         private 401 404 404 200 403 401 401
GET  {_PAGE}run/                         public  401 403 403 200 403 401 401
POST {_PAGE}run/                         private 401 404 404 302 403 401 401
POST {_PAGE}run/                         public  401 403 403 302 403 401 401
GET  {_PAGE}cancel/                      private 401 404 404 200 403 401 401
GET  {_PAGE}cancel/                      public  401 403 403 200 403 401 401
POST {_PAGE}cancel/                      private 401 404 404 409 403 401 401
POST {_PAGE}cancel/                      public  401 403 403 409 403 401 401
GET  {_PAGE}fixed/                       private 401 404 404 200 200 401 401
GET  {_PAGE}fixed/                       public  401 200 200 200 200 401 401
POST {_PAGE}fixed/                       private 401 404 404 302 302 401 401
POST {_PAGE}fixed/                       public  401 302 302 302 302 401 401
GET  {_PAGE}closed/                      private 401 404 404 200 200 401 401
GET  {_PAGE}closed/                      public  401 200 200 200 200 401 401
POST {_PAGE}closed/                      private 401 404 404 302 302 401 401
POST {_PAGE}closed/                      public  401 302 302 302 302 401 401
"""),
)
