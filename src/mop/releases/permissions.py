"""Who may do what with services and gates: rows as `mop.areas.permissions` explains them.

The owner is an admin of the service and owns the task.
"""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=(
        *rows(
            """
GET   /services                                -       401 200 200 200 200 200 200
POST  /services                                -       401 403 403 403 201 403 403
GET   /services/{service}                      -       401 200 200 200 200 200 200
PATCH /services/{service}                      -       401 403 403 200 200 403 200
GET   /services/{service}/gate                 -       401 200 200 200 200 200 200
PUT   /services/{service}/gate                 -       401 403 403 200 403 403 200
POST  /gates/check                             -       401 200 200 200 200 403 200
GET   /models/{name}/revisions/{version}/gates private 401 404 404 200 200 200 200
GET   /models/{name}/revisions/{version}/gates public  401 200 200 200 200 200 200
""",
            scope=RouteScope.RELEASES,
        ),
        *rows(
            """
GET   /tasks/{task}/gate                       -       401 200 200 200 200 200 200
PUT   /tasks/{task}/gate                       -       401 403 403 200 403 403 200
""",
            scope=RouteScope.TASKS,
        ),
    ),
    pages=rows("""
GET  /services/                                        -       401 200 200 200 200 401 401
GET  /add-service/                                     -       401 403 403 403 200 401 401
POST /add-service/                                     -       401 403 403 403 422 401 401
GET  /services/<str:service>/                             -       401 200 200 200 200 401 401
GET  /services/<str:service>/edit/                        -       401 403 403 200 200 401 401
POST /services/<str:service>/edit/                        -       401 403 403 422 422 401 401
GET  /services/<str:service>/conditions/                  -       401 403 403 200 403 401 401
POST /services/<str:service>/conditions/                  -       401 403 403 422 403 401 401
GET  /tasks/<int:task_id>/conditions/                  -       401 403 403 200 403 401 401
POST /tasks/<int:task_id>/conditions/                  -       401 403 403 422 403 401 401
GET  /models/<str:name>/versions/<str:version>/gates/  private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/gates/  public  401 200 200 200 200 401 401
"""),
)
