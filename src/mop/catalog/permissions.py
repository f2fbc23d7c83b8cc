"""Who may do what with tasks, taxonomies and instance types: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET  /taxonomies     - 401 200 200 200 200 200 200
POST /taxonomies     - 401 403 403 403 201 403 403
GET  /instance-types - 401 200 200 200 200 200 200
POST /instance-types - 401 403 403 403 201 403 403
GET  /tasks          - 401 200 200 200 200 200 200
POST /tasks          - 401 403 403 403 201 403 403
GET  /tasks/{name}   - 401 200 200 200 200 200 200
PATCH /tasks/{name}          - 401 403 403 403 200 403 403
PATCH /taxonomies/{name}     - 401 403 403 403 200 403 403
PATCH /instance-types/{name} - 401 403 403 403 200 403 403
""",
        scope=RouteScope.TASKS,
    ),
    pages=rows("""
GET  /tasks/               - 401 200 200 200 200 401 401
GET  /tasks/add/           - 401 403 403 403 200 401 401
POST /tasks/add/           - 401 403 403 403 422 401 401
GET  /tasks/<int:task_id>/ - 401 200 200 200 200 401 401
GET  /tasks/<int:task_id>/change/              - 401 403 403 403 200 401 401
POST /tasks/<int:task_id>/change/              - 401 403 403 403 422 401 401
GET  /taxonomies/<int:taxonomy_id>/change/     - 401 403 403 403 200 401 401
POST /taxonomies/<int:taxonomy_id>/change/     - 401 403 403 403 302 401 401
POST /instance-types/<int:type_id>/offer/      - 401 403 403 403 302 401 401
GET  /taxonomies/          - 401 403 403 403 200 401 401
POST /taxonomies/          - 401 403 403 403 422 401 401
GET  /instance-types/      - 401 403 403 403 200 401 401
POST /instance-types/      - 401 403 403 403 422 401 401
"""),
)
