from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import Result, free_port, mop_here
from mop.accounts.models import User
from mop.cli.failures import RequestRefusedError, ServerUnreachableError
from mop.errors import NotAuthenticatedError, StorageUnavailableError, UserScriptException, ValidationFailedError
from mop.onboarding.models import LogKind, LogLine
from mop.registry.advance import advance
from mop.registry.models import Model, Revision
from mop.registry.statuses import CHAIN, RevisionStatus
from mop_client.cli.client import error_of
from mop_client.credentials import credentials_path
from support.factories import ACTOR, make_model, make_revision_input, make_task, make_token

Mop = Callable[..., Result]

pytestmark = pytest.mark.django_db(transaction=True)


def move(revision: Revision, *statuses: RevisionStatus, **last: Any) -> None:
    for status in statuses:
        fields = last if status == statuses[-1] else {}
        advance(revision_id=revision.pk, attempt=revision.attempt, to=status, actor=ACTOR, **fields)


def add_log(revision: Revision, kind: LogKind, *texts: str) -> None:
    LogLine.objects.bulk_create(
        LogLine(revision=revision, kind=kind, number=number, at=revision.created_at, text=text)
        for number, text in enumerate(texts, 1)
    )


def folder_url() -> str:
    return make_revision_input().model_url


def test_create_needs_a_url_and_a_task_only(mop: Mop):
    make_task("hate in text")
    result = mop("model", "create", folder_url(), "--task", "hate in text", "--json")
    assert result.code == 0, result.err
    revision = Revision.objects.select_related("model").get()
    assert result.json["model"] == revision.model.name
    assert (revision.version, revision.worker_number, revision.load_test_option) == ("v1.0.0", 1, "PerConcurrency")
    assert "mop model watch" not in result.out


def test_create_hands_over_every_field(mop: Mop, tmp_path: Path):
    make_task("hate in text")
    sample = tmp_path / "sample.json"
    sample.write_text('{"text": "hi"}')
    options = {
        "--name": "toxicity-2",
        "--description": "d",
        "--version": "7",
        "--note": "n",
        "--sample": f"@{sample}",
        "--instance-type": "Standard_F2s_v2",
        "--server": "Gunicorn",
        "--workers": "2",
        "--threads": "3",
        "--batch-max": "9",
        "--batch-idle": "4",
        "--batch-interval": "0.5",
        "--load-test": "per-rps",
    }
    pairs = [word for pair in options.items() for word in pair]
    task = ("--task", "hate in text=hateful")
    result = mop("model", "create", folder_url(), *task, *pairs, "--no-regression", "--no-batch", "--json")
    assert result.code == 0, result.err
    revision = Revision.objects.get()
    assert revision.configuration() == {
        "instance_type": "Standard_F2s_v2",
        "server": "gunicorn",
        "worker_number": 2,
        "thread_number": 3,
        "batch_enabled": False,
        "batch_max_size": 9,
        "batch_idle_size": 4,
        "batch_max_interval": 0.5,
    }
    assert (revision.version, revision.note, revision.sample_post_data) == ("7", "n", {"text": "hi"})
    assert (revision.regression_enabled, revision.load_test_option) == (False, "PerRPS")
    assert revision.model.connections.get().customized_name == "hateful"


def test_a_refused_field_is_named_with_its_message(mop: Mop):
    make_task("hate in text")
    result = mop("model", "create", "file:///etc", "--task", "hate in text", "--name", "a b")
    assert (result.code, result.out) == (64, "")
    assert result.err.startswith("ValidationFailedError: ")
    assert "  name: Use letters, digits, _ and - only." in result.err
    assert "  model_url: " in result.err


def test_upgrade_takes_the_rest_from_the_newest_version(mop: Mop, model: Model):
    result = mop("model", "upgrade", "toxicity", "--workers", "4", "--json")
    assert result.code == 0, result.err
    assert (result.json["version"], result.json["worker_number"]) == ("v1.0.1", 4)
    assert result.json["model_url"] == model.revisions.get(version="v1.0.0").model_url


