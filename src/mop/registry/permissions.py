"""Who may do what with models and revisions: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=(
        *rows(
            """
GET    /models                                          -        401 200 200 200 200 200 200
POST   /models                                          own-team 401 201 201 201 201 403 201
POST   /models                                          the-team 401 403 201 201 403 403 201
GET    /models/{name}                                   private  401 404 404 200 200 200 200
GET    /models/{name}                                   public   401 200 200 200 200 200 200
PATCH  /models/{name}                                   private  401 404 404 200 403 403 200
PATCH  /models/{name}                                   public   401 403 403 200 403 403 200
DELETE /models/{name}                                   private  401 404 404 204 403 403 204
DELETE /models/{name}                                   public   401 403 403 204 403 403 204
POST   /models/{name}/owners                            private  401 404 404 201 201 403 201
POST   /models/{name}/owners                            public   401 403 403 201 201 403 201
DELETE /models/{name}/owners/{username}                 private  401 404 404 204 204 403 204
DELETE /models/{name}/owners/{username}                 public   401 403 403 204 204 403 204
GET    /models/{name}/revisions                         private  401 404 404 200 200 200 200
GET    /models/{name}/revisions                         public   401 200 200 200 200 200 200
POST   /models/{name}/revisions                         private  401 404 404 201 403 403 201
POST   /models/{name}/revisions                         public   401 403 403 201 403 403 201
GET    /models/{name}/revisions/{version}               private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}               public   401 200 200 200 200 200 200
PATCH  /models/{name}/revisions/{version}               private  401 404 404 200 403 403 200
PATCH  /models/{name}/revisions/{version}               public   401 403 403 200 403 403 200
DELETE /models/{name}/revisions/{version}               private  401 404 404 204 403 403 204
DELETE /models/{name}/revisions/{version}               public   401 403 403 204 403 403 204
POST   /models/{name}/revisions/{version}/retry         private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/retry         public   401 403 403 200 403 403 200
POST   /models/{name}/revisions/{version}/cancel        private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/cancel        public   401 403 403 200 403 403 200
GET    /models/{name}/revisions/{version}/allowed-hosts private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/allowed-hosts public   401 403 403 200 200 200 200
PUT    /models/{name}/revisions/{version}/allowed-hosts private  401 404 404 403 200 403 403
PUT    /models/{name}/revisions/{version}/allowed-hosts public   401 403 403 403 200 403 403
GET    /models/{name}/revisions/{version}/events        private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/events        public   401 200 200 200 200 200 200
POST   /models/{name}/revisions/{version}/publish       private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/publish       public   401 403 403 200 403 403 200
POST   /models/{name}/revisions/{version}/unpublish     private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/unpublish     public   401 403 403 200 403 403 200
POST   /models/{name}/revisions/{version}/outdated      private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/outdated      public   401 403 403 200 403 403 200
""",
            scope=RouteScope.MODELS,
        ),
        *rows(
            """
GET    /groups                                          -        401 200 200 200 200 200 200
POST   /groups                                          -        401 201 201 201 201 403 201
GET    /groups/{group_id}                               -        401 404 404 200 404 200 200
PATCH  /groups/{group_id}                               -        401 404 404 200 404 403 200
DELETE /groups/{group_id}                               -        401 404 404 204 404 403 204
PUT    /groups/{group_id}/models/{name}                 private  401 404 404 204 404 403 204
DELETE /groups/{group_id}/models/{name}                 private  401 404 404 204 404 403 204
POST   /groups/{group_id}/shares                        -        401 404 404 201 404 403 201
DELETE /groups/{group_id}/shares/{share_id}             -        401 404 404 204 404 403 204
GET    /groups/{group_id}                               shared   401 404 200 200 404 200 200
PATCH  /groups/{group_id}                               shared   401 404 403 200 404 403 200
DELETE /groups/{group_id}                               shared   401 404 403 204 404 403 204
PUT    /groups/{group_id}/models/{name}                 shared   401 404 403 204 404 403 204
DELETE /groups/{group_id}/models/{name}                 shared   401 404 403 204 404 403 204
POST   /groups/{group_id}/shares                        shared   401 404 403 201 404 403 201
DELETE /groups/{group_id}/shares/{share_id}             shared   401 404 403 204 404 403 204
""",
            scope=RouteScope.GROUPS,
        ),
    ),
    pages=rows("""
