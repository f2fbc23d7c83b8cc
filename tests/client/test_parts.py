"""The client's newer parts against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from mop.accounts.models import User
from mop_client import Client, ConflictError, NotAllowedError, NotFoundError
from support.datasets import dataset_input, make_datasets
from support.factories import make_model, make_task, make_team, make_token, make_user
from support.releases import make_releasable, make_service


@pytest.fixture
def root(engine_database: str) -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def mop(live_server: LiveServer, root: User) -> Client:
    return Client(live_server.url, make_token(root))


def test_people_come_change_and_go(mop: Client):
    make_user("olivia")
    invitation = mop.invitations.create("new@example.com")
    assert [one["email"] for one in mop.invitations.list()] == ["new@example.com"]
    mop.invitations.withdraw(invitation["id"])
    assert mop.invitations.list() == []
    assert [one["username"] for one in mop.users.list(search="oliv")] == ["olivia"]
    assert mop.users.change("olivia", is_administrator=True)["is_administrator"]
    assert mop.users.sessions("olivia") == []
    assert mop.users.reset_link("olivia")["link"].startswith("http")
    mop.users.end_access("olivia")
    mop.users.remove_second_factors("olivia")
    assert not mop.users.change("olivia", is_active=False)["is_active"]
    assert mop.users.reassign("olivia", to="root") == 0
    with pytest.raises(ConflictError, match="last administrator"):
        mop.users.change("root", is_active=False)


def test_teams_and_what_keeps_them(mop: Client):
    make_user("olivia")
    make_team("the oldest")
    assert mop.teams.create("a/b")["name"] == "a/b"
    mop.teams.add_member("a/b", "olivia")
    assert mop.teams.get("a/b")["members"] == ["olivia"]
    mop.teams.remove_member("a/b", "olivia")
    assert [one["limit"] for one in mop.teams.set_limit("a/b", "stored", 10**12)["quotas"] or ()][1] == 10**12
    assert mop.teams.change("a/b", name="c")["name"] == "c"
    assert "c" in [one["name"] for one in mop.teams.list()]
    mop.teams.delete("c")
    with pytest.raises(NotFoundError):
        mop.teams.get("c")


def test_results_and_releases_are_read(mop: Client, root: User, live_server: LiveServer):
    task = make_task("hate in text", owners=[root])
    make_model("toxicity", owner=root, tasks=(task,))
    assert mop.evaluations.wait("toxicity", "v1.0.0") == []
    assert [one["percentile"] for one in mop.evaluations.rank("toxicity", "v1.0.0")] in ([], [None] * 4)
    assert mop.evaluations.leaderboard("hate in text")["items"] == []
    assert mop.evaluations.headline("hate in text") == {"task": "hate in text", "dataset": None, "is_chosen": False}
    assert mop.services.list() == []
    assert list(mop.releases.list(state="live")) == []
    with pytest.raises(NotFoundError):
        mop.releases.get(1)
    stranger = Client(live_server.url, make_token(make_user()))
    with pytest.raises(NotAllowedError):
        list(stranger.users.list())


def test_guides_are_read_and_what_changes_of_a_dataset_is_changed(mop: Client, root: User):
    assert "gates" in [one["name"] for one in mop.guides.list()]
    assert mop.guides.get("gates")["text"].startswith("# Gates\n")
    with pytest.raises(NotFoundError):
        mop.guides.get("no-such-guide")
    task = make_task("hate in text", owners=[root])
    make_datasets(dataset_input("hate-en", tasks=[task]), owner=root, team=make_team())
    assert mop.datasets.edit("hate-en", description="Of forums.")["description"] == "Of forums."
    assert mop.datasets.edit("hate-en", tasks=[])["tasks"] == []
    assert list(mop.evaluations.on_dataset("hate-en")) == []


def test_a_release_goes_from_request_to_retirement(mop: Client, root: User, live_server: LiveServer):
    service = make_service(admins=(root,))
    owner = make_user("olivia")
    revision = make_releasable(make_task("hate in text"), owner=owner)
    theirs = Client(live_server.url, make_token(owner))
    offer = theirs.releases.check(service.name, revision.model.name, revision.version)
    assert offer["obstacle"] == "", offer
    asked = theirs.releases.request(service.name, revision.model.name, revision.version, comment="please")
    number = asked["number"]
    assert [one["number"] for one in mop.releases.list(service=service.name, state="waiting")] == [number]
    evidence = mop.releases.evidence(number)
    assert mop.releases.approve(number, "well measured", evidence=evidence["digest"])["state"] == "approved"
    assert mop.releases.released(number)["went_live"] == "admin"
    assert [one["release"] for one in mop.services.live(service.name)] == [number]
    assert mop.releases.retire(number, "its successor is better")["state"] == "retired"
    assert [one["end"] for one in mop.services.history(service.name)] == ["retired"]
    assert mop.releases.get(number)["events"][0]["what"] == "retired"  # the newest first


def test_a_case_goes_from_open_to_closed(mop: Client, root: User):
    task = make_task("hate in text", owners=[root])
    number = mop.dsat.add(task.name, {"text": "I could murder a lasagne."}, expected_label="0", tags=["food"])["number"]
    assert [one["number"] for one in mop.dsat.list(task=task.name, search="lasagne", tag="food")] == [number]
    assert mop.dsat.open(number) == {"text": "I could murder a lasagne."}
    assert mop.dsat.change(number, description="a figure of speech")["description"] == "a figure of speech"
    assert mop.dsat.assign(number, "root")["state"] == "assigned"
    assert mop.dsat.confirm(number)["state"] == "confirmed"
    assert mop.dsat.comment(number, "as often with food")["comments"][0]["author"] == "root"
    assert mop.dsat.fix(number)["state"] == "fixed"
    assert mop.dsat.close(number)["state"] == "closed"
    assert mop.dsat.reopen(number)["assignee"] == "root"
    assert mop.dsat.reject(number)["state"] == "rejected"
    assert mop.dsat.restrict(number)["restricted"]
    mop.dsat.delete(number)
    with pytest.raises(NotFoundError):
        mop.dsat.get(number)
    make_team("Search")
    access = mop.dsat.grant(task.name, "Search")
    assert [one["team"] for one in mop.dsat.access(task.name)] == ["Search"]
    mop.dsat.withdraw(task.name, access["id"])
    assert mop.dsat.access(task.name) == mop.dsat.imports() == []


def test_golden_sets_regression_gates_and_load_tests_of_a_version(mop: Client, root: User, tmp_path: Path):
    task = make_task("hate in text", owners=[root])
    revision = make_releasable(task, owner=root)
    of = (revision.model.name, revision.version)
    (tmp_path / "trivial.csv").write_text("label,text\n0,good morning\n", encoding="utf-8")
    assert mop.golden_sets.supply(task.name, "trivial", tmp_path / "trivial.csv")["versions"][0]["rows"] == 1
    assert mop.golden_sets.rows(task.name, "trivial", version=1)["items"][0]["content"] == {"text": "good morning"}
    assert mop.golden_sets.list(task.name) == [mop.golden_sets.get(task.name, "trivial")]
    assert mop.golden_sets.runs(*of) == []  # a worker starts them
    assert [one["status"] for one in mop.golden_sets.run(*of)] == ["queued"]
    assert [one["golden_version"] for one in mop.golden_sets.runs(*of)] == [1]
    mop.golden_sets.delete(task.name, "trivial")
    assert mop.golden_sets.runs(*of) == []
    assert mop.regressions.get(*of)["status"] == "finished"
    assert list(mop.regressions.outcomes(*of)) == []
    assert mop.regressions.mark_fixed(*of) == mop.regressions.close_fixed(*of) == []
    assert not mop.regressions.run(*of)["is_final"]
    assert mop.regressions.cancel(*of)["is_final"]
    stored = mop.gates.set_of_task(
        task.name, "all datasets: macro F1 >= 0.9", number=mop.gates.of_task(task.name)["number"]
    )
    assert stored["conditions"].startswith("all datasets")
    assert mop.gates.report(*of)["result"] == "not measured"
    assert mop.load_tests.start(*of, option="PerRPS", steps=[1], seed=7)["tests"][0]["seed"] == 7
    assert mop.load_tests.cancel(*of)["is_final"]
    assert mop.load_tests.get(*of, run=1)["runs"] == [1]
    assert mop.revisions.card(*of).startswith("#")
    with pytest.raises(NotFoundError):
        mop.revisions.card(revision.model.name, "v9")


def test_tokens_of_people_and_services(mop: Client, root: User):
    made = mop.tokens.create("ci", scopes=["models:read"], days=7)
    assert made["secret"].startswith("mop_")
    assert mop.tokens.rotate(made["id"])["name"] == "ci"
    mop.tokens.revoke(made["id"])
    assert [one["revoked_at"] is None for one in mop.tokens.list() if one["id"] == made["id"]] == [False]
    assert mop.services.define("Chat", kind="RAIO", admins=["root"])["policy"] == "block"
    assert mop.services.get("Chat")["admins"] == ["root"]
    ours = mop.services.make_token("Chat", "puller", scopes=["bundle:read"])
    assert [one["scopes"] for one in mop.services.tokens("Chat")] == [["bundle:read"]]
    mop.services.revoke_token("Chat", ours["number"])
    stored = mop.gates.set_of_service(
        "Chat", "golden set pass rate >= 100 %", number=mop.gates.of_service("Chat")["number"]
    )
    assert "golden set" in stored["conditions"]
