"""Who sees Home and Analysis: everybody signed in, each what is theirs to see; metrics are for administrators.

Rows as `mop.areas.permissions` explains them.
"""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET /metrics - 401 403 403 403 200 403 403
""",
        scope=RouteScope.ADMINISTRATION,
    ),
    pages=rows("""
GET /home/      - 401 200 200 200 200 401 401
GET /analysis/  - 401 200 200 200 200 401 401
GET /analysis/weeks.csv - 401 200 200 200 200 401 401
GET /live/home/ - 401 200 200 200 200 401 401
"""),
)
