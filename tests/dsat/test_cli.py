"""`mop dsat` and the API against a portal that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from cli.commands import Result, mop_here
from mop.catalog.models import Task
from mop.dsat.models import Case, Import
from mop_client.cli import dsat as commands
from support.dsat import TEXT, make_case
from support.dsat_imports import import_now
from support.factories import make_task, make_team, make_token, make_user


@pytest.mark.django_db(transaction=True)
def test_cases_are_added_moved_on_and_deleted(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = make_user("olivia")
    make_task("hate", owners=[owner])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(owner, scopes=("dsat:write",)))

    def mop(*words: str) -> Result:
        return mop_here(capsys, "dsat", *words)

    number = mop("add", "hate", "--text", TEXT, "--expected-label", "0", "--tag", "food", "--json").json["number"]
    again = mop("add", "hate", "--text", TEXT + "!", "--kind", "falsePositive")
    assert f"{number} is similar" in again.out + again.err
    refused = mop("add", "hate", "--text", TEXT, "--expected-label", "7")
    assert refused.code == 64
    assert "lasagne" not in refused.out + refused.err
    assert number in mop("list", "--search", "lasagne", "--tag", "food").out
    assert "lasagne" not in mop("show", number, "--json").out
    assert mop("show", number, "--content", "--json").json["content"] == {"text": TEXT}
    changed = mop("change", number, "--tag", "pasta", "--tag", "food", "--trace-id", "trace-7", "--json").json
    assert (changed["tags"], changed["trace_id"]) == (["pasta", "food"], "trace-7")
    assert number in mop("list", "--trace-id", "trace-7", "--json").out
    assert mop("restrict", number, "--json").json["restricted"] is True
    assert mop("restrict", number, "--lift", "--json").json["restricted"] is False
    make_team("readers")
    (grant,) = mop("access", "hate", "--add", "readers", "--json").json
    assert f"{grant['id']}" in mop("access", "hate").out
    assert mop("access", "hate", "--remove", str(grant["id"]), "--json").json == []
    assert mop("access", "hate", "--take").code != 0  # no administrator
    assert mop("assign", number, "olivia", "--json").json["state"] == "assigned"
    assert mop("confirm", number, "--json").json["state"] == "confirmed"
    assert mop("comment", number, "a figure of speech", "--json").json["comments"][0]["author"] == "olivia"
    assert mop("close", number).code == 64
    for command, state in (("fix", "fixed"), ("close", "closed"), ("reopen", "assigned"), ("reject", "rejected")):
        assert mop(command, number, "--json").json["state"] == state
    assert mop("delete", number, "--yes").code == 0
    assert Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_is_imported_and_imports_are_listed_cancelled_and_deleted(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(make_user("olivia"), scopes=("dsat:write",)))
    make_task("hate")

    def mop(*words: str) -> Result:
        return mop_here(capsys, "dsat", *words)

    def work(_seconds: float) -> None:
        row = Import.objects.get()
        import_now(row.pk)

    monkeypatch.setattr(commands.time, "sleep", work)
    file = tmp_path / "cases.csv"
    file.write_text("text,expected_label\nfine,0\nsecret,9\n")
    done = mop("import", "hate", str(file))
    assert done.code == 1
    assert "finished: 1 added, 0 known already, 1 refused" in done.out + done.err
    assert "row 3 expected_label: This is no label of hate" in done.out + done.err
    assert "secret" not in done.out + done.err
    (row,) = mop("imports", "--json").json
    assert row["id"] in mop("imports").out
    assert mop("cancel-import", row["id"]).code == 64  # it is over
    assert mop("delete-import", row["id"], "--yes", "--json").json["deleted"] is True
    assert (Import.objects.count(), Case.objects.count()) == (0, 1)


@pytest.mark.django_db
def test_a_file_goes_by_parts_and_its_report_comes_back(django_capture_on_commit_callbacks: Any) -> None:
    import base64  # noqa: PLC0415 - beside its only use

    user = make_user()
    task = make_task("hate")
    client = _Api(make_token(user, scopes=("dsat:write",)))
    data = b"text,expected_label\n" + b"x" * 1_100_000 + b",0\nfine,0\n"
    row = client.post("/dsat-imports", {"task": task.name, "file_name": "a.csv", "size": len(data)}, status=201)
    for number, begin in enumerate(range(0, len(data), 1 << 20)):
        body = {"data": base64.b64encode(data[begin : begin + (1 << 20)]).decode()}
        client.put(f"/dsat-imports/{row['id']}/parts/{number}", body, status=204)
    assert client.post(f"/dsat-imports/{row['id']}/start", {})["state"] == "queued"
    import_now(row["id"])
    found = client.get(f"/dsat-imports/{row['id']}")
    assert (found["state"], found["added"], found["refused"]) == ("finished", 1, 1)
    assert found["faults"][0]["row"] == 2
    assert not Import.objects.get().parts.exists()


@pytest.mark.django_db
def test_pages_of_the_list_follow_each_other_newest_first() -> None:
    user = make_user()
    task: Task = make_task("hate", owners=[user])
    numbers = [make_case(task, text=f"word number{place}").number for place in range(5)]
    client = _Api(make_token(user, scopes=("dsat:read",)))
    for query in ("", "&search=word", f"&task={task.name}"):
        found, cursor = [], ""
        while True:
            page = client.get(f"/dsat?limit=2&cursor={cursor}{query}")
            found += [one["number"] for one in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert found == numbers[::-1]


class _Api:
    """The API for one token."""

    def __init__(self, token: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, *, status: int = 200) -> Any:
        return self._answer(self._client.get(f"/api/v1{path}"), status)

    def post(self, path: str, body: Any, *, status: int = 200) -> Any:
        return self._answer(
            self._client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json"), status
        )

    def put(self, path: str, body: Any, *, status: int) -> Any:
        return self._answer(
            self._client.put(f"/api/v1{path}", json.dumps(body), content_type="application/json"), status
        )

    @staticmethod
    def _answer(response: Any, status: int) -> Any:
        assert response.status_code == status, response.content
        return response.json() if response.content else None
