"""Who may do what: the one table that tests check and docs/permissions.md shows.

A line is: method, address, object, then the status for each role of ROLES. A page that leads to the sign-in page
counts as 401. `private` and `public` tell which of the owner's two models the address names.

`python tests/support/permission_table.py` writes docs/permissions.md anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROLES = ("anonymous", "user", "team member", "owner", "administrator", "read token", "write token")
DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"

API = """
GET    /me                                             -        401 200 200 200 200 200 200
GET    /tokens                                         -        401 200 200 200 200 403 403
POST   /tokens                                         -        401 201 201 201 201 403 403
DELETE /tokens/{token_id}                              -        401 404 404 204 404 403 403
GET    /notifications                                  -        401 200 200 200 200 200 200
POST   /notifications/{notification_id}/read           -        401 404 404 200 404 403 200
POST   /notifications/read                             -        401 200 200 200 200 403 200
GET    /teams                                          -        401 200 200 200 200 200 200
POST   /teams                                          -        401 403 403 403 201 403 403
GET    /taxonomies                                     -        401 200 200 200 200 200 200
POST   /taxonomies                                     -        401 403 403 403 201 403 403
GET    /instance-types                                 -        401 200 200 200 200 200 200
POST   /instance-types                                 -        401 403 403 403 201 403 403
GET    /tasks                                          -        401 200 200 200 200 200 200
POST   /tasks                                          -        401 403 403 403 201 403 403
GET    /tasks/{name}                                   -        401 200 200 200 200 200 200
GET    /models                                         -        401 200 200 200 200 200 200
POST   /models                                         own-team 401 201 201 201 201 403 201
POST   /models                                         the-team 401 403 201 201 403 403 201
GET    /models/{name}                                  private  401 404 404 200 200 200 200
GET    /models/{name}                                  public   401 200 200 200 200 200 200
PATCH  /models/{name}                                  private  401 404 404 200 403 403 200
PATCH  /models/{name}                                  public   401 403 403 200 403 403 200
DELETE /models/{name}                                  private  401 404 404 204 403 403 204
DELETE /models/{name}                                  public   401 403 403 204 403 403 204
POST   /models/{name}/owners                           private  401 404 404 201 201 403 201
POST   /models/{name}/owners                           public   401 403 403 201 201 403 201
DELETE /models/{name}/owners/{username}                private  401 404 404 204 204 403 204
DELETE /models/{name}/owners/{username}                public   401 403 403 204 204 403 204
GET    /models/{name}/revisions                        private  401 404 404 200 200 200 200
GET    /models/{name}/revisions                        public   401 200 200 200 200 200 200
POST   /models/{name}/revisions                        private  401 404 404 201 403 403 201
POST   /models/{name}/revisions                        public   401 403 403 201 403 403 201
GET    /models/{name}/revisions/{version}              private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}              public   401 200 200 200 200 200 200
PATCH  /models/{name}/revisions/{version}              private  401 404 404 200 403 403 200
PATCH  /models/{name}/revisions/{version}              public   401 403 403 200 403 403 200
DELETE /models/{name}/revisions/{version}              private  401 404 404 204 403 403 204
DELETE /models/{name}/revisions/{version}              public   401 403 403 204 403 403 204
POST   /models/{name}/revisions/{version}/retry        private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/retry        public   401 403 403 200 403 403 200
POST   /models/{name}/revisions/{version}/cancel       private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/cancel       public   401 403 403 200 403 403 200
GET    /models/{name}/revisions/{version}/allowed-hosts private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/allowed-hosts public  401 403 403 200 200 200 200
PUT    /models/{name}/revisions/{version}/allowed-hosts private 401 404 404 403 200 403 403
PUT    /models/{name}/revisions/{version}/allowed-hosts public  401 403 403 403 200 403 403
GET    /models/{name}/revisions/{version}/events       private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/events       public   401 200 200 200 200 200 200
GET    /models/{name}/revisions/{version}/scan         private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/scan         public   401 403 403 200 200 200 200
GET    /models/{name}/revisions/{version}/findings     private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/findings     public   401 403 403 200 200 200 200
GET    /models/{name}/revisions/{version}/files        private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/files        public   401 403 403 200 200 200 200
GET    /models/{name}/revisions/{version}/findings/{kind} private 401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/findings/{kind} public 401 403 403 200 200 200 200
POST   /models/{name}/revisions/{version}/rescan       private  401 404 404 202 202 403 202
POST   /models/{name}/revisions/{version}/rescan       public   401 403 403 202 202 403 202
GET    /models/{name}/waivers                          private  401 404 404 200 200 200 200
GET    /models/{name}/waivers                          public   401 403 403 200 200 200 200
POST   /models/{name}/waivers                          private  401 404 404 403 201 403 403
POST   /models/{name}/waivers                          public   401 403 403 403 201 403 403
DELETE /models/{name}/waivers/{waiver_id}              private  401 404 404 403 204 403 403
DELETE /models/{name}/waivers/{waiver_id}              public   401 403 403 403 204 403 403
GET    /models/{name}/revisions/{version}/logs/{kind}  private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/logs/{kind}  public   401 403 403 200 200 200 200
GET    /models/{name}/revisions/{version}/load-test  private  401 404 404 200 200 200 200
GET    /models/{name}/revisions/{version}/load-test  public   401 200 200 200 200 200 200
POST   /models/{name}/revisions/{version}/load-test  private  401 404 404 201 403 403 201
POST   /models/{name}/revisions/{version}/load-test  public   401 403 403 201 403 403 201
POST   /models/{name}/revisions/{version}/load-test/cancel  private  401 404 404 200 403 403 200
POST   /models/{name}/revisions/{version}/load-test/cancel  public   401 403 403 200 403 403 200
"""

PAGES = """
GET  /accounts/login/                                                         -       200 302 302 302 302 200 200
POST /accounts/login/                                                         -       200 302 302 302 302 200 200
GET  /accounts/logout/                                                        -       302 200 200 200 200 302 302
POST /accounts/logout/                                                        -       302 302 302 302 302 302 302
GET  /accounts/inactive/                                                      -       200 200 200 200 200 200 200
GET  /accounts/password/change/                                               -       401 200 200 200 200 401 401
POST /accounts/password/change/                                               -       401 200 200 200 200 401 401
GET  /admin/                                                                  -       401 401 401 401 200 401 401
GET  /admin/login/                                                            -       401 403 403 403 302 401 401
GET  /admin/logout/                                                           -       302 302 302 302 405 302 302
GET  /admin/password_change/                                                  -       401 401 401 401 200 401 401
GET  /admin/password_change/done/                                             -       401 401 401 401 200 401 401
GET  /admin/autocomplete/                                                     -       401 401 401 401 403 401 401
GET  /admin/jsi18n/                                                           -       401 401 401 401 200 401 401
GET  /admin/r/<path:content_type_id>/<path:object_id>/                        -       401 401 401 401 404 401 401
GET  /admin/accounts/user/                                                    -       401 401 401 401 200 401 401
GET  /admin/accounts/user/add/                                                -       401 401 401 401 403 401 401
POST /admin/accounts/user/add/                                                -       401 401 401 401 403 401 401
GET  /admin/accounts/user/<path:object_id>/history/                           -       401 401 401 401 200 401 401
GET  /admin/accounts/user/<path:object_id>/delete/                            -       401 401 401 401 403 401 401
POST /admin/accounts/user/<path:object_id>/delete/                            -       401 401 401 401 403 401 401
GET  /admin/accounts/user/<path:object_id>/change/                            -       401 401 401 401 200 401 401
POST /admin/accounts/user/<path:object_id>/change/                            -       401 401 401 401 302 401 401
GET  /admin/accounts/user/<path:object_id>/                                   -       401 401 401 401 302 401 401
GET  /admin/<app_label>/                                                      -       401 401 401 401 200 401 401
GET  /admin/<url>                                                             -       401 401 401 401 404 401 401
GET  /api/v1/openapi.json                                                     -       200 200 200 200 200 200 200
GET  /api/v1/docs                                                             -       200 200 200 200 200 200 200
GET  /api/v1/                                                                 -       404 404 404 404 404 404 404
GET  /api/                                                                    -       404 404 404 404 404 404 404
GET    / - 302 302 302 302 302 302 302
POST /theme/                                                                  -       302 302 302 302 302 302 302
GET  /errors/                                                                 -       200 200 200 200 200 200 200
GET  /account/tokens/                                                         -       401 200 200 200 200 401 401
POST /account/tokens/                                                         -       401 422 422 422 422 401 401
GET  /account/tokens/<int:token_id>/revoke/                                   -       401 404 404 200 404 401 401
POST /account/tokens/<int:token_id>/revoke/                                   -       401 404 404 302 404 401 401
GET  /notifications/                                                          -       401 200 200 200 200 401 401
POST /notifications/read/                                                     -       401 302 302 302 302 401 401
POST /notifications/<int:notification_id>/read/                               -       401 404 404 302 404 401 401
GET  /notifications/settings/                                                 -       401 200 200 200 200 401 401
POST /notifications/settings/                                                 -       401 302 302 302 302 401 401
POST /notifications/alerts/<int:alert_id>/close/                              -       401 403 403 403 302 401 401
GET  /live/notifications/                                                     -       401 200 200 200 200 401 401
GET  /teams/                                                                  -       401 403 403 403 200 401 401
POST /teams/                                                                  -       401 403 403 403 422 401 401
GET  /teams/<int:team_id>/                                                    -       401 403 403 403 200 401 401
POST /teams/<int:team_id>/members/add/                                        -       401 403 403 403 302 401 401
POST /teams/<int:team_id>/members/remove/                                     -       401 403 403 403 302 401 401
GET  /tasks/                                                                  -       401 200 200 200 200 401 401
GET  /tasks/add/                                                              -       401 403 403 403 200 401 401
POST /tasks/add/                                                              -       401 403 403 403 422 401 401
GET  /tasks/<int:task_id>/                                                    -       401 200 200 200 200 401 401
GET  /taxonomies/                                                             -       401 403 403 403 200 401 401
POST /taxonomies/                                                             -       401 403 403 403 422 401 401
GET  /instance-types/                                                         -       401 403 403 403 200 401 401
POST /instance-types/                                                         -       401 403 403 403 422 401 401
GET  /models/                                                                 -       401 200 200 200 200 401 401
GET  /live/models/                                                            -       401 200 200 200 200 401 401
GET  /add-model/                                                              -       401 200 200 200 200 401 401
POST /add-model/                                                              -       401 422 422 422 422 401 401
GET  /add-model/principal/                                                    -       401 200 200 200 200 401 401
GET  /add-model/draft/<str:draft>/                                            -       401 200 200 200 200 401 401
POST /add-model/draft/<str:draft>/                                            -       401 422 422 422 422 401 401
GET  /add-model/draft/<str:draft>/tasks/                                      -       401 302 302 302 302 401 401
POST /add-model/draft/<str:draft>/tasks/                                      -       401 302 302 302 302 401 401
GET  /models/<str:name>/                                                      private 401 404 404 200 200 401 401
GET  /models/<str:name>/                                                      public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/                                                 private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/                                                 public  401 200 200 200 200 401 401
POST /models/<str:name>/description/                                          private 401 404 404 302 403 401 401
POST /models/<str:name>/description/                                          public  401 403 403 302 403 401 401
POST /models/<str:name>/owners/add/                                           private 401 404 404 302 302 401 401
POST /models/<str:name>/owners/add/                                           public  401 403 403 302 302 401 401
POST /models/<str:name>/owners/remove/                                        private 401 404 404 302 302 401 401
POST /models/<str:name>/owners/remove/                                        public  401 403 403 302 302 401 401
GET  /models/<str:name>/upgrade/                                              private 401 404 404 200 403 401 401
GET  /models/<str:name>/upgrade/                                              public  401 403 403 200 403 401 401
POST /models/<str:name>/upgrade/                                              private 401 404 404 422 403 401 401
POST /models/<str:name>/upgrade/                                              public  401 403 403 422 403 401 401
GET  /models/<str:name>/delete/                                               private 401 404 404 200 403 401 401
GET  /models/<str:name>/delete/                                               public  401 403 403 200 403 401 401
POST /models/<str:name>/delete/                                               private 401 404 404 302 403 401 401
POST /models/<str:name>/delete/                                               public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/                               private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/                               public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/                          private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/                          public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/note/                          private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/note/                          public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/note/                          private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/note/                          public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/hosts/                         private 401 404 404 403 200 401 401
GET  /models/<str:name>/versions/<str:version>/hosts/                         public  401 403 403 403 200 401 401
POST /models/<str:name>/versions/<str:version>/hosts/                         private 401 404 404 403 302 401 401
POST /models/<str:name>/versions/<str:version>/hosts/                         public  401 403 403 403 302 401 401
POST /models/<str:name>/versions/<str:version>/retry/                         private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/retry/                         public  401 403 403 302 403 401 401
POST /models/<str:name>/versions/<str:version>/cancel/                        private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/cancel/                        public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/delete/                        private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/delete/                        public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/delete/                        private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/delete/                        public  401 403 403 302 403 401 401
GET  /models/<str:name>/versions/<str:version>/findings/                      private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/                      public  401 403 403 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/files/                private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/files/                public  401 403 403 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/                 private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/                 public  401 403 403 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/files/           private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/findings/files/           public  401 403 403 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/download/<str:kind>/  private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/findings/download/<str:kind>/  public  401 403 403 200 200 401 401
POST /models/<str:name>/versions/<str:version>/rescan/                        private 401 404 404 302 302 401 401
POST /models/<str:name>/versions/<str:version>/rescan/                        public  401 403 403 302 302 401 401
GET  /models/<str:name>/waivers/                                              private 401 404 404 200 200 401 401
GET  /models/<str:name>/waivers/                                              public  401 403 403 200 200 401 401
GET  /models/<str:name>/waivers/add/                                          private 401 404 404 403 200 401 401
GET  /models/<str:name>/waivers/add/                                          public  401 403 403 403 200 401 401
POST /models/<str:name>/waivers/add/                                          private 401 404 404 403 422 401 401
POST /models/<str:name>/waivers/add/                                          public  401 403 403 403 422 401 401
GET  /models/<str:name>/waivers/<int:waiver_id>/end/                          private 401 404 404 403 200 401 401
GET  /models/<str:name>/waivers/<int:waiver_id>/end/                          public  401 403 403 403 200 401 401
POST /models/<str:name>/waivers/<int:waiver_id>/end/                          private 401 404 404 403 302 401 401
POST /models/<str:name>/waivers/<int:waiver_id>/end/                          public  401 403 403 403 302 401 401
GET  /models/<str:name>/versions/<str:version>/logs/<str:kind>/               private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/logs/<str:kind>/               public  401 403 403 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/logs/<str:kind>/          private 401 404 404 204 204 401 401
GET  /live/models/<str:name>/versions/<str:version>/logs/<str:kind>/          public  401 403 403 204 204 401 401
GET  /models/<str:name>/versions/<str:version>/logs/<str:kind>/download/      private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/logs/<str:kind>/download/      public  401 403 403 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/                     private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/                     public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/                private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/                public  401 200 200 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/now/            private 401 404 404 200 200 401 401
GET  /live/models/<str:name>/versions/<str:version>/load-test/now/            public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/download/<str:kind>/ private 401 404 404 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/download/<str:kind>/ public  401 200 200 200 200 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/enable/              private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/enable/              public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/enable/              private 401 404 404 422 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/enable/              public  401 403 403 422 403 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/cancel/              private 401 404 404 200 403 401 401
GET  /models/<str:name>/versions/<str:version>/load-test/cancel/              public  401 403 403 200 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/cancel/              private 401 404 404 302 403 401 401
POST /models/<str:name>/versions/<str:version>/load-test/cancel/              public  401 403 403 302 403 401 401
"""


@dataclass(frozen=True)
class Row:
    """One line: what is asked of which object, and the status for each role."""

    method: str
    path: str
    object: str
    expected: dict[str, int]


def read(table: str) -> list[Row]:
    """The rows of a table."""
    rows = []
    for line in table.strip().splitlines():
        method, path, thing, *statuses = line.split()
        rows.append(Row(method, path, thing, dict(zip(ROLES, map(int, statuses), strict=True))))
    return rows


def render() -> str:
    """The document."""
    return "\n".join(
        [
            "# Who may do what",
            "",
            "What one may not see answers 404; what one sees but may not do answers 403; nobody signed in answers",
            "401 (a page leads to the sign-in page instead). The tests check every address of API and portal in",
            "every role; an address without a row fails them. This page is written from the same table.",
            "",
            "- *user*: anyone signed in. *team member*: belongs to the model's team, is no owner. *owner*: owns the",
            "  models. An administrator sees everything, reassigns owners and allows hosts, and changes nothing else",
            "  of others' models.",
            "- *read token*, *write token*: personal access tokens of the owner. Pages take no tokens.",
            "- *private*, *public*: a model without, with a public version. *the-team*: a body that names the owner's",
            "  team; *own-team*: one that names none.",
            "- 302 is a page's answer to a form that was taken, 422 to one whose fields are not valid: both may.",
            "",
            "## API (below /api/v1)",
            "",
            *_section(API),
            "",
            "## Pages",
            "",
            *_section(PAGES),
            "",
        ]
    )


def _section(table: str) -> list[str]:
    head = ["method", "address", "object", *ROLES]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in read(table):
        cells = [row.method, f"`{row.path}`", "" if row.object == "-" else row.object]
        lines.append(f"| {' | '.join([*cells, *(str(status) for status in row.expected.values())])} |")
    return lines


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