GET  /models/                                          -       401 200 200 200 200 401 401
GET  /live/models/                                     -       401 200 200 200 200 401 401
GET  /add-model/                                       -       401 200 200 200 200 401 401
POST /add-model/                                       -       401 422 422 422 422 401 401
GET  /add-model/principal/                             -       401 200 200 200 200 401 401
POST /add-model/keep/                                  -       401 200 200 200 200 401 401
POST /add-model/draft/<str:draft>/keep/                -       401 200 200 200 200 401 401
GET  /add-model/draft/<str:draft>/                     -       401 200 200 200 200 401 401
POST /add-model/draft/<str:draft>/                     -       401 422 422 422 422 401 401
GET  /add-model/draft/<str:draft>/tasks/               -       401 302 302 302 302 401 401
POST /add-model/draft/<str:draft>/tasks/               -       401 302 302 302 302 401 401
POST /version-columns/                                 -       401 302 302 302 302 401 401
GET  /models/<str:name>/                               private 401 404 404 200 200 401 401
GET  /models/<str:name>/                               public  401 200 200 200 200 401 401
GET  /models/<str:name>/compare/                       private 401 404 404 200 200 401 401
GET  /models/<str:name>/compare/                       public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/                          private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/                          public  401 200 200 200 200 401 401
POST /models/<str:name>/description/                   private 401 404 404 302 403 401 401
POST /models/<str:name>/description/                   public  401 403 403 302 403 401 401
POST /models/<str:name>/owners/add/                    private 401 404 404 302 302 401 401
POST /models/<str:name>/owners/add/                    public  401 403 403 302 302 401 401
POST /models/<str:name>/owners/remove/                 private 401 404 404 302 302 401 401
POST /models/<str:name>/owners/remove/                 public  401 403 403 302 302 401 401
GET  /models/<str:name>/upgrade/                       private 401 404 404 200 403 401 401
GET  /models/<str:name>/upgrade/                       public  401 403 403 200 403 401 401
POST /models/<str:name>/upgrade/                       private 401 404 404 422 403 401 401
POST /models/<str:name>/upgrade/                       public  401 403 403 422 403 401 401
GET  /models/<str:name>/delete/                        private 401 404 404 200 403 401 401
GET  /models/<str:name>/delete/                        public  401 403 403 200 403 401 401
POST /models/<str:name>/delete/                        private 401 404 404 302 403 401 401
POST /models/<str:name>/delete/                        public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/        private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/        public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/   private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/   public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/note/   private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/note/   public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/note/   private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/note/   public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/hosts/  private 401 404 404 403 200 401 401
GET  /models/<str:name>/versions/<str:version>/hosts/  public  401 403 403 403 200 401 401
POST /models/<str:name>/versions/<str:version>/hosts/  private 401 404 404 403 302 401 401
POST /models/<str:name>/versions/<str:version>/hosts/  public  401 403 403 403 302 401 401
POST /models/<str:name>/versions/<str:version>/retry/  private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/retry/  public  401 403 403 302 403 401 401
POST /models/<str:name>/versions/<str:version>/cancel/ private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/cancel/ public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/delete/ private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/delete/ public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/delete/ private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/delete/ public  401 403 403 302 403 401 401
GET  /groups/                                          -       401 200 200 200 200 401 401
GET  /groups/add/                                      -       401 200 200 200 200 401 401
POST /groups/add/                                      -       401 422 422 422 422 401 401
POST /model-selection/                                 -       401 302 302 302 302 401 401
GET  /delete-models/                                   -       401 200 200 200 200 401 401
POST /delete-models/                                   -       401 302 302 302 302 401 401
GET  /groups/<int:group_id>/rename/                    -       401 404 404 200 404 401 401
POST /groups/<int:group_id>/rename/                    -       401 404 404 422 404 401 401
GET  /groups/<int:group_id>/share/                     -       401 404 404 200 404 401 401
POST /groups/<int:group_id>/share/                     -       401 404 404 422 404 401 401
POST /groups/<int:group_id>/share/<int:share_id>/end/  -       401 404 404 302 404 401 401
GET  /groups/<int:group_id>/delete/                    -       401 404 404 200 404 401 401
POST /groups/<int:group_id>/delete/                    -       401 404 404 302 404 401 401
POST /groups/<int:group_id>/show/                      -       401 404 404 302 404 401 401
POST /groups/<int:group_id>/hide/                      -       401 404 404 302 404 401 401
GET  /groups/<int:group_id>/rename/                    shared  401 404 403 200 404 401 401
POST /groups/<int:group_id>/rename/                    shared  401 404 403 422 404 401 401
GET  /groups/<int:group_id>/share/                     shared  401 404 403 200 404 401 401
POST /groups/<int:group_id>/share/                     shared  401 404 403 422 404 401 401
POST /groups/<int:group_id>/share/<int:share_id>/end/  shared  401 404 403 302 404 401 401
GET  /groups/<int:group_id>/delete/                    shared  401 404 403 200 404 401 401
POST /groups/<int:group_id>/delete/                    shared  401 404 403 302 404 401 401
POST /groups/<int:group_id>/show/                      shared  401 404 302 302 404 401 401
POST /groups/<int:group_id>/hide/                      shared  401 404 302 302 404 401 401
GET  /models/<str:name>/description/                       private 401 404 404 200 403 401 401
GET  /models/<str:name>/description/                       public  401 403 403 200 403 401 401
GET  /models/<str:name>/intended-use/                      private 401 404 404 200 403 401 401
GET  /models/<str:name>/intended-use/                      public  401 403 403 200 403 401 401
POST /models/<str:name>/intended-use/                      private 401 404 404 302 403 401 401
POST /models/<str:name>/intended-use/                      public  401 403 403 302 403 401 401
GET  /models/<str:name>/limits/                            private 401 404 404 200 403 401 401
GET  /models/<str:name>/limits/                            public  401 403 403 200 403 401 401
POST /models/<str:name>/limits/                            private 401 404 404 302 403 401 401
POST /models/<str:name>/limits/                            public  401 403 403 302 403 401 401
GET  /models/<str:name>/tags/                              private 401 404 404 200 403 401 401
GET  /models/<str:name>/tags/                              public  401 403 403 200 403 401 401
POST /models/<str:name>/tags/                              private 401 404 404 302 403 401 401
POST /models/<str:name>/tags/                              public  401 403 403 302 403 401 401
GET  /models/<str:name>/owners/remove/                     private 401 404 404 404 404 401 401
GET  /models/<str:name>/owners/remove/                     public  401 403 403 404 404 401 401
POST /models/<str:name>/groups/                        private 401 404 404 302 302 401 401
POST /models/<str:name>/groups/                        public  401 302 302 302 302 401 401
POST /models/<str:name>/versions/<str:version>/publish/    private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/publish/    public  401 403 403 302 403 401 401
POST /models/<str:name>/versions/<str:version>/unpublish/  private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/unpublish/  public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/outdated/   private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/outdated/   public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/outdated/   private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/outdated/   public  401 403 403 302 403 401 401
"""),
)
