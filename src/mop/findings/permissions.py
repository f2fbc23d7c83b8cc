"""Who may do what with findings and waivers: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET    /models/{name}/revisions/{version}/scan            private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/scan            public  401 403 403 200 200 200 200
GET    /models/{name}/revisions/{version}/findings        private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/findings        public  401 403 403 200 200 200 200
GET    /models/{name}/revisions/{version}/files           private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/files           public  401 403 403 200 200 200 200
GET    /models/{name}/revisions/{version}/findings/{kind} private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/findings/{kind} public  401 403 403 200 200 200 200
POST   /models/{name}/revisions/{version}/rescan          private 401 404 404 202 202 403 202
POST   /models/{name}/revisions/{version}/rescan          public  401 403 403 202 202 403 202
GET    /models/{name}/waivers                             private 401 404 404 200 200 200 200
GET    /models/{name}/waivers                             public  401 403 403 200 200 200 200
POST   /models/{name}/waivers                             private 401 404 404 403 201 403 403
POST   /models/{name}/waivers                             public  401 403 403 403 201 403 403
DELETE /models/{name}/waivers/{waiver_id}                 private 401 404 404 403 204 403 403
DELETE /models/{name}/waivers/{waiver_id}                 public  401 403 403 403 204 403 403
""",
        scope=RouteScope.MODELS,
    ),
    pages=rows("""
GET  /models/<str:name>/versions/<str:version>/findings/                     private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/                     public  401 403 403 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/files/               private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/files/               public  401 403 403 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/                private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/                public  401 403 403 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/files/          private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/files/          public  401 403 403 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/download/<str:kind>/ private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/download/<str:kind>/ public  401 403 403 200 200 401 401
POST /models/<str:name>/versions/<str:version>/rescan/                       private 401 404 404 302 302 401 401
POST /models/<str:name>/versions/<str:version>/rescan/                       public  401 403 403 302 302 401 401
GET  /models/<str:name>/waivers/                                             private 401 404 404 200 200 401 401
GET  /models/<str:name>/waivers/                                             public  401 403 403 200 200 401 401
GET  /models/<str:name>/waivers/add/                                         private 401 404 404 403 200 401 401
GET  /models/<str:name>/waivers/add/                                         public  401 403 403 403 200 401 401
POST /models/<str:name>/waivers/add/                                         private 401 404 404 403 422 401 401
POST /models/<str:name>/waivers/add/                                         public  401 403 403 403 422 401 401
GET  /models/<str:name>/waivers/<int:waiver_id>/end/                         private 401 404 404 403 200 401 401
GET  /models/<str:name>/waivers/<int:waiver_id>/end/                         public  401 403 403 403 200 401 401
POST /models/<str:name>/waivers/<int:waiver_id>/end/                         private 401 404 404 403 302 401 401
POST /models/<str:name>/waivers/<int:waiver_id>/end/                         public  401 403 403 403 302 401 401
"""),
)
