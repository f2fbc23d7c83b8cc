"""The REST API, assembled from the areas' routers."""

from __future__ import annotations

from django.views.decorators.http import require_GET

from mop.accounts.access import SessionAuthentication, TokenAuthentication
from mop.api.documented import DocumentationPage, DocumentedAPI
from mop.api.idempotency import accept_keys
from mop.api.parsing import StrictParser
from mop.api.problems import answer_with_problems
from mop.areas.registry import registered

api = DocumentedAPI(
    title="MOP",
    version="1",
    urls_namespace="api",
    description=(
        "The RAI Model Onboarding Pipeline. Send a personal access token as `Authorization: Bearer mop_...`; "
        "a token of scope read may only GET. What you may not see answers 404, what you see but may not do 403. "
        "Every error is `application/problem+json`."
    ),
    auth=[TokenAuthentication(), SessionAuthentication()],
    parser=StrictParser(),
    docs=DocumentationPage(),
    docs_decorator=require_GET,
)
answer_with_problems(api)
# what stands above comes first: its addresses below another area's names are the more exact ones
for area in reversed(registered()):
    for router in area.routers:
        api.add_router("", router.load())
accept_keys(api)
