"""Who may do what with services, gates and releases: rows as `mop.areas.permissions` explains them.

The owner is an admin of the service, owns the task, and neither requested the release nor owns its model. Operations
that a service's own token may call are asked here as people alone; tests/releases/test_service_tokens.py asks as
services.
"""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope
from mop.releases.bundles.permissions import PERMISSIONS as BUNDLES
from mop.releases.cards.permissions import PERMISSIONS as CARDS

PERMISSIONS = Permissions(
    api=(
        *CARDS.api,
        *BUNDLES.api,
        *rows(
            """
GET   /services                                -       401 200 200 200 200 200 200
POST  /services                                -       401 403 403 403 201 403 403
GET   /services/{service}                      -       401 200 200 200 200 200 200
PATCH /services/{service}                      -       401 403 403 200 200 403 200 service-admin
GET   /services/{service}/gate                 -       401 200 200 200 200 200 200
PUT   /services/{service}/gate                 -       401 403 403 200 403 403 200 service-admin
POST  /gates/check                             -       401 200 200 200 200 403 200
GET   /models/{name}/revisions/{version}/gates private 401 404 404 200 200 200 200
GET   /models/{name}/revisions/{version}/gates public  401 200 200 200 200 200 200
""",
            scope=RouteScope.RELEASES,
        ),
        *rows(
            """
GET    /releases                                    -       401 200 200 200 200 200 200
GET    /releases/{number}                           -       401 200 200 200 200 200 200
GET    /releases/{number}/evidence                  -       401 200 200 200 200 200 200
POST   /services/{service}/releases                 private 401 422 422 409 403 403 409
POST   /services/{service}/releases                 public  401 403 403 201 403 403 201
POST   /services/{service}/releases/check           private 401 422 422 200 200 403 200
POST   /services/{service}/releases/check           public  401 200 200 200 200 403 200
POST   /releases/{number}/approve                   -       401 403 403 200 403 403 200 service-admin
POST   /releases/{number}/reject                    -       401 403 403 200 403 403 200 service-admin
POST   /releases/{number}/withdraw                  -       401 403 403 200 403 403 200 service-admin
POST   /releases/{number}/acknowledge               -       401 403 403 403 403 403 403
POST   /releases/{number}/released                  -       401 403 403 200 403 403 200 service-admin
POST   /releases/{number}/retire                    -       401 403 403 200 403 403 200 service-admin
POST   /releases/{number}/rollback                  -       401 403 403 200 403 403 200 service-admin
PUT    /releases/{number}/canary                    -       401 403 403 200 403 403 200 service-admin
POST   /releases/{number}/canary/end                -       401 403 403 200 403 403 200 service-admin
GET    /services/{service}/live                     -       401 200 200 200 200 200 200
GET    /services/{service}/history                  -       401 200 200 200 200 200 200
GET    /services/{service}/tokens                   -       401 403 403 200 403 200 200 service-admin
POST   /services/{service}/tokens                   -       401 403 403 201 403 403 201 service-admin
DELETE /services/{service}/tokens/{number}          -       401 403 403 204 403 403 204 service-admin
GET    /calling-service                             -       401 403 403 403 403 403 403
POST   /services/{service}/cases                    -       401 403 403 403 403 403 403
GET    /services/{service}/webhooks                 -       401 403 403 200 403 200 200 service-admin
POST   /services/{service}/webhooks                 -       401 403 403 201 403 403 201 service-admin
DELETE /services/{service}/webhooks/{number}        -       401 403 403 204 403 403 204 service-admin
""",
            scope=RouteScope.RELEASES,
        ),
        *rows(
            """
GET   /tasks/{task}/gate                       -       401 200 200 200 200 200 200
PUT   /tasks/{task}/gate                       -       401 403 403 200 403 403 200 task-owner
""",
            scope=RouteScope.TASKS,
        ),
    ),
    pages=(
        *CARDS.pages,
        *rows("""
GET  /services/                                        -       401 200 200 200 200 401 401
GET  /add-service/                                     -       401 403 403 403 200 401 401
POST /add-service/                                     -       401 403 403 403 422 401 401
GET  /services/<str:service>/                             -       401 200 200 200 200 401 401
GET  /services/<str:service>/edit/                        -       401 403 403 200 200 401 401 service-admin
POST /services/<str:service>/edit/                        -       401 403 403 422 422 401 401 service-admin
GET  /services/<str:service>/conditions/                  -       401 403 403 200 403 401 401 service-admin
POST /services/<str:service>/conditions/                  -       401 403 403 422 403 401 401 service-admin
GET  /tasks/<int:task_id>/conditions/                  -       401 403 403 200 403 401 401 task-owner
POST /tasks/<int:task_id>/conditions/                  -       401 403 403 422 403 401 401 task-owner
GET  /models/<str:name>/versions/<str:version>/gates/  private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/gates/  public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/release/ private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/release/ public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/release/ private 401 404 404 422 403 401 401
POST /models/<str:name>/versions/<str:version>/release/ public  401 403 403 422 403 401 401
GET  /releases/                                        -       401 200 200 200 200 401 401
GET  /releases/compare/                                -       401 422 422 422 422 401 401
GET  /releases/<int:number>/                           -       401 200 200 200 200 401 401
POST /releases/<int:number>/approve/                   -       401 403 403 422 403 401 401 service-admin
GET  /releases/<int:number>/reject/                    -       401 403 403 200 403 401 401 service-admin
POST /releases/<int:number>/reject/                    -       401 403 403 422 403 401 401 service-admin
GET  /releases/<int:number>/withdraw/                  -       401 403 403 200 403 401 401 service-admin
POST /releases/<int:number>/withdraw/                  -       401 403 403 302 403 401 401 service-admin
GET  /releases/<int:number>/released/                  -       401 403 403 200 403 401 401 service-admin
POST /releases/<int:number>/released/                  -       401 403 403 302 403 401 401 service-admin
GET  /releases/<int:number>/retire/                    -       401 403 403 200 403 401 401 service-admin
POST /releases/<int:number>/retire/                    -       401 403 403 422 403 401 401 service-admin
GET  /releases/<int:number>/rollback/                  -       401 403 403 200 403 401 401 service-admin
POST /releases/<int:number>/rollback/                  -       401 403 403 422 403 401 401 service-admin
GET  /releases/<int:number>/canary/                    -       401 403 403 200 403 401 401 service-admin
POST /releases/<int:number>/canary/                    -       401 403 403 422 403 401 401 service-admin
GET  /releases/<int:number>/canary/end/                -       401 403 403 200 403 401 401 service-admin
POST /releases/<int:number>/canary/end/                -       401 403 403 422 403 401 401 service-admin
GET  /services/<str:service>/tokens/add/               -       401 403 403 200 403 401 401 service-admin
POST /services/<str:service>/tokens/add/               -       401 403 403 422 403 401 401 service-admin
GET  /services/<str:service>/tokens/<int:number>/revoke/ -     401 403 403 200 403 401 401 service-admin
POST /services/<str:service>/tokens/<int:number>/revoke/ -     401 403 403 302 403 401 401 service-admin
GET  /services/<str:service>/webhooks/add/             -       401 403 403 200 403 401 401 service-admin
POST /services/<str:service>/webhooks/add/             -       401 403 403 422 403 401 401 service-admin
GET  /services/<str:service>/webhooks/<int:number>/remove/ -   401 403 403 200 403 401 401 service-admin
POST /services/<str:service>/webhooks/<int:number>/remove/ -   401 403 403 302 403 401 401 service-admin
"""),
    ),
)
