"""Who may do what with the API's own description: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows

PERMISSIONS = Permissions(
    pages=rows("""
GET /api/v1/openapi.json - 200 200 200 200 200 200 200
GET /api/v1/docs         - 200 200 200 200 200 200 200
GET /api/v1/             - 404 404 404 404 404 404 404
GET /api/                - 404 404 404 404 404 404 404
"""),
)
