"""Who may do what with evaluations: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

_API = "/models/{name}/revisions/{version}/evaluations/{task}/{dataset}"
_PAGE = "/models/<str:name>/versions/<str:version>/evaluations/<int:task_id>/<str:dataset>/"

PERMISSIONS = Permissions(
    api=rows(
        f"""
GET  /models/{{name}}/revisions/{{version}}/evaluations          private 401 404 404 200 200 200 200
GET  /models/{{name}}/revisions/{{version}}/evaluations          public  401 200 200 200 200 200 200
GET  /models/{{name}}/revisions/{{version}}/evaluations.{{kind}} private 401 404 404 200 200 200 200
GET  /models/{{name}}/revisions/{{version}}/evaluations.{{kind}} public  401 200 200 200 200 200 200
GET  {_API}                                                      private 401 404 404 200 200 200 200
GET  {_API}                                                      public  401 200 200 200 200 200 200
POST {_API}/cancel                                               private 401 404 404 200 403 403 200
POST {_API}/cancel                                               public  401 403 403 200 403 403 200
POST {_API}/rerun                                                private 401 404 404 200 403 403 200
POST {_API}/rerun                                                public  401 403 403 200 403 403 200
POST {_API}/publish                                              private 401 404 404 200 403 403 200
POST {_API}/publish                                              public  401 403 403 409 403 403 409
POST {_API}/withdraw                                             private 401 404 404 409 403 403 409
POST {_API}/withdraw                                             public  401 403 403 409 403 403 409
POST {_API}/verify                                               private 401 404 404 403 202 403 403
POST {_API}/verify                                               public  401 403 403 403 202 403 403
GET  {_API}/verification                                         private 401 404 404 403 404 403 403
GET  {_API}/verification                                         public  401 403 403 403 404 403 403
GET  /models/{{name}}/revisions/{{version}}/rank                 private 401 404 404 200 200 200 200
GET  /models/{{name}}/revisions/{{version}}/rank                 public  401 200 200 200 200 200 200
GET  /tasks/{{task}}/leaderboard                                 -       401 200 200 200 200 200 200
GET  /datasets/{{name}}/evaluations                              -       401 200 200 200 200 200 200
GET  /tasks/{{task}}/headline-dataset                            -       401 200 200 200 200 200 200
PUT  /tasks/{{task}}/headline-dataset                            -       401 403 403 200 403 403 200 task-owner
""",
        scope=RouteScope.EVALUATIONS,
    ),
    pages=rows(f"""
GET  /models/<str:name>/evaluation/                     private 401 404 404 200 200 401 401
GET  /models/<str:name>/evaluation/                     public  401 200 200 200 200 401 401
GET  /models/<str:name>/evaluation/download/<str:kind>/ private 401 404 404 200 200 401 401
GET  /models/<str:name>/evaluation/download/<str:kind>/ public  401 200 200 200 200 401 401
GET  /models/<str:name>/rank/                           private 401 404 404 200 200 401 401
GET  /models/<str:name>/rank/                           public  401 200 200 200 200 401 401
GET  /tasks/<int:task_id>/results/                      -       401 200 200 200 200 401 401
GET  /datasets/<str:name>/results/                      -       401 200 200 200 200 401 401
GET  /tasks/<int:task_id>/headline/                     -       401 403 403 200 403 401 401 task-owner
POST /tasks/<int:task_id>/headline/                     -       401 403 403 302 403 401 401 task-owner
GET  {_PAGE}                                            private 401 404 404 200 200 401 401
GET  {_PAGE}                                            public  401 200 200 200 200 401 401
GET  /live{_PAGE}                                       private 401 404 404 200 200 401 401
GET  /live{_PAGE}                                       public  401 200 200 200 200 401 401
GET  {_PAGE}download/<str:kind>/                        private 401 404 404 200 200 401 401
GET  {_PAGE}download/<str:kind>/                        public  401 200 200 200 200 401 401
GET  {_PAGE}cancel/                                     private 401 404 404 200 403 401 401
GET  {_PAGE}cancel/                                     public  401 403 403 200 403 401 401
POST {_PAGE}cancel/                                     private 401 404 404 302 403 401 401
POST {_PAGE}cancel/                                     public  401 403 403 302 403 401 401
GET  {_PAGE}rerun/                                      private 401 404 404 200 403 401 401
GET  {_PAGE}rerun/                                      public  401 403 403 200 403 401 401
POST {_PAGE}rerun/                                      private 401 404 404 302 403 401 401
POST {_PAGE}rerun/                                      public  401 403 403 302 403 401 401
GET  {_PAGE}publish/                                    private 401 404 404 200 403 401 401
GET  {_PAGE}publish/                                    public  401 403 403 200 403 401 401
POST {_PAGE}publish/                                    private 401 404 404 302 403 401 401
POST {_PAGE}publish/                                    public  401 403 403 409 403 401 401
GET  {_PAGE}withdraw/                                   private 401 404 404 200 403 401 401
GET  {_PAGE}withdraw/                                   public  401 403 403 200 403 401 401
POST {_PAGE}withdraw/                                   private 401 404 404 409 403 401 401
POST {_PAGE}withdraw/                                   public  401 403 403 409 403 401 401
"""),
)
