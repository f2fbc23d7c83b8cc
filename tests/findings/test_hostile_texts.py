"""What a stranger's folder puts into names, messages and facts is kept by every database, and harmless in pages."""

from __future__ import annotations

import json

import pytest

from mop.accounts.models import User
from mop.findings.recording import PATH_MAX, TEXT_MAX
from mop.findings.selectors import current_scan
from mop.registry.models import Revision
from mop.scanning.findings import FileVerdict, Finding, Severity, Verdict
from support.browsing import client_of
from support.scans import keep_scan, make_advisory, make_finding, scan_later

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

ODD = "model/a\x00b\udcff\u202e.pkl"
KEPT = "model/a�b?\u202e.pkl"
SCRIPT = '"><script>alert(1)</script>'
PAGES = ("/models/toxicity/versions/v1.0.0/findings/", "/models/toxicity/versions/v1.0.0/findings/files/")


def hostile(**fields: object) -> Finding:
    given = {"message": "m\x00\ud800", "hint": "d\udfff", "position": "p\x00", "rule": "code-execution"}
    details = {
        "identifier": "i\x00\ud800",
        "k\x00\udcff": ["\udfff", {"deep": "\x00"}, float("nan"), float("inf"), 1.5, None, True],
        "odd": {1: object},
    }
    return make_finding(Severity.CRITICAL, ODD, details=details, **{**given, **fields})


def test_nul_surrogates_and_numbers_that_are_none_are_replaced_everywhere(revision: Revision):
    keep_scan(
        revision,
        hostile(),
        files=[FileVerdict(ODD, Verdict.INFECTED, ("r\x00\ud800",))],
        incomplete={"secrets": "x\x00\ud800\ny"},
        packages=[("n\x00", "1.0\ud800", ("r\x00",))],
        advisories={"source": "s\x00\ud800"},
    )
    scan = current_scan(revision)
    finding, file = scan.findings.get(), scan.files.get()
    assert (finding.path, finding.message, finding.hint, finding.position) == (KEPT, "m�?", "d?", "p�")
    assert finding.identifier == "i�?"
    assert finding.details["k�?"] == ["?", {"deep": "�"}, "nan", "inf", 1.5, None, True]
    assert finding.details["odd"] == {"1": str(object)}
    assert (file.path, file.reasons) == (KEPT, ["r�?"])
    assert scan.incomplete == {"secrets": "x y"}
    assert scan.packages == [["n�", "1.0?", ["r�"]]]
    assert scan.advisories == {"source": "s�?"}


def test_a_finding_with_such_a_name_is_not_new_at_each_scan(revision: Revision):
    keep_scan(revision, hostile())
    assert keep_scan(revision, hostile()).new == ()


def test_texts_and_facts_are_bounded(revision: Revision):
    deep: object = "bottom"
    for _ in range(2000):
        deep = [deep]
    long = "x" * 100_000
    details = {"list": list(range(1000)), "deep": deep, "long": long, **{f"k{number}": 1 for number in range(1000)}}
    keep_scan(
        revision,
        make_finding(path=long, message=long, hint=long, position=long, rule=long, details=details),
        files=[FileVerdict(long, Verdict.SUSPICIOUS, tuple(f"{number}{long}" for number in range(100)))],
    )
    scan = current_scan(revision)
    finding, file = scan.findings.get(), scan.files.get()
    assert (len(finding.path), len(finding.message), len(finding.hint)) == (PATH_MAX, TEXT_MAX, TEXT_MAX)
    assert (len(finding.position), len(finding.rule)) == (200, 100)
    assert (len(file.path), len(file.reasons)) == (PATH_MAX, 10)
    assert len(finding.details["list"]) == 50
    assert len(json.dumps(finding.details)) < 50_000


@pytest.mark.parametrize("url", PAGES)
def test_names_are_escaped_in_pages(revision: Revision, owner: User, url: str):
    fields = {"message": SCRIPT, "hint": SCRIPT, "position": SCRIPT, "details": {"identifier": SCRIPT}}
    keep_scan(
        revision,
        make_finding(path=SCRIPT, **fields),
        files=[FileVerdict(SCRIPT, Verdict.INFECTED, (SCRIPT,))],
        incomplete={SCRIPT: SCRIPT},
        advisories={"told": SCRIPT},
    )
    html = client_of(owner).get(url).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_names_are_escaped_in_details_and_in_the_link_that_waives(revision: Revision, administrator: User):
    keep_scan(revision, make_finding(path=SCRIPT, details={"identifier": SCRIPT}), advisories={"told": SCRIPT})
    client = client_of(administrator)
    details = client.get("/models/toxicity/versions/v1.0.0/").content.decode()
    assert "<script>alert" not in details
    findings = client.get(PAGES[0]).content.decode()
    assert "path=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E" in findings
    form = client.get("/models/toxicity/waivers/add/", {"path": SCRIPT, "identifier": SCRIPT}).content.decode()
    assert "<script>alert" not in form


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "http://osv.dev/1", "//osv.dev/1", " https://osv.dev/1", "data:text/html,x", "", None, 7],
)
def test_an_address_that_is_not_https_is_never_a_link(revision: Revision, owner: User, url: object):
    keep_scan(revision, make_advisory("OSV-2026-1", url))
    html = client_of(owner).get(PAGES[0]).content.decode()
    assert "OSV-2026-1" in html
    assert 'rel="noreferrer"' not in html
    assert "javascript:" not in html


def test_an_https_address_is_a_link_whose_text_is_the_identifier(revision: Revision, owner: User):
    keep_scan(revision, make_advisory("OSV-2026-1", 'https://osv.dev/OSV-2026-1?a="b'))
    html = client_of(owner).get(PAGES[0]).content.decode()
    assert '<a href="https://osv.dev/OSV-2026-1?a=&quot;b" rel="noreferrer">OSV-2026-1</a>' in html


def test_hostile_messages_reach_no_line_of_a_warning_or_an_error(verified: Revision):
    scan_later(verified, make_finding(Severity.LOW, message="odd\n\x1b[31mFAKE\x00\ud800"))
    verified.refresh_from_db()
    assert verified.warnings[-1] == "Scan: low: odd [31mFAKE"
    scan_later(verified, make_finding(message="bad\n\x1b[31mFAKE\x00\ud800", path=ODD, hint="d\x00\ud800"))
    verified.refresh_from_db()
    assert verified.status == "vulnerable"
    assert verified.error["message"].endswith("bad [31mFAKE")
    for text in (verified.error["place"], verified.error["hint"]):
        assert "\x00" not in text
        text.encode()
