"""The pages of the portal as the seeded installation has them: looked at by axe, and pictured.

Each page of the portal stands here once at least, or is of those in `ALIKE`: forms and questions that one template
draws from the words of a view. They are pictured, and what is alike in them is looked at on others.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

from .browsing import PASSWORD

TRIAL = "00000000-0000-4000-8000-000000000001"

MEASURED = "/models/measured-model/versions"
SERVICE = "/services/Content%20Safety/"

OPEN_PAGES = (
    "/accounts/login/",
    "/accounts/inactive/",
    "/errors/",
    "/help/",
    "/help/errors/",
    "/help/api/",
)
OWNER_PAGES = (
    "/home/",
    "/models/",
    "/models/?status=all&search=nothing+fits",
    "/models/text-hate-severity/",
    "/models/text-hate-severity/?version=v1.0.2",
    "/models/text-hate-severity/compare/",
    "/search/?q=hate",
    "/models/text-hate-severity/?details=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.0&with=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.1",
    "/models/text-hate-severity/versions/v1.0.2/load-test/?run=1&with=v1.0.0",
    "/models/text-hate-severity/versions/v1.0.0/load-test/enable/",
    "/models/text-hate-severity/versions/v1.0.2/load-test/cancel/",
    "/models/text-hate-severity/tasks/add/",
    "/models/text-hate-severity/tasks/1/disconnect/",
    "/models/text-hate-severity/versions/v1.0.2/sample/",
    "/models/text-hate-severity/versions/v1.0.2/try/",
    f"/models/text-hate-severity/versions/v1.0.2/try/{TRIAL}/",
    "/models/text-hate-severity/upgrade/",
    "/models/text-hate-severity/delete/",
    "/models/text-hate-severity/?details=v1.0.1",
    "/models/text-hate-severity/versions/v1.0.1/findings/",
    "/models/text-hate-severity/versions/v1.0.1/findings/?severity=low&action=block",
    "/models/text-hate-severity/versions/v1.0.1/findings/files/",
    "/models/text-hate-severity/waivers/",
    "/models/image-violence/versions/v1.0.1/findings/",
    "/models/image-violence/waivers/",
    "/models/broken-model/?details=v1.0.0",
    "/models/image-violence/?details=v1.0.0",
    "/models/cut-off/versions/v1.0.0/",
    "/models/cut-off/versions/v1.0.0/note/",
    "/models/text-hate-severity/versions/v1.0.0/logs/deployment/",
    "/models/text-hate-severity/versions/v1.0.0/logs/build/?search=package",
    "/models/image-violence/versions/v1.0.1/logs/build/",
    "/models/measured-model/",
    "/models/measured-model/evaluation/",
    "/models/measured-model/evaluation/?compare=1&sort=recall&average=weighted",
    "/models/measured-model/evaluation/?dataset=unheard-of",
    "/models/measured-model/evaluation/?label=threat",
    "/models/measured-model/rank/",
    f"{MEASURED}/v1.0.1/evaluations/4/violence-kinds-en/",
    f"{MEASURED}/v1.0.1/evaluations/4/violence-kinds-en/?merge=threat&merge=graphic",
    f"{MEASURED}/v1.0.1/evaluations/5/self-harm-yes-no/",
    f"{MEASURED}/v1.0.2/evaluations/5/self-harm-yes-no/",
    f"{MEASURED}/v1.0.2/evaluations/5/self-harm-levels-en/",
    f"{MEASURED}/v1.0.1/evaluations/4/violence-kinds-en/publish/",
    "/models/measured-model/regression/",
    "/models/measured-model/regression/?version=v1.0.1&change=failing",
    "/models/measured-model/regression/?search=nothing+fits",
    f"{MEASURED}/v1.0.1/regression/run/",
    f"{MEASURED}/v1.0.1/golden-sets/",
    f"{MEASURED}/v1.0.0/golden-sets/",
    f"{MEASURED}/v1.0.1/",
    "/tasks/4/golden-sets/violence-core/",
    "/tasks/4/results/",
    "/datasets/violence-kinds-en/results/",
    "/datasets/violence-kinds-en/",
    "/add-model/",
    "/tasks/",
    "/tasks/1/",
    "/datasets/",
    "/datasets/?status=all&sort=-updated",
    "/datasets/?search=nothing+fits",
    "/datasets/hate-en-2026/",
    "/datasets/hate-posts-2025/",
    "/datasets/self-harm-chat/",
    "/datasets/hate-en-2026/tasks/",
    "/datasets/hate-en-2026/owners/remove/?username=olivia",
    "/datasets/hate-en-2026/delete/",
    "/add-datasets/",
    "/analysis/",
    "/releases/",
    "/releases/1/",
    "/releases/compare/?first=1&second=2",
    "/releases/2/withdraw/",
    f"{MEASURED}/v1.0.0/card/",
    f"{MEASURED}/v1.0.1/gates/?service=Content+Safety",
    "/notifications/",
    "/notifications/settings/",
    "/notifications/webhooks/",
    "/notifications/webhooks/new/",
    "/dsat/",
    "/dsat/?search=nothing+fits",
    "/dsat/1/",
    "/dsat/1/edit/",
    "/dsat/1/delete/",
    "/dsat-selection/assign/?case=1&case=2",
    "/dsat-selection/delete/?case=1&case=2",
    "/add-dsat/",
    "/add-dsat/?task=4",
    "/dsat-imports/",
    "/account/",
    "/account/quotas/",
    "/account/tokens/",
    "/accounts/security/",
    "/accounts/reauthenticate/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/keys/add/",
    "/history/task/1/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/groups/",
    "/groups/1/share/",
    "/delete-models/?model=1&model=5",
    "/models/cut-off/versions/v1.0.0/delete/",
    f"{MEASURED}/v1.0.0/release/",
    "/help/portal/",
)
ADMINISTRATOR_PAGES = (
    "/home/",
    "/datasets/",
    "/datasets/hate-posts-2025/",
    "/tasks/1/",
    "/connection-requests/1/reject/",
    "/models/",
    "/models/cut-off/versions/v1.0.0/",
    "/models/cut-off/versions/v1.0.0/hosts/",
    "/notifications/",
    "/notifications/?show=unread",
    "/models/text-hate-severity/versions/v1.0.1/findings/",
    "/models/text-hate-severity/waivers/",
    "/models/text-hate-severity/waivers/add/?scanner=model-files&rule=code-execution&path=model%2Fweights.pkl",
    "/models/text-hate-severity/waivers/1/end/",
    "/tasks/add/",
    "/taxonomies/",
    "/instance-types/",
    "/teams/",
    "/teams/1/",
    "/teams/1/change/",
    "/teams/1/quotas/versions/",
    "/teams/1/delete/",
    "/users/",
    "/users/1/",
    "/users/invite/",
    "/users/1/access/disable/",
    "/tasks/1/change/",
    "/tasks/4/",
    "/tasks/4/headline/",
    "/tasks/4/add-golden-set/",
    "/tasks/4/golden-sets/violence-core/",
    "/tasks/4/golden-sets/violence-core/versions/2/",
    "/tasks/4/golden-sets/violence-core/delete/",
    f"{MEASURED}/v1.0.1/regression/fixed/",
    "/releases/2/",
    SERVICE,
    f"{SERVICE}conditions/",
    f"{SERVICE}webhooks/add/",
    f"{SERVICE}gateway/keys/1/rotate/",
    f"{SERVICE}gateway/containers/add/",
    "/audit/",
    "/audit/?person=nobody",
    "/source-prefixes/",
    "/services/",
    "/add-service/",
    "/tasks/4/golden-sets/violence-core/upload/",
    "/notifications/webhooks/2/",
)
# forms and questions that a template of others draws, by who asks
ALIKE = {
    "olivia": (
        "/groups/add/",
        "/groups/1/rename/",
        "/groups/1/delete/",
        "/models/text-hate-severity/description/",
        "/models/text-hate-severity/intended-use/",
        "/models/text-hate-severity/limits/",
        "/models/text-hate-severity/tags/",
        "/models/text-hate-severity/owners/remove/?username=ada",
        "/models/text-hate-severity/versions/v1.0.0/outdated/",
        "/datasets/hate-en-2026/description/",
        "/datasets/hate-en-2026/outdated/",
        "/dsat-selection/close/?case=1&case=2",
    ),
    "ada": (
        "/dsat/1/fix/",
        "/dsat/1/reject/",
        "/taxonomies/1/change/",
        "/tasks/4/conditions/",
        f"{SERVICE}edit/",
        f"{SERVICE}tokens/add/",
        "/releases/2/reject/",
        "/releases/1/retire/",
        "/releases/1/rollback/",
        "/notifications/webhooks/2/edit/",
        "/notifications/webhooks/2/delete/",
    ),
}


def open_page(page: Page, url: str) -> bool:
    """Go to a page, with the password where it asks for it again; whether it is there and leads nowhere else."""
    answer = page.goto(url)
    if "reauthenticate" in page.url and "reauthenticate" not in url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url(f"**{url}")
    return answer is not None and answer.ok and urlsplit(page.url).path == urlsplit(url).path


# where begin_drafts leads, with any draft
SECOND_STEPS = ("/add-model/draft/draft/tasks/", "/add-datasets/draft/")


def begin_drafts(page: Page, models: Path) -> tuple[str, ...]:
    """Fill in the first step of each wizard, as the person who is signed in; the addresses of the second steps."""
    folder = models / "draft"
    folder.mkdir(exist_ok=True)
    (folder / "inference.py").touch()
    (folder / "dataset.csv").touch()
    page.goto("/add-model/")
    page.get_by_label("Model url").fill(folder.as_uri())
    page.get_by_role("button", name="Next: Connect tasks").click()
    page.wait_for_url("**/tasks/")
    found = [page.url]
    page.goto("/add-datasets/")
    page.get_by_label("Dataset url").fill(folder.as_uri())
    page.get_by_role("button", name="Next").click()
    page.wait_for_url(re.compile("/add-datasets/[^/?]+/"))
    return tuple(urlsplit(url).path for url in (*found, page.url))
