"""The REST API, assembled from the areas' routers."""

from __future__ import annotations

from django.views.decorators.http import require_GET

from mop.accounts.access import SessionAuthentication, TokenAuthentication
from mop.accounts.api import router as accounts
from mop.api.documented import DocumentedAPI
from mop.api.parsing import StrictParser
from mop.api.problems import answer_with_problems
from mop.catalog.api import router as catalog
from mop.findings.api import router as findings
from mop.loadtest.api import router as load_tests
from mop.notifications.api import router as notifications
from mop.onboarding.api import router as logs
from mop.registry.api import router as models
from mop.registry.revisions_api import router as revisions

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
    docs_decorator=require_GET,
)
answer_with_problems(api)
for router in (accounts, notifications, catalog, models, revisions, findings, logs, load_tests):
    api.add_router("", router)
