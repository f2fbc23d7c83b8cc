"""What the API has for each page of the portal that changes something. `tests/api/test_portal_and_api.py` holds it.

A page without an operation has a reason. A new page needs its line here.
"""

from __future__ import annotations

import enum


class Reason(enum.Enum):
    """Why a page has no operation."""

    BROWSER = "it changes what this browser shows"
    DRAFT = "it keeps what somebody types; the API takes the whole at once"
    SIGN_IN = "it lets a browser in, or asks for the password again: no token does that"


_VERSION = "/models/<str:name>/versions/<str:version>"
_REVISION = "/models/{name}/revisions/{version}"
_EVALUATION = f"{_REVISION}/evaluations/{{task}}/{{dataset}}"
_RESULT = f"{_VERSION}/evaluations/<int:task_id>/<str:dataset>"
_WEBHOOK = "/notifications/webhooks/<int:webhook_id>"

OPERATIONS: dict[str, tuple[str, ...] | Reason] = {
    # golden sets and regression tests
    "/tasks/<int:task_id>/add-golden-set/": ("POST /tasks/{task}/golden-sets",),
    "/tasks/<int:task_id>/golden-sets/<str:name>/upload/": ("POST /tasks/{task}/golden-sets",),
    "/tasks/<int:task_id>/golden-sets/<str:name>/delete/": ("DELETE /tasks/{task}/golden-sets/{name}",),
    f"{_VERSION}/golden-sets/run/": (f"POST {_REVISION}/golden-sets/run",),
    f"{_VERSION}/regression/run/": (f"POST {_REVISION}/regression/run",),
    f"{_VERSION}/regression/cancel/": (f"POST {_REVISION}/regression/cancel",),
    f"{_VERSION}/regression/fixed/": (f"POST {_REVISION}/regression/fixed",),
    f"{_VERSION}/regression/closed/": (f"POST {_REVISION}/regression/closed",),
    # sign-in
    "/accounts/login/": Reason.SIGN_IN,
    "/accounts/oidc/<str:provider_id>/login/callback/": Reason.SIGN_IN,
    "/accounts/logout/": Reason.SIGN_IN,
    "/accounts/password/reset/": Reason.SIGN_IN,
    "/accounts/password/reset/<str:uid>/<str:key>/": Reason.SIGN_IN,
    "/accounts/invitation/<str:secret>/": Reason.SIGN_IN,
    "/accounts/reauthenticate/": Reason.SIGN_IN,
    "/accounts/2fa/authenticate/": Reason.SIGN_IN,
    "/accounts/2fa/reauthenticate/": Reason.SIGN_IN,
    "/accounts/2fa/totp/activate/": Reason.SIGN_IN,
    "/accounts/2fa/totp/deactivate/": Reason.SIGN_IN,
    "/accounts/2fa/recovery-codes/generate/": Reason.SIGN_IN,
    "/accounts/2fa/keys/add/": Reason.SIGN_IN,
    "/accounts/2fa/keys/login/": Reason.SIGN_IN,
    "/accounts/2fa/keys/reauthenticate/": Reason.SIGN_IN,
    "/accounts/2fa/keys/<int:pk>/remove/": Reason.SIGN_IN,
    "/accounts/password/change/": Reason.SIGN_IN,
    # releases
    f"{_VERSION}/release/": ("POST /services/{service}/releases",),
    "/releases/<int:number>/approve/": ("POST /releases/{number}/approve",),
    "/releases/<int:number>/reject/": ("POST /releases/{number}/reject",),
    "/releases/<int:number>/withdraw/": ("POST /releases/{number}/withdraw",),
    "/releases/<int:number>/released/": ("POST /releases/{number}/released",),
    "/releases/<int:number>/retire/": ("POST /releases/{number}/retire",),
    "/releases/<int:number>/rollback/": ("POST /releases/{number}/rollback",),
    "/releases/<int:number>/canary/": ("PUT /releases/{number}/canary",),
    "/releases/<int:number>/canary/end/": ("POST /releases/{number}/canary/end",),
    "/services/<str:service>/tokens/add/": ("POST /services/{service}/tokens",),
    "/services/<str:service>/tokens/<int:number>/revoke/": ("DELETE /services/{service}/tokens/{number}",),
    "/services/<str:service>/webhooks/add/": ("POST /services/{service}/webhooks",),
    "/services/<str:service>/webhooks/<int:number>/remove/": ("DELETE /services/{service}/webhooks/{number}",),
    "/services/<str:service>/gateway/keys/<int:number>/rotate/": (
        "POST /services/{service}/gateway/keys/{number}/rotate",
    ),
    "/services/<str:service>/gateway/containers/add/": ("POST /services/{service}/gateway/containers",),
    "/services/<str:service>/gateway/containers/<int:container>/remove/": (
        "DELETE /services/{service}/gateway/containers/{container}",
    ),
    # one's own
    "/account/tokens/": ("POST /tokens",),
    "/account/tokens/<int:token_id>/revoke/": ("DELETE /tokens/{token_id}",),
    "/account/tokens/<int:token_id>/rotate/": ("POST /tokens/{token_id}/rotate",),
    "/account/sessions/<int:session_id>/end/": ("DELETE /sessions/{session_id}",),
    "/account/sessions/end-others/": ("DELETE /sessions",),
    "/theme/": Reason.BROWSER,
    # people and teams
    "/users/invite/": ("POST /invitations",),
    "/users/invitations/<int:invitation_id>/withdraw/": ("DELETE /invitations/{invitation_id}",),
    "/users/<int:user_id>/access/<str:change>/": ("PATCH /users/{username}",),
    "/users/<int:user_id>/end/<str:what>/": (
        "DELETE /users/{username}/access",
        "DELETE /users/{username}/second-factors",
    ),
    "/users/<int:user_id>/reset-link/": ("POST /users/{username}/reset-link",),
    "/users/<int:user_id>/reassign/": ("POST /users/{username}/reassign",),
    "/teams/": ("POST /teams",),
    "/teams/<int:team_id>/change/": ("PATCH /teams/{name}",),
    "/teams/<int:team_id>/delete/": ("DELETE /teams/{name}",),
    "/teams/<int:team_id>/quotas/<str:quota>/": ("PUT /teams/{name}/quotas/{quota}",),
    "/teams/<int:team_id>/members/add/": ("PUT /teams/{name}/members/{username}",),
    "/teams/<int:team_id>/members/remove/": ("DELETE /teams/{name}/members/{username}",),
    # notifications and webhooks
    "/notifications/read/": ("POST /notifications/read",),
    "/notifications/<int:notification_id>/read/": ("POST /notifications/{notification_id}/read",),
    "/notifications/settings/": ("PATCH /notifications/settings",),
    "/notifications/alerts/<int:alert_id>/close/": ("POST /alerts/{alert_id}/close",),
    "/notifications/webhooks/new/": ("POST /webhooks",),
    f"{_WEBHOOK}/edit/": ("PATCH /webhooks/{webhook_id}",),
    f"{_WEBHOOK}/rotate/": ("POST /webhooks/{webhook_id}/rotate",),
    f"{_WEBHOOK}/test/": ("POST /webhooks/{webhook_id}/test",),
    f"{_WEBHOOK}/enable/": ("POST /webhooks/{webhook_id}/enable",),
    f"{_WEBHOOK}/replay/<int:delivery_id>/": ("POST /webhooks/{webhook_id}/deliveries/{delivery_id}/replay",),
    f"{_WEBHOOK}/delete/": ("DELETE /webhooks/{webhook_id}",),
    # tasks and what they are made of
    "/tasks/add/": ("POST /tasks",),
    "/tasks/<int:task_id>/change/": ("PATCH /tasks/{name}",),
    "/taxonomies/": ("POST /taxonomies",),
    "/taxonomies/<int:taxonomy_id>/change/": ("PATCH /taxonomies/{name}",),
    "/instance-types/": ("POST /instance-types",),
    "/instance-types/<int:type_id>/offer/": ("PATCH /instance-types/{name}",),
    "/source-prefixes/": ("POST /source-prefixes",),
    "/source-prefixes/<int:prefix_id>/remove/": ("DELETE /source-prefixes/{prefix_id}",),
    # models
    "/add-model/": ("POST /models",),
    "/add-model/draft/<str:draft>/": Reason.DRAFT,
    "/add-model/draft/<str:draft>/tasks/": ("POST /models",),
    "/add-model/keep/": Reason.DRAFT,
    "/add-model/draft/<str:draft>/keep/": Reason.DRAFT,
    "/version-columns/": Reason.BROWSER,
    "/model-selection/": ("PUT /groups/{group_id}/models/{name}",),
    "/delete-models/": ("DELETE /models/{name}",),
    "/models/<str:name>/description/": ("PATCH /models/{name}",),
    "/models/<str:name>/intended-use/": ("PATCH /models/{name}",),
    "/models/<str:name>/limits/": ("PATCH /models/{name}",),
    "/models/<str:name>/tags/": ("PATCH /models/{name}",),
    "/models/<str:name>/owners/add/": ("POST /models/{name}/owners",),
    "/models/<str:name>/owners/remove/": ("DELETE /models/{name}/owners/{username}",),
    "/models/<str:name>/upgrade/": ("POST /models/{name}/revisions",),
    "/models/<str:name>/delete/": ("DELETE /models/{name}",),
    "/models/<str:name>/groups/": (
        "PUT /groups/{group_id}/models/{name}",
        "DELETE /groups/{group_id}/models/{name}",
    ),
    "/models/<str:name>/tasks/add/": ("POST /models/{name}/tasks",),
    "/models/<str:name>/tasks/<int:task_id>/disconnect/": ("DELETE /models/{name}/tasks/{task}",),
    f"{_VERSION}/note/": (f"PATCH {_REVISION}",),
    f"{_VERSION}/sample/": (f"PUT {_REVISION}/sample",),
    f"{_VERSION}/hosts/": (f"PUT {_REVISION}/allowed-hosts",),
    f"{_VERSION}/retry/": (f"POST {_REVISION}/retry",),
    f"{_VERSION}/cancel/": (f"POST {_REVISION}/cancel",),
    f"{_VERSION}/delete/": (f"DELETE {_REVISION}",),
    f"{_VERSION}/publish/": (f"POST {_REVISION}/publish",),
    f"{_VERSION}/unpublish/": (f"POST {_REVISION}/unpublish",),
    f"{_VERSION}/outdated/": (f"POST {_REVISION}/outdated",),
    f"{_VERSION}/rescan/": (f"POST {_REVISION}/rescan",),
    f"{_VERSION}/tasks/<int:task_id>/check/": (f"POST {_REVISION}/contract-runs",),
    f"{_VERSION}/contract-runs/<uuid:run_id>/cancel/": (f"POST {_REVISION}/contract-runs/{{run_id}}/cancel",),
    f"{_VERSION}/load-test/enable/": (f"POST {_REVISION}/load-test",),
    f"{_VERSION}/load-test/cancel/": (f"POST {_REVISION}/load-test/cancel",),
    f"{_VERSION}/try/": (f"POST {_REVISION}/try",),
    f"{_VERSION}/try/<uuid:try_id>/cancel/": (f"POST {_REVISION}/try/{{try_id}}/cancel",),
    "/models/<str:name>/waivers/add/": ("POST /models/{name}/waivers",),
    "/models/<str:name>/waivers/<int:waiver_id>/end/": ("DELETE /models/{name}/waivers/{waiver_id}",),
    # groups of models
    "/groups/add/": ("POST /groups",),
    "/groups/<int:group_id>/rename/": ("PATCH /groups/{group_id}",),
    "/groups/<int:group_id>/show/": ("PATCH /groups/{group_id}",),
    "/groups/<int:group_id>/hide/": ("PATCH /groups/{group_id}",),
    "/groups/<int:group_id>/share/": ("POST /groups/{group_id}/shares",),
    "/groups/<int:group_id>/share/<int:share_id>/end/": ("DELETE /groups/{group_id}/shares/{share_id}",),
    "/groups/<int:group_id>/delete/": ("DELETE /groups/{group_id}",),
    # dsat
    "/dsat-selection/close/": ("POST /dsat/{number}/close",),
    "/dsat-selection/assign/": ("POST /dsat/{number}/assign",),
    "/dsat-selection/delete/": ("DELETE /dsat/{number}",),
    "/add-dsat/": ("POST /dsat",),
    "/dsat-imports/": (
        "POST /dsat-imports",
        "PUT /dsat-imports/{import_id}/parts/{part}",
        "POST /dsat-imports/{import_id}/start",
    ),
    "/dsat-imports/<uuid:import_id>/cancel/": ("POST /dsat-imports/{import_id}/cancel",),
    "/dsat-imports/<uuid:import_id>/delete/": ("DELETE /dsat-imports/{import_id}",),
    "/dsat/<int:case_id>/open/": ("POST /dsat/{number}/open",),
    "/dsat/<int:case_id>/comment/": ("POST /dsat/{number}/comments",),
    "/dsat/<int:case_id>/edit/": ("PATCH /dsat/{number}",),
    "/dsat/<int:case_id>/assign/": ("POST /dsat/{number}/assign",),
    "/dsat/<int:case_id>/confirm/": ("POST /dsat/{number}/confirm",),
    "/dsat/<int:case_id>/fix/": ("POST /dsat/{number}/fix",),
    "/dsat/<int:case_id>/reject/": ("POST /dsat/{number}/reject",),
    "/dsat/<int:case_id>/close/": ("POST /dsat/{number}/close",),
    "/dsat/<int:case_id>/reopen/": ("POST /dsat/{number}/reopen",),
    "/dsat/<int:case_id>/restrict/": ("POST /dsat/{number}/restrict",),
    "/dsat/<int:case_id>/delete/": ("DELETE /dsat/{number}",),
    "/tasks/<int:task_id>/dsat-access/": ("POST /tasks/{task}/dsat-access",),
    "/tasks/<int:task_id>/dsat-access/<int:grant_id>/withdraw/": ("DELETE /tasks/{task}/dsat-access/{access_id}",),
    # datasets
    "/add-datasets/": ("POST /datasets",),
    "/add-datasets/<str:draft>/": ("POST /datasets",),
    "/datasets/<str:name>/description/": ("PATCH /datasets/{name}",),
    "/datasets/<str:name>/tasks/": ("PATCH /datasets/{name}",),
    "/datasets/<str:name>/owners/add/": ("POST /datasets/{name}/owners",),
    "/datasets/<str:name>/owners/remove/": ("DELETE /datasets/{name}/owners/{username}",),
    "/datasets/<str:name>/retry/": ("POST /datasets/{name}/retry",),
    "/datasets/<str:name>/cancel/": ("POST /datasets/{name}/cancel",),
    "/datasets/<str:name>/outdated/": ("POST /datasets/{name}/outdated",),
    "/datasets/<str:name>/delete/": ("DELETE /datasets/{name}",),
    "/connection-requests/<int:binding_id>/approve/": ("POST /tasks/{task}/datasets/{name}/approve",),
    "/connection-requests/<int:binding_id>/reject/": ("POST /tasks/{task}/datasets/{name}/reject",),
    # evaluations
    "/tasks/<int:task_id>/headline/": ("PUT /tasks/{task}/headline-dataset",),
    f"{_RESULT}/cancel/": (f"POST {_EVALUATION}/cancel",),
    f"{_RESULT}/rerun/": (f"POST {_EVALUATION}/rerun",),
    f"{_RESULT}/publish/": (f"POST {_EVALUATION}/publish",),
    f"{_RESULT}/withdraw/": (f"POST {_EVALUATION}/withdraw",),
    # services and gates
    "/add-service/": ("POST /services",),
    "/services/<str:service>/edit/": ("PATCH /services/{service}",),
    "/services/<str:service>/conditions/": ("PUT /services/{service}/gate",),
    "/tasks/<int:task_id>/conditions/": ("PUT /tasks/{task}/gate",),
}
