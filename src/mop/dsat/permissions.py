"""Who may do what with DSAT cases: rows as `mop.areas.permissions` explains them.

The case is the owner's, and belongs to a task that the owner also owns. The import is the owner's.
"""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET    /dsat                                   - 401 200 200 200 200 200 200
POST   /dsat                                   - 401 201 201 201 201 403 201
GET    /dsat/{number}                          - 401 200 200 200 200 200 200
PATCH  /dsat/{number}                          - 401 403 403 200 403 403 200 task-owner DSAT-submitter
DELETE /dsat/{number}                          - 401 403 403 204 403 403 204 DSAT-submitter
POST   /dsat/{number}/open                     - 401 403 403 200 403 403 200 task-owner DSAT-submitter
POST   /dsat/{number}/assign                   - 401 403 403 200 403 403 200 task-owner DSAT-submitter
POST   /dsat/{number}/confirm                  - 401 403 403 200 403 403 200 task-owner
POST   /dsat/{number}/fix                      - 401 403 403 200 403 403 200 task-owner
POST   /dsat/{number}/reject                   - 401 403 403 200 403 403 200 task-owner
POST   /dsat/{number}/close                    - 401 403 403 200 403 403 200 task-owner DSAT-submitter
POST   /dsat/{number}/reopen                   - 401 403 403 200 403 403 200 DSAT-submitter
POST   /dsat/{number}/restrict                 - 401 403 403 200 403 403 200 DSAT-submitter
POST   /dsat/{number}/comments                 - 401 403 403 201 403 403 201 task-owner DSAT-submitter
GET    /dsat-imports                           - 401 200 200 200 200 200 200
POST   /dsat-imports                           - 401 201 201 201 201 403 201
GET    /dsat-imports/{import_id}               - 401 404 404 200 404 200 200 DSAT-submitter
PUT    /dsat-imports/{import_id}/parts/{part}  - 401 404 404 204 404 403 204 DSAT-submitter
POST   /dsat-imports/{import_id}/start         - 401 404 404 200 404 403 200 DSAT-submitter
POST   /dsat-imports/{import_id}/cancel        - 401 404 404 200 404 403 200 DSAT-submitter
DELETE /dsat-imports/{import_id}               - 401 404 404 204 404 403 204 DSAT-submitter
GET    /tasks/{task}/dsat-access               - 401 403 403 200 200 200 200 task-owner
POST   /tasks/{task}/dsat-access               the-team 401 403 403 201 403 403 201 task-owner
DELETE /tasks/{task}/dsat-access/{access_id}   - 401 403 403 204 204 403 204 task-owner
""",
        scope=RouteScope.DSAT,
    ),
    pages=rows("""
GET  /dsat/                                                 - 401 200 200 200 200 401 401
GET  /dsat-selection/close/                                 - 401 200 200 200 200 401 401
POST /dsat-selection/close/                                 - 401 200 200 200 200 401 401
GET  /dsat-selection/assign/                                - 401 200 200 200 200 401 401
POST /dsat-selection/assign/                                - 401 200 200 200 200 401 401
GET  /dsat-selection/delete/                                - 401 200 200 200 200 401 401
POST /dsat-selection/delete/                                - 401 200 200 200 200 401 401
GET  /add-dsat/                                             - 401 200 200 200 200 401 401
POST /add-dsat/                                             - 401 200 200 200 200 401 401
GET  /dsat-imports/                                         - 401 200 200 200 200 401 401
POST /dsat-imports/                                         - 401 422 422 422 422 401 401
GET  /dsat-imports/<uuid:import_id>/                        - 401 404 404 200 404 401 401 DSAT-submitter
GET  /live/dsat-imports/<uuid:import_id>/                   - 401 404 404 200 404 401 401 DSAT-submitter
GET  /dsat-imports/<uuid:import_id>/faults.csv              - 401 404 404 200 404 401 401 DSAT-submitter
POST /dsat-imports/<uuid:import_id>/cancel/                 - 401 404 404 302 404 401 401 DSAT-submitter
POST /dsat-imports/<uuid:import_id>/delete/                 - 401 404 404 302 404 401 401 DSAT-submitter
GET  /dsat/<int:case_id>/                                   - 401 200 200 200 200 401 401
POST /dsat/<int:case_id>/open/                              - 401 403 403 200 403 401 401 task-owner DSAT-submitter
POST /dsat/<int:case_id>/comment/                           - 401 403 403 422 403 401 401 task-owner DSAT-submitter
GET  /dsat/<int:case_id>/edit/                              - 401 403 403 200 403 401 401 task-owner DSAT-submitter
POST /dsat/<int:case_id>/edit/                              - 401 403 403 302 403 401 401 task-owner DSAT-submitter
GET  /dsat/<int:case_id>/assign/                            - 401 403 403 200 403 401 401 task-owner DSAT-submitter
POST /dsat/<int:case_id>/assign/                            - 401 403 403 422 403 401 401 task-owner DSAT-submitter
POST /dsat/<int:case_id>/confirm/                           - 401 403 403 302 403 401 401 task-owner
GET  /dsat/<int:case_id>/fix/                               - 401 403 403 200 403 401 401 task-owner
POST /dsat/<int:case_id>/fix/                               - 401 403 403 302 403 401 401 task-owner
GET  /dsat/<int:case_id>/reject/                            - 401 403 403 200 403 401 401 task-owner
POST /dsat/<int:case_id>/reject/                            - 401 403 403 302 403 401 401 task-owner
POST /dsat/<int:case_id>/close/                             - 401 403 403 302 403 401 401 task-owner DSAT-submitter
POST /dsat/<int:case_id>/reopen/                            - 401 403 403 302 403 401 401 DSAT-submitter
POST /dsat/<int:case_id>/restrict/                          - 401 403 403 302 403 401 401 DSAT-submitter
GET  /dsat/<int:case_id>/delete/                            - 401 403 403 200 403 401 401 DSAT-submitter
POST /dsat/<int:case_id>/delete/                            - 401 403 403 302 403 401 401 DSAT-submitter
POST /tasks/<int:task_id>/dsat-access/                      - 401 403 403 302 403 401 401 task-owner
POST /tasks/<int:task_id>/dsat-access/<int:grant_id>/withdraw/ - 401 403 403 302 302 401 401 task-owner
"""),
)
