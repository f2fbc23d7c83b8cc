"""Who may do what with datasets: rows as `mop.areas.permissions` explains them.

Datasets are the owner's, and ask for a task that the owner also owns.
"""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET    /datasets                                    -       401 200 200 200 200 200 200
POST   /datasets                                    the-team 401 403 201 201 403 403 201
POST   /datasets                                    own-team 401 201 201 201 201 403 201
GET    /datasets/{name}                             -       401 200 200 200 200 200 200
PATCH  /datasets/{name}                             -       401 403 403 200 403 403 200 dataset-owner
POST   /datasets/{name}/retry                       -       401 403 403 200 403 403 200 dataset-owner
POST   /datasets/{name}/cancel                      -       401 403 403 200 403 403 200 dataset-owner
POST   /datasets/{name}/outdated                    -       401 403 403 200 403 403 200 dataset-owner
DELETE /datasets/{name}                             -       401 403 403 204 403 403 204 dataset-owner
POST   /datasets/{name}/owners                      -       401 403 403 201 201 403 201 dataset-owner
DELETE /datasets/{name}/owners/{username}           -       401 403 403 204 204 403 204 dataset-owner
GET    /tasks/{task}/requests                       -       401 403 403 200 200 200 200 task-owner
POST   /tasks/{task}/datasets/{name}/approve        -       401 403 403 200 403 403 200 task-owner
POST   /tasks/{task}/datasets/{name}/reject         -       401 403 403 200 403 403 200 task-owner
""",
        scope=RouteScope.DATASETS,
    ),
    pages=rows("""
GET  /datasets/                                     -       401 200 200 200 200 401 401
GET  /live/datasets/                                -       401 200 200 200 200 401 401
GET  /add-datasets/                                 -       401 200 200 200 200 401 401
POST /add-datasets/                                 -       401 422 422 422 422 401 401
GET  /add-datasets/principal/                       -       401 200 200 200 200 401 401
GET  /add-datasets/<str:draft>/                     -       401 302 302 302 302 401 401
POST /add-datasets/<str:draft>/                     -       401 302 302 302 302 401 401
GET  /datasets/<str:name>/                          -       401 200 200 200 200 401 401
GET  /live/datasets/<str:name>/                     -       401 200 200 200 200 401 401
GET  /datasets/<str:name>/faults.csv                -       401 403 403 200 403 401 401
GET  /datasets/<str:name>/description/              -       401 403 403 200 403 401 401 dataset-owner
POST /datasets/<str:name>/description/              -       401 403 403 302 403 401 401 dataset-owner
POST /datasets/<str:name>/owners/add/               -       401 403 403 302 302 401 401 dataset-owner
GET  /datasets/<str:name>/owners/remove/            -       401 403 403 404 404 401 401 dataset-owner
POST /datasets/<str:name>/owners/remove/            -       401 403 403 302 302 401 401 dataset-owner
GET  /datasets/<str:name>/tasks/                    -       401 403 403 200 403 401 401 dataset-owner
POST /datasets/<str:name>/tasks/                    -       401 403 403 302 403 401 401 dataset-owner
POST /datasets/<str:name>/retry/                    -       401 403 403 302 403 401 401 dataset-owner
POST /datasets/<str:name>/cancel/                   -       401 403 403 302 403 401 401 dataset-owner
GET  /datasets/<str:name>/outdated/                 -       401 403 403 200 403 401 401 dataset-owner
POST /datasets/<str:name>/outdated/                 -       401 403 403 302 403 401 401 dataset-owner
GET  /datasets/<str:name>/delete/                   -       401 403 403 200 403 401 401 dataset-owner
POST /datasets/<str:name>/delete/                   -       401 403 403 302 403 401 401 dataset-owner
POST /connection-requests/<int:binding_id>/approve/ -       401 403 403 302 403 401 401 task-owner
GET  /connection-requests/<int:binding_id>/reject/  -       401 403 403 200 403 401 401 task-owner
POST /connection-requests/<int:binding_id>/reject/  -       401 403 403 302 403 401 401 task-owner
"""),
)
