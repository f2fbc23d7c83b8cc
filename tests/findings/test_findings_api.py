"""The API of scans, findings, files and waivers: pages by cursor, filters, and who gets what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import add_member
from mop.errors import PolicyFileError
from mop.findings.models import Rescan, Waiver
from mop.findings.rescans import end_rescan, request_rescan
from mop.registry.models import Model, Revision
from mop.scanning.findings import FileVerdict, Severity, Verdict
from support.api import Api
from support.factories import ACTOR, make_token, make_user, publish
from support.scans import BLOCKS, DIGEST, EVERY_ACTION, FILES, keep_scan, make_finding

pytestmark = pytest.mark.django_db

REVISION = "/models/toxicity/revisions/v1.0.0"
WAIVERS = "/models/toxicity/waivers"
READS = [f"{REVISION}/scan", f"{REVISION}/findings", f"{REVISION}/files", f"{REVISION}/findings/json", WAIVERS]
UNTIL = (timezone.localdate() + dt.timedelta(days=30)).isoformat()
BODY = {
    "scanner": "model-files",
    "rule": "code-execution",
    "path": "model/weights.pkl",
    "owner": "olivia",
    "reason": "It is ours.",
    "until": UNTIL,
}


@pytest.fixture
def api(model: Model, owner: User) -> Api:
    return Api(token=make_token(owner))


@pytest.fixture
def root(model: Model, administrator: User) -> Api:
    return Api(token=make_token(administrator))


def follow(api: Api, path: str, key: str, **query: Any) -> list[Any]:
    """Every page of a list, by its cursors."""
    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(path, cursor=cursor, **query).json()
        assert len(page["items"]) <= query["limit"]
        seen += [row[key] for row in page["items"]]
        cursor = page["next"]
    return seen


def test_a_scan_tells_decision_counts_and_what_it_looked_at(api: Api, verified: Revision):
    keep_scan(verified, *EVERY_ACTION)
    body = api.get(f"{REVISION}/scan").json()
    assert (body["decision"], body["reason"], body["is_complete"]) == ("vulnerable", "onboarding", True)
    assert (body["blocking"], body["warning"], body["packages"]) == (1, 2, 2)
    assert body["severities"] == {"critical": 1, "high": 1, "low": 2}
    assert body["verdicts"] == {"infected": 1, "not_fully_scanned": 1, "clean": 2}
    assert (body["artifact_digest"], body["rescan"]) == (DIGEST, None)
    assert body["advisories"]["told"] == "audited against imported advisories"


def test_a_scan_tells_of_one_that_was_asked_for_and_why_it_failed(api: Api, verified: Revision):
    keep_scan(verified)
    rescan = request_rescan(actor=ACTOR, revision=verified)
    waiting = api.get(f"{REVISION}/scan").json()["rescan"]
    assert (waiting["asked_by"], waiting["failure"]) == ("MOP tests", None)
    end_rescan(rescan.workflow_id, failure=PolicyFileError("policy.toml: no TOML"))
    failure = api.get(f"{REVISION}/scan").json()["rescan"]["failure"]
    assert (failure["name"], failure["message"]) == ("PolicyFileError", "policy.toml: no TOML")


def test_findings_are_told_whole(api: Api, revision: Revision):
    keep_scan(revision, *EVERY_ACTION)
    first = api.get(f"{REVISION}/findings").json()["items"][0]
    assert first == {
        "number": 1,
        "scanner": "model-files",
        "rule": "code-execution",
        "severity": "critical",
        "action": "block",
        "path": BLOCKS.path,
        "position": "byte 2048",
        "message": BLOCKS.message,
        "hint": BLOCKS.hint,
        "details": {"global": "os.system"},
        "waiver": None,
    }


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"severity": "low"}, [3, 4]),
        ({"scanner": "dependencies"}, [2]),
        ({"action": "warn"}, [2, 3]),
        ({"action": "warn", "severity": "low"}, [3]),
        ({"scanner": "nobody"}, []),
    ],
)
def test_findings_are_filtered(api: Api, revision: Revision, query: dict[str, str], numbers: list[int]):
    keep_scan(revision, *EVERY_ACTION)
    assert [row["number"] for row in api.get(f"{REVISION}/findings", **query).json()["items"]] == numbers


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("findings", {"severity": "bad"}),
        ("findings", {"action": "maybe"}),
        ("files", {"verdict": "odd"}),
        ("files", {"limit": 0}),
    ],
)
def test_a_filter_of_an_unknown_word_is_refused(api: Api, revision: Revision, path: str, query: dict[str, Any]):
    keep_scan(revision)
    assert api.get(f"{REVISION}/{path}", **query).status_code == 422


def test_findings_are_paged_worst_first(api: Api, revision: Revision):
    low = [make_finding(Severity.LOW, f"src/{number}.py", scanner="source", rule="odd") for number in range(5)]
    keep_scan(revision, *low, BLOCKS)
    assert follow(api, f"{REVISION}/findings", "number", limit=2) == [1, 2, 3, 4, 5, 6]
    assert follow(api, f"{REVISION}/findings", "path", limit=2, severity="low") == [f"src/{n}.py" for n in range(5)]
    assert api.get(f"{REVISION}/findings", cursor="made-up").status_code == 422


def test_files_are_paged_and_filtered_in_the_order_of_the_scan(api: Api, revision: Revision):
    paths = sorted(["ä.py", "B.py", "a-b.py", "a.py", "ü" * 1900 + "1", "ü" * 1900 + "2", "x%y.py"])
    files = [FileVerdict(path, Verdict.CLEAN if "." in path else Verdict.SUSPICIOUS, ("r",)) for path in paths]
    keep_scan(revision, files=files)
    assert follow(api, f"{REVISION}/files", "path", limit=2) == paths
    assert follow(api, f"{REVISION}/files", "path", limit=1, verdict="suspicious") == paths[-2:]
    assert follow(api, f"{REVISION}/files", "path", limit=5, search="%") == ["x%y.py"]
    page = api.get(f"{REVISION}/files", limit=6).json()
    assert len(page["next"]) < 200  # as long as an address may be, whatever the names are
    assert page["items"][0] == {"path": paths[0], "verdict": "clean", "reasons": ["r"]}


@pytest.mark.parametrize("path", READS[:-1])
def test_what_was_not_scanned_is_not_found(api: Api, path: str):
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "toxicity v1.0.0 was not scanned yet."


@pytest.mark.parametrize("path", READS)
def test_findings_are_for_owners_and_administrators(revision: Revision, root: Api, stranger: User, path: str):
    keep_scan(revision, *EVERY_ACTION)
    member = make_user()
    add_member(actor=ACTOR, team=revision.model.team, user=member)
    others = [Api(token=make_token(user)) for user in (stranger, member)]
    assert [one.get(path).status_code for one in others] == [404, 404]
    assert root.get(path).status_code == 200
    publish(revision.model)
    assert [one.get(path).status_code for one in others] == [403, 403]
    assert Api().get(path).status_code == 401


def test_a_scan_is_asked_for_once(api: Api, verified: Revision):
    answer = api.post(f"{REVISION}/rescan")
    assert answer.status_code == 202
    assert (answer.json()["asked_by"], answer.json()["failure"]) == ("olivia", None)
    again = api.post(f"{REVISION}/rescan")
    assert (again.status_code, again.json()["detail"]) == (409, "toxicity v1.0.0 is being scanned already.")
    assert Rescan.objects.count() == 1


def test_a_scan_is_not_asked_for_while_the_pipeline_runs_nor_by_others(api: Api, revision: Revision, stranger: User):
    assert api.post(f"{REVISION}/rescan").status_code == 409
    publish(revision.model)
    assert Api(token=make_token(stranger)).post(f"{REVISION}/rescan").status_code == 403


def test_an_administrator_waives_and_the_finding_no_longer_blocks(api: Api, root: Api, revision: Revision):
    created = root.post(WAIVERS, BODY)
    assert created.status_code == 201
    waiver = created.json()
    assert (waiver["owner"], waiver["created_by"], waiver["until"]) == ("olivia", "ada", UNTIL)
    assert (waiver["identifier"], waiver["ended_at"]) == ("", None)
    keep_scan(revision, BLOCKS)
    finding = api.get(f"{REVISION}/findings").json()["items"][0]
    assert (finding["action"], finding["waiver"]) == ("warn", waiver["id"])


def test_an_owner_does_not_lift_a_block_but_sees_who_did(api: Api, root: Api):
    assert api.post(WAIVERS, BODY).status_code == 403
    waiver = root.post(WAIVERS, BODY).json()
    assert api.delete(f"{WAIVERS}/{waiver['id']}").status_code == 403
    assert [row["id"] for row in api.get(WAIVERS).json()["items"]] == [waiver["id"]]


def test_a_waiver_is_ended_once_and_stays_listed(root: Api):
    waiver = root.post(WAIVERS, BODY).json()
    assert root.delete(f"{WAIVERS}/{waiver['id']}").status_code == 204
    assert root.delete(f"{WAIVERS}/{waiver['id']}").status_code == 409
    assert root.delete(f"{WAIVERS}/4711").status_code == 404
    assert root.get(WAIVERS).json()["items"][0]["ended_at"] is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"until": "2020-01-01"}, "until"),
        ({"path": "*"}, "path"),
        ({"rule": "*"}, "rule"),
        ({"reason": "  "}, "reason"),
        ({"owner": "nobody"}, "owner"),
        ({"rule": "x" * 101}, "rule"),
        ({"until": "soon"}, "until"),
    ],
)
def test_a_waiver_that_breaks_a_rule_is_refused_with_its_field(root: Api, changes: dict[str, str], field: str):
    answer = root.post(WAIVERS, BODY | changes)
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {field}
    assert not Waiver.objects.exists()


def test_waivers_are_paged_newest_first(root: Api):
    ids = [root.post(WAIVERS, BODY | {"path": f"model/{number}.pkl"}).json()["id"] for number in range(5)]
    assert follow(root, WAIVERS, "id", limit=2) == ids[::-1]


@pytest.mark.parametrize("count", [1, 6])
def test_lists_take_a_fixed_number_of_queries(
    api: Api, root: Api, revision: Revision, count: int, django_assert_num_queries: Any
):
    for number in range(count):
        root.post(WAIVERS, BODY | {"path": f"model/{number}.pkl"})
    keep_scan(revision, *(make_finding(path=f"model/{number}.pkl") for number in range(count)), files=FILES[:count])
    api.get("/me")  # writes the token's last use
    with django_assert_num_queries(5):  # token, revision, owner, scan, findings with their waivers
        rows = api.get(f"{REVISION}/findings").json()["items"]
    assert len([row for row in rows if row["waiver"]]) == count
    with django_assert_num_queries(5):  # token, revision, owner, scan, files
        assert api.get(f"{REVISION}/files").json()["items"]
    with django_assert_num_queries(4):  # token, model, owner, waivers with their people
        assert len(api.get(WAIVERS).json()["items"]) == count
