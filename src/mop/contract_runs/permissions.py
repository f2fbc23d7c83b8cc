"""Who may do what with connected tasks, samples and contract runs: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET    /models/{name}/tasks                                                  private 401 404 404 200 200 200 200
GET    /models/{name}/tasks                                                  public  401 200 200 200 200 200 200
POST   /models/{name}/tasks                                                  private 401 404 404 201 403 403 201
POST   /models/{name}/tasks                                                  public  401 403 403 201 403 403 201
DELETE /models/{name}/tasks/{task}                                           private 401 404 404 204 403 403 204
DELETE /models/{name}/tasks/{task}                                           public  401 403 403 204 403 403 204
GET    /models/{name}/revisions/{version}/sample                             private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/sample                             public  401 200 200 200 200 200 200
PUT    /models/{name}/revisions/{version}/sample                             private 401 404 404 202 403 403 202
PUT    /models/{name}/revisions/{version}/sample                             public  401 403 403 202 403 403 202
GET    /models/{name}/revisions/{version}/contract-runs                      private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/contract-runs                      public  401 403 403 200 200 200 200
POST   /models/{name}/revisions/{version}/contract-runs                      private 401 404 404 201 403 403 201
POST   /models/{name}/revisions/{version}/contract-runs                      public  401 403 403 201 403 403 201
POST   /models/{name}/revisions/{version}/contract-runs/{run_id}/cancel      private 401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/contract-runs/{run_id}/cancel      public  401 403 403 200 403 403 200
""",
        scope=RouteScope.MODELS,
    ),
    pages=rows("""
GET  /live/models/<str:name>/tasks/                                          private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/tasks/                                          public  401 200 200 200 200 401 401
GET  /models/<str:name>/tasks/add/                                           private 401 404 404 200 403 401 401
GET  /models/<str:name>/tasks/add/                                           public  401 403 403 200 403 401 401
POST /models/<str:name>/tasks/add/                                           private 401 404 404 422 403 401 401
POST /models/<str:name>/tasks/add/                                           public  401 403 403 422 403 401 401
GET  /models/<str:name>/tasks/<int:task_id>/disconnect/                      private 401 404 404 200 403 401 401
GET  /models/<str:name>/tasks/<int:task_id>/disconnect/                      public  401 403 403 200 403 401 401
POST /models/<str:name>/tasks/<int:task_id>/disconnect/                      private 401 404 404 302 403 401 401
POST /models/<str:name>/tasks/<int:task_id>/disconnect/                      public  401 403 403 302 403 401 401
POST /models/<str:name>/versions/<str:version>/tasks/<int:task_id>/check/    private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/tasks/<int:task_id>/check/    public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/sample/                       private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/sample/                       public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/sample/                       private 401 404 404 422 403 401 401
POST /models/<str:name>/versions/<str:version>/sample/                       public  401 403 403 422 403 401 401
POST /models/<str:name>/versions/<str:version>/contract-runs/<uuid:run_id>/cancel/ private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/contract-runs/<uuid:run_id>/cancel/ public  401 403 403 302 403 401 401
"""),
)
