"""Who may do what with access, teams and sign-in: rows as `mop.areas.permissions` explains them."""

from __future__ import annotations

from mop.areas.permissions import Permissions, rows
from mop.areas.scopes import RouteScope

PERMISSIONS = Permissions(
    api=(
        *rows(
            """
GET    /me     - 401 200 200 200 200 200 200
GET    /people - 401 200 200 200 200 200 200
GET    /teams  - 401 200 200 200 200 200 200
GET    /teams/{name} - 401 200 200 200 200 200 200
""",
            scope=RouteScope.ANY_TOKEN,
        ),
        *rows(
            """
GET    /tokens                   - 401 200 200 200 200 200 200
POST   /tokens                   - 401 201 201 201 201 403 201
POST   /tokens/{token_id}/rotate - 401 404 404 201 404 403 404
DELETE /tokens/{token_id}        - 401 404 404 204 404 403 404
GET    /sessions                 - 401 200 200 200 200 200 200
DELETE /sessions                 - 401 200 200 200 200 403 200
DELETE /sessions/{session_id}    - 401 404 404 204 404 403 204
""",
            scope=RouteScope.ACCOUNT,
        ),
        *rows(
            """
POST   /teams                           - 401 403 403 403 201 403 403
PATCH  /teams/{name}                    - 401 403 403 403 200 403 403
DELETE /teams/{name}                    - 401 403 403 403 409 403 403
PUT    /teams/{name}/members/{username} - 401 403 403 403 204 403 403
DELETE /teams/{name}/members/{username} - 401 403 403 403 204 403 403
PUT    /teams/{name}/quotas/{quota}     - 401 403 403 403 200 403 403
GET    /users                           - 401 403 403 403 200 403 403
GET    /users/{username}                - 401 403 403 403 200 403 403
PATCH  /users/{username}                - 401 403 403 403 200 403 403
GET    /users/{username}/sessions       - 401 403 403 403 200 403 403
DELETE /users/{username}/access         - 401 403 403 403 204 403 403
DELETE /users/{username}/second-factors - 401 403 403 403 204 403 403
POST   /users/{username}/reset-link     - 401 403 403 403 201 403 403
POST   /users/{username}/reassign       - 401 403 403 403 200 403 403
GET    /invitations                     - 401 403 403 403 200 403 403
POST   /invitations                     - 401 403 403 403 201 403 403
DELETE /invitations/{invitation_id}     - 401 403 403 403 204 403 403
""",
            scope=RouteScope.ADMINISTRATION,
        ),
    ),
    pages=rows("""
GET  /accounts/login/                                  - 200 302 302 302 302 200 200
POST /accounts/login/                                  - 200 302 302 302 302 200 200
GET  /accounts/login/cancelled/                        - 401 401 401 401 401 401 401
GET  /accounts/oidc/<str:provider_id>/login/           - 404 404 404 404 404 404 404
GET  /accounts/oidc/<str:provider_id>/login/callback/  - 404 404 404 404 404 404 404
POST /accounts/oidc/<str:provider_id>/login/callback/  - 404 404 404 404 404 404 404
GET  /accounts/logout/                                 - 302 200 200 200 200 302 302
POST /accounts/logout/                                 - 302 302 302 302 302 302 302
GET  /accounts/password/reset/                         - 200 200 200 200 200 200 200
POST /accounts/password/reset/                         - 422 422 422 422 422 422 422
GET  /accounts/password/reset/<str:uid>/<str:key>/     - 404 404 404 404 404 404 404
POST /accounts/password/reset/<str:uid>/<str:key>/     - 404 404 404 404 404 404 404
GET  /accounts/invitation/<str:secret>/                - 200 200 200 200 200 200 200
POST /accounts/invitation/<str:secret>/                - 422 422 422 422 422 422 422
GET  /accounts/reauthenticate/                         - 401 200 200 200 200 401 401
POST /accounts/reauthenticate/                         - 401 200 200 200 200 401 401
GET  /accounts/security/                               - 401 200 200 200 200 401 401
GET  /accounts/security/keys/                          - 401 200 200 200 200 401 401
GET  /accounts/2fa/authenticate/                       - 401 302 302 302 302 401 401
POST /accounts/2fa/authenticate/                       - 401 302 302 302 302 401 401
GET  /accounts/2fa/reauthenticate/                     - 401 302 302 302 302 401 401
POST /accounts/2fa/reauthenticate/                     - 401 302 302 302 302 401 401
GET  /accounts/2fa/totp/activate/                      - 401 302 302 302 302 401 401
POST /accounts/2fa/totp/activate/                      - 401 302 302 302 302 401 401
GET  /accounts/2fa/totp/deactivate/                    - 401 404 404 404 404 401 401
POST /accounts/2fa/totp/deactivate/                    - 401 404 404 404 404 401 401
GET  /accounts/2fa/recovery-codes/                     - 401 404 404 404 404 401 401
GET  /accounts/2fa/recovery-codes/generate/            - 401 302 302 302 302 401 401
POST /accounts/2fa/recovery-codes/generate/            - 401 302 302 302 302 401 401
GET  /accounts/2fa/keys/add/                           - 401 302 302 302 302 401 401
POST /accounts/2fa/keys/add/                           - 401 302 302 302 302 401 401
GET  /accounts/2fa/keys/login/                         - 401 302 302 302 302 401 401
POST /accounts/2fa/keys/login/                         - 401 302 302 302 302 401 401
GET  /accounts/2fa/keys/reauthenticate/                - 401 302 302 302 302 401 401
POST /accounts/2fa/keys/reauthenticate/                - 401 302 302 302 302 401 401
GET  /accounts/2fa/keys/<int:pk>/remove/               - 401 302 302 302 302 401 401
POST /accounts/2fa/keys/<int:pk>/remove/               - 401 302 302 302 302 401 401
GET  /accounts/inactive/                               - 200 200 200 200 200 200 200
GET  /accounts/password/change/                        - 401 200 200 200 200 401 401
POST /accounts/password/change/                        - 401 200 200 200 200 401 401
GET  /admin/                                           - 401 401 401 401 200 401 401
GET  /admin/login/                                     - 401 403 403 403 302 401 401
GET  /admin/logout/                                    - 302 302 302 302 302 302 302
GET  /admin/password_change/                           - 401 401 401 401 200 401 401
GET  /admin/password_change/done/                      - 401 401 401 401 200 401 401
GET  /admin/autocomplete/                              - 401 401 401 401 403 401 401
GET  /admin/jsi18n/                                    - 401 401 401 401 200 401 401
GET  /admin/r/<path:content_type_id>/<path:object_id>/ - 401 401 401 401 404 401 401
GET  /admin/accounts/user/                             - 401 401 401 401 200 401 401
GET  /admin/accounts/user/add/                         - 401 401 401 401 403 401 401
POST /admin/accounts/user/add/                         - 401 401 401 401 403 401 401
GET  /admin/accounts/user/<path:object_id>/history/    - 401 401 401 401 200 401 401
GET  /admin/accounts/user/<path:object_id>/delete/     - 401 401 401 401 403 401 401
POST /admin/accounts/user/<path:object_id>/delete/     - 401 401 401 401 403 401 401
GET  /admin/accounts/user/<path:object_id>/change/     - 401 401 401 401 200 401 401
POST /admin/accounts/user/<path:object_id>/change/     - 401 401 401 401 302 401 401
GET  /admin/accounts/user/<path:object_id>/            - 401 401 401 401 302 401 401
GET  /admin/<app_label>/                               - 401 401 401 401 200 401 401
GET  /admin/<url>                                      - 401 401 401 401 404 401 401
GET  /account/tokens/                                  - 401 200 200 200 200 401 401
POST /account/tokens/                                  - 401 422 422 422 422 401 401
GET  /account/tokens/<int:token_id>/revoke/            - 401 404 404 200 404 401 401
POST /account/tokens/<int:token_id>/revoke/            - 401 404 404 302 404 401 401
GET  /account/tokens/<int:token_id>/rotate/            - 401 404 404 200 404 401 401
POST /account/tokens/<int:token_id>/rotate/            - 401 404 404 422 404 401 401
POST /account/sessions/<int:session_id>/end/           - 401 404 404 302 404 401 401
POST /account/sessions/end-others/                     - 401 302 302 302 302 401 401
GET  /account/                                         - 401 200 200 200 200 401 401
GET  /account/quotas/                                  - 401 200 200 200 200 401 401
GET  /users/                                           - 401 403 403 403 200 401 401
GET  /users/invite/                                    - 401 403 403 403 200 401 401
POST /users/invite/                                    - 401 403 403 403 200 401 401
POST /users/invitations/<int:invitation_id>/withdraw/  - 401 403 403 403 302 401 401
GET  /users/<int:user_id>/                             - 401 403 403 403 200 401 401
GET  /users/<int:user_id>/access/<str:change>/         - 401 403 403 403 200 401 401
POST /users/<int:user_id>/access/<str:change>/         - 401 403 403 403 302 401 401
GET  /users/<int:user_id>/end/<str:what>/              - 401 403 403 403 200 401 401
POST /users/<int:user_id>/end/<str:what>/              - 401 403 403 403 302 401 401
POST /users/<int:user_id>/reset-link/                  - 401 403 403 403 200 401 401
POST /users/<int:user_id>/reassign/                    - 401 403 403 403 422 401 401
GET  /people/                                          - 401 200 200 200 200 401 401
GET  /teams/                                           - 401 403 403 403 200 401 401
POST /teams/                                           - 401 403 403 403 422 401 401
GET  /teams/<int:team_id>/                             - 401 403 403 403 200 401 401
GET  /teams/<int:team_id>/change/                      - 401 403 403 403 200 401 401
POST /teams/<int:team_id>/change/                      - 401 403 403 403 422 401 401
GET  /teams/<int:team_id>/delete/                      - 401 403 403 403 200 401 401
POST /teams/<int:team_id>/delete/                      - 401 403 403 403 409 401 401
GET  /teams/<int:team_id>/quotas/<str:quota>/          - 401 403 403 403 200 401 401
POST /teams/<int:team_id>/quotas/<str:quota>/          - 401 403 403 403 302 401 401
POST /teams/<int:team_id>/members/add/                 - 401 403 403 403 302 401 401
POST /teams/<int:team_id>/members/remove/              - 401 403 403 403 302 401 401
"""),
)
