"""Who may read model cards: everybody who sees the version. Rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=rows(
        """
GET   /models/{name}/revisions/{version}/card  private 401 404 404 200 200 200 200
GET   /models/{name}/revisions/{version}/card  public  401 200 200 200 200 200 200
""",
        scope=RouteScope.MODELS,
    ),
    pages=rows("""
GET  /models/<str:name>/versions/<str:version>/card/                     private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/card/                     public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/card/download/<str:kind>/ private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/card/download/<str:kind>/ public  401 200 200 200 200 401 401
"""),
)
