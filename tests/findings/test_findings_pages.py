"""Pages of findings and of files, and the scan in a version's Details."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.errors import PolicyFileError
from mop.findings.models import Rescan
from mop.findings.rescans import end_rescan, request_rescan
from mop.registry.models import Model, Revision
from mop.scanning.findings import FileVerdict, Severity, Verdict
from support.browsing import client_of, send
from support.factories import ACTOR, publish
from support.scans import BLOCKS, EVERY_ACTION, FILES, NOTED, WARNS_LOW, keep_scan, make_finding, waive

from .pages import FILES_PAGE, FINDINGS, VERSION, WAIVERS, page

pytestmark = pytest.mark.django_db

OWNER_PAGES = [FINDINGS, FILES_PAGE, f"{FINDINGS}download/json/", WAIVERS]
ADMINISTRATOR_PAGES = [f"{WAIVERS}add/"]


@pytest.mark.parametrize("url", [*OWNER_PAGES, *ADMINISTRATOR_PAGES])
def test_a_private_model_is_not_found_by_others_and_a_public_one_refused(url: str, revision: Revision, stranger: User):
    keep_scan(revision, *EVERY_ACTION)
    client = client_of(stranger)
    assert client.get(url).status_code == 404
    publish(revision.model)
    assert client.get(url).status_code == 403


def test_findings_say_what_where_and_how_to_fix_it(revision: Revision, owner: User):
    keep_scan(revision, *EVERY_ACTION)
    html = page(owner, FINDINGS)
    for text in (BLOCKS.message, BLOCKS.hint, BLOCKS.path, "byte 2048", "model-files/code-execution", NOTED.message):
        assert text in html
    for word in ("blocks", "warns", "noted"):
        assert f">{word}</span>" in html
    assert "1 critical, 1 high, 2 low" in html
    assert "1 blocking finding, 2 warnings" in html
    assert "1 infected, 1 not fully scanned, 2 clean" in html
    assert "2 installed, audited against imported advisories" in html
    assert 'title="The scan has findings that block."' in html


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4]),
        ({"severity": "low"}, [3, 4]),
        ({"scanner": "wheels"}, [3]),
        ({"action": "note"}, [4]),
        ({"severity": "nonsense"}, [1, 2, 3, 4]),
    ],
)
def test_findings_are_filtered(revision: Revision, owner: User, query: dict[str, str], numbers: list[int]):
    keep_scan(revision, *EVERY_ACTION)
    html = page(owner, FINDINGS, **query)
    assert [number for number in range(1, 5) if f'id="finding-{number}"' in html] == numbers


def test_the_filter_names_the_scanners_with_their_counts_and_keeps_what_was_chosen(revision: Revision, owner: User):
    keep_scan(revision, *EVERY_ACTION, WARNS_LOW)
    html = page(owner, FINDINGS, scanner="wheels")
    assert '<option value="wheels" selected>wheels (2)</option>' in html


@pytest.mark.parametrize(
    ("url", "query", "text"),
    [
        (FINDINGS, {"severity": "medium"}, "No finding matches"),
        (FILES_PAGE, {"verdict": "suspicious"}, "No file matches"),
        (FILES_PAGE, {"search": "nowhere"}, "No file matches"),
    ],
)
def test_a_filter_that_nothing_fits_says_so_and_leads_back(
    revision: Revision, owner: User, url: str, query: dict[str, str], text: str
):
    keep_scan(revision, *EVERY_ACTION)
    html = page(owner, url, **query)
    assert text in html
    assert f'class="btn btn--primary" href="{url}"' in html


@pytest.mark.parametrize("url", [FINDINGS, FILES_PAGE])
def test_a_version_that_was_not_scanned_says_so(revision: Revision, owner: User, url: str):
    html = page(owner, url)
    assert "Not scanned yet" in html
    assert "Scan again" not in html
    assert "download/" not in html


def test_a_clean_scan_says_so(revision: Revision, owner: User):
    keep_scan(revision, files=())
    assert "Nothing was found" in page(owner, FINDINGS)
    assert "The snapshot holds none." in page(owner, FILES_PAGE)


def test_findings_and_files_are_paged(revision: Revision, owner: User):
    low = [make_finding(Severity.LOW, f"src/{number}.py", rule="odd") for number in range(30)]
    files = [FileVerdict(f"src/{number:03}.py", Verdict.CLEAN) for number in range(101)]
    keep_scan(revision, *low, files=files)
    client = client_of(owner)
    for url, last in ((FINDINGS, 'id="finding-30"'), (FILES_PAGE, "src/100.py")):
        first = client.get(url)
        assert last not in first.content.decode()
        following = client.get(url, {"cursor": first.context["page"].following}).content.decode()
        assert last in following
        assert 'rel="prev"' in following
        assert 'rel="next"' not in following


def test_files_show_verdicts_and_reasons_and_are_searched(revision: Revision, owner: User):
    keep_scan(revision, *EVERY_ACTION)
    html = page(owner, FILES_PAGE)
    for file in FILES:
        assert file.path in html
    assert "It runs os.system when it is loaded." in html
    found = page(owner, FILES_PAGE, search="INFERENCE", verdict="clean")
    assert "src/inference.py" in found
    assert "src/settings.yml" not in found


def test_earlier_scans_are_listed_with_their_counts(revision: Revision, owner: User):
    keep_scan(revision, *EVERY_ACTION)
    assert "Earlier scans" not in page(owner, FINDINGS)
    keep_scan(revision, WARNS_LOW)
    html = page(owner, FINDINGS)
    assert "Earlier scans" in html
    assert html.index("st--bad") > html.index("Earlier scans")  # the newest only warns


def test_a_scan_without_an_environment_and_with_a_lost_scanner_says_so(revision: Revision, owner: User):
    keep_scan(revision, packages=(), is_complete=False, incomplete={"secrets": "it took too long"})
    html = page(owner, FINDINGS)
    assert "not checked: the environment was not built" in html
    assert "Some scanners did not finish" in html
    assert "secrets: it took too long" in html
    assert "download/sbom/" not in html


def test_the_number_of_queries_does_not_grow(model: Model, revision: Revision, owner: User, administrator: User):
    client = client_of(administrator)
    counts = []
    for count in (1, 8):
        for number in range(count):
            waive(model, administrator, path=f"model/{number}.pkl", owner=owner)
        files = [FileVerdict(f"src/{number}.py", Verdict.CLEAN) for number in range(count)]
        keep_scan(revision, *(make_finding(path=f"model/{number}.pkl") for number in range(count)), files=files)
        keep_scan(revision, *(make_finding(path=f"model/{number}.pkl") for number in range(count)), files=files)
        for url in (FINDINGS, FILES_PAGE, WAIVERS, VERSION):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts.append(len(queries))
    assert counts[:4] == counts[4:]
    assert max(counts) <= 18


def test_a_version_is_scanned_again_once(verified: Revision, owner: User):
    keep_scan(verified, WARNS_LOW)
    client = client_of(owner)
    answer = send(client, f"{VERSION}rescan/", form=FINDINGS)
    assert answer.headers["Location"] == FINDINGS
    html = client.get(FINDINGS).content.decode()
    assert "is being scanned again, requested by olivia" in html
    assert "Scan again" not in html
    again = send(client, f"{VERSION}rescan/", form=FINDINGS)
    assert again.status_code == 409
    assert "is being scanned already" in again.content.decode()
    assert Rescan.objects.get().asked_by == "olivia"


def test_a_scan_that_failed_says_why_and_may_be_asked_for_again(verified: Revision, owner: User):
    rescan = request_rescan(actor=ACTOR, revision=verified)
    end_rescan(rescan.workflow_id, failure=PolicyFileError("policy.toml: <no> TOML"))
    html = page(owner, FINDINGS)
    assert "did not finish" in html
    assert "policy.toml: &lt;no&gt; TOML" in html
    assert "The operator must correct policy.toml" in html
    assert "Scan again" in html


def test_no_scan_is_offered_while_the_pipeline_runs_or_without_a_snapshot(revision: Revision, owner: User):
    keep_scan(revision)
    assert "Scan again" not in page(owner, FINDINGS)
    Revision.objects.filter(pk=revision.pk).update(status="verifyFailed")
    assert "Scan again" not in page(owner, FINDINGS)
    Revision.objects.filter(pk=revision.pk).update(artifact_digest="ab" * 32)
    assert "Scan again" in page(owner, FINDINGS)


def test_details_show_the_scan_and_lead_to_it(revision: Revision, owner: User):
    assert f'id="scan-{revision.pk}"' not in page(owner, VERSION)
    keep_scan(revision, *EVERY_ACTION)
    for url, query in ((VERSION, {}), ("/models/toxicity/", {"details": "v1.0.0"})):
        html = page(owner, url, **query)
        for text in (
            f'id="scan-{revision.pk}"',
            "1 critical, 1 high, 2 low",
            f'href="{FINDINGS}"',
            f'href="{FILES_PAGE}"',
        ):
            assert text in html


def test_others_see_the_decision_of_a_public_version_and_no_way_to_its_findings(revision: Revision, stranger: User):
    keep_scan(revision, *EVERY_ACTION)
    publish(revision.model)
    html = page(stranger, VERSION)
    assert "1 critical, 1 high, 2 low" in html
    assert FINDINGS not in html
    assert BLOCKS.message not in html


def test_live_details_move_on_when_a_scan_is_written(revision: Revision, owner: User):
    client = client_of(owner)
    url = f"/live{VERSION}"
    first = client.get(url)
    unchanged = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    keep_scan(revision, *EVERY_ACTION)
    after = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    again = client.get(url, headers={"If-None-Match": after.headers["ETag"]})
    assert [one.status_code for one in (unchanged, after, again)] == [304, 200, 304]