def test_list_shows_what_the_user_may_see_over_all_pages(mop: Mop, model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop_client.cli.client.PAGE", 2)
    task = make_task("violence", taxonomy="Violence")
    mine = [make_model(f"m{number}", owner=model.owners.get(), tasks=(task,)).name for number in range(4)]
    make_model("hidden")
    assert [item["name"] for item in mop("model", "list", "--json").json] == [*mine, "toxicity"]
    text = mop("model", "list", "--search", "tox").out.splitlines()
    assert text[0].split() == ["NAME", "VERSION", "STATUS", "USABLE", "TEAM", "TASKS"]
    assert text[1].split(maxsplit=4) == ["toxicity", "v1.0.0", "created", "ada", "hate in text"]
    assert mop("model", "list", "--status", "VERIFY-FAILED", "--json").json == []


def test_what_one_may_not_see_is_not_found(mop: Mop):
    make_model("hidden")
    for arguments in (("show", "hidden"), ("watch", "hidden"), ("logs", "hidden"), ("delete", "hidden", "--yes")):
        result = mop("model", *arguments)
        assert result.code == 64
        assert result.err.startswith("NotFoundError: There is no model 'hidden' that you may see.")
    assert Model.objects.filter(name="hidden").exists()


def test_show_ends_with_the_code_of_the_result(mop: Mop, model: Model):
    revision = model.revisions.get()
    assert mop("model", "show", "toxicity").code == 3
    move(revision, *CHAIN[1:], facts={"python_version": "3.11.7"})
    assert mop("model", "show", "toxicity", "--json").code == 0
    Revision.objects.update(warnings=["single and batch answers differ"])
    result = mop("model", "show", "toxicity", "--version", "v1.0.0")
    assert result.code == 1
    assert "warning: single and batch answers differ" in result.out


def test_watch_shows_each_status_once_and_ends_with_the_code_of_the_result(mop: Mop, model: Model):
    error = UserScriptException("KeyError: 'x'", hint="Fix it.")
    failed = (*CHAIN[1:8], RevisionStatus.VERIFY_FAILED)
    move(model.revisions.get(), *failed, error=error)
    add_log(model.revisions.get(), LogKind.DEPLOYMENT, "loading", "KeyError \x1b[31m")
    result = mop("model", "watch", "toxicity")
    assert result.code == 1
    *passed, one, two, verdict = result.err.splitlines()
    assert [line.split()[0] for line in passed] == [status.value for status in CHAIN[:8]]
    assert (one, two) == ("  | loading", "  | KeyError \N{REPLACEMENT CHARACTER}[31m")
    assert verdict.split()[0] == "verifyFailed"
    assert verdict.endswith("/models/toxicity/versions/v1.0.0/")
    assert result.out == "UserScriptException: KeyError: 'x'\n  hint: Fix it.\n"


def test_watch_of_a_retried_revision_shows_the_last_attempt_only(mop: Mop, model: Model, user: User):
    revision = model.revisions.get()
    move(revision, RevisionStatus.TO_BE_RETRIED, error=StorageUnavailableError("no answer"))
    waiting = mop("model", "watch", "toxicity", "--json")
    events = [json.loads(line) for line in waiting.out.splitlines()]
    assert [event["event"] for event in events] == ["passed", "status", "result"]
    assert (waiting.code, events[-1]["exit_code"], events[-1]["revision"]["status"]) == (3, 3, "toBeRetried")
    told = mop("model", "watch", "toxicity", "--no-through-retries")
    assert told.code == 3
    assert "StorageUnavailableError: no answer" in told.out
    assert mop("model", "retry", "toxicity").code == 0
    revision.refresh_from_db()
    assert (revision.attempt, revision.status) == (2, "created")
    move(revision, *CHAIN[1:])
    result = mop("model", "watch", "toxicity")
    assert result.code == 0
    assert [line.split()[0] for line in result.err.splitlines()] == [status.value for status in CHAIN]


def test_cancel_stops_what_runs_and_refuses_what_is_over(mop: Mop, model: Model):
    assert mop("model", "cancel", "toxicity").err == "toxicity v1.0.0 is cancelled\n"
    refused = mop("model", "cancel", "toxicity")
    assert (refused.code, refused.err.partition(":")[0]) == (64, "ConflictError")


def test_logs_print_every_line_without_control_characters(mop: Mop, model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop_client.cli.client.PAGE", 2)
    revision = model.revisions.get()
    texts = ["one", "two \x1b[31m", "three", "four", "five"]
    add_log(revision, LogKind.DEPLOYMENT, *texts)
    shown = ["one", "two \N{REPLACEMENT CHARACTER}[31m", "three", "four", "five"]
    assert mop("model", "logs", "toxicity", "Deployment").out.splitlines() == shown
    assert mop("model", "logs", "toxicity", "deployment", "--search", "our").out == "four\n"
    assert mop("model", "logs", "toxicity").out == ""
    assert [line["text"] for line in mop("model", "logs", "toxicity", "deployment", "--json").json] == texts


def test_delete_asks_names_what_goes_and_obeys_a_no(mop: Mop, model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    result = mop("model", "delete", "toxicity")
    assert result.code == 130
    assert "Delete the model toxicity with v1.0.0, with all logs and results?" in result.err
    assert Model.objects.exists()


def test_delete_a_version_then_the_model(mop: Mop, model: Model):
    assert mop("model", "upgrade", "toxicity").code == 0
    assert mop("model", "delete", "toxicity", "v1.0.0", "--version", "v1.0.1", "--yes").code == 64
    result = mop("model", "delete", "toxicity", "v1.0.0", "--yes", "--json")
    assert result.json == {"model": "toxicity", "deleted_versions": ["v1.0.0"]}
    assert [row.version for row in Revision.objects.all()] == ["v1.0.1"]
    assert mop("model", "delete", "toxicity", "-y").code == 0
    assert not Model.objects.exists()


def test_login_keeps_a_good_token_and_refuses_a_wrong_one(
    signed_in: None,
    live_server: LiveServer,
    user: User,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("MOP_URL")
    monkeypatch.delenv("MOP_TOKEN")
    monkeypatch.setattr("sys.stdin", io.StringIO("mop_wrong\n"))
    refused = mop_here(capsys, "login", "--url", live_server.url, "--token-stdin")
    assert (refused.code, refused.err.partition(":")[0]) == (64, "NotAuthenticatedError")
    assert not credentials_path().exists()
    token = make_token(user)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    accepted = mop_here(capsys, "login", f"{live_server.url}/", "--token-stdin")
    assert (accepted.code, accepted.out) == (0, "")
    assert token not in accepted.err
    assert json.loads(credentials_path().read_text())["url"] == live_server.url
    assert mop_here(capsys, "model", "list").code == 0


def test_a_server_that_is_not_there_is_3(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOP_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("MOP_TOKEN", "mop_x")
    result = mop_here(capsys, "model", "list")
    assert result.code == 3
    assert "hint: Check the server's address" in result.err


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, "<html>", NotAuthenticatedError),
        (404, "<html>", RequestRefusedError),
        (302, "", ServerUnreachableError),
        (502, "<html>", ServerUnreachableError),
        (500, '{"name": "NoSuchError"}', ServerUnreachableError),
        (
            422,
            '{"name": "ValidationFailedError", "message": "m", "fields": {"name": ["taken"]}}',
            ValidationFailedError,
        ),
    ],
)
def test_answers_of_something_else_than_mop_become_errors(status: int, body: str, expected: type):
    request = httpx.Request("GET", "http://x/api/v1/models")
    assert type(error_of(httpx.Response(status, text=body, request=request))) is expected
