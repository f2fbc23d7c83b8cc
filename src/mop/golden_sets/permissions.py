"""Who may do what with golden sets: rows as `mop.areas.permissions` explains them. The owner supplied the set."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

_RUNS = "/models/{name}/revisions/{version}/golden-sets"
_RESULTS = "/models/<str:name>/versions/<str:version>/golden-sets/"
_SET = "/tasks/<int:task_id>/golden-sets/<str:name>/"

PERMISSIONS = Permissions(
    api=rows(
        """
GET    /tasks/{task}/golden-sets             -       401 200 200 200 200 200 200
POST   /tasks/{task}/golden-sets             -       401 403 403 201 403 403 201 task-owner
GET    /tasks/{task}/golden-sets/{name}/rows -       401 403 403 200 403 200 200
GET    /tasks/{task}/golden-sets/{name}      -       401 200 200 200 200 200 200
DELETE /tasks/{task}/golden-sets/{name}      -       401 403 403 204 403 403 204 task-owner
""",
        scope=RouteScope.TASKS,
    )
    + rows(
        f"""
GET    {_RUNS}                               private 401 404 404 200 200 200 200
GET    {_RUNS}                               public  401 200 200 200 200 200 200
POST   {_RUNS}/run                           private 401 404 404 200 403 403 200
POST   {_RUNS}/run                           public  401 403 403 200 403 403 200
""",
        scope=RouteScope.EVALUATIONS,
    ),
    pages=rows(f"""
GET  /tasks/<int:task_id>/add-golden-set/ -       401 403 403 200 403 401 401 task-owner
POST /tasks/<int:task_id>/add-golden-set/ -       401 403 403 422 403 401 401 task-owner
GET  {_SET}                               -       401 200 200 200 200 401 401
GET  {_SET}versions/<int:number>/         -       401 403 403 200 403 401 401
GET  {_SET}upload/                        -       401 403 403 200 403 401 401 task-owner
POST {_SET}upload/                        -       401 403 403 422 403 401 401 task-owner
GET  {_SET}delete/                        -       401 403 403 200 403 401 401 task-owner
POST {_SET}delete/                        -       401 403 403 302 403 401 401 task-owner
GET  {_RESULTS}                           private 401 404 404 200 200 401 401
GET  {_RESULTS}                           public  401 200 200 200 200 401 401
GET  /live{_RESULTS}                      private 401 404 404 200 200 401 401
GET  /live{_RESULTS}                      public  401 200 200 200 200 401 401
GET  {_RESULTS}run/                       private 401 404 404 200 403 401 401
GET  {_RESULTS}run/                       public  401 403 403 200 403 401 401
POST {_RESULTS}run/                       private 401 404 404 302 403 401 401
POST {_RESULTS}run/                       public  401 403 403 302 403 401 401
"""),
)
