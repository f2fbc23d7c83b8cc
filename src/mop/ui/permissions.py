"""Who may do what with pages that belong to no area: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows

PERMISSIONS = Permissions(
    pages=rows("""
GET  /        - 302 302 302 302 302 302 302
POST /theme/  - 302 302 302 302 302 302 302
GET  /search/ - 401 200 200 200 200 401 401
GET  /errors/ - 200 200 200 200 200 200 200
GET  /health  - 200 200 200 200 200 200 200
GET  /ready   - 200 200 200 200 200 200 200
"""),
)
