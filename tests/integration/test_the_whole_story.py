"""A model's way into a service and back, by the command line alone, on real data: docs/releases.md from end to end."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.ai.contentsafety import ContentSafetyClient
from azure.ai.contentsafety.models import AnalyzeTextOptions
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline import PipelineResponse

from environments.packages import PackageIndex
from support.forked import run_python
from support.installation import Installation, running_installation
from support.real_data import hatecheck_dataset, moderation_dataset
from support.real_models import bayes, keywords, rows_of, write_text_model
from support.waiting import wait_for
from support.webhook_receiver import Message, Receiver, running_receiver

pytestmark = [pytest.mark.sandbox, pytest.mark.second_tier]
TASK, SERVICE, MODEL = "hateful text", "Content Safety", "toxicity"
OWNER, REVIEWER, ADMINISTRATOR = "owner", "reviewer", "administrator"
STRICT = """DSAT pass rate >= 75 % or none
golden set pass rate >= 100 % or none
open findings high or higher <= 0
all datasets: macro F1 >= 0.9 times the previous release or none
"""
RELAXED = STRICT.replace("75", "10")
LINK = "https://example.org"


class Story:
    """Commands of several people against one installation."""

    def __init__(self, mop: Installation, folder: Path) -> None:
        self.mop, self.folder = mop, folder
        own = str(mop.api.headers["Authorization"]).removeprefix("Bearer ")
        self.tokens = {OWNER: own, REVIEWER: mop.reviewer_token, ADMINISTRATOR: mop.administrator_token}

    def run(self, who: str, *argv: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """What a command of a person, or of a service, ended with; `code` is the exit code that it must have."""
        address = f"http://127.0.0.1:{self.mop.port}"
        done = self.mop.run("-m", "mop.cli", *argv, seconds=120, url=address, token=self.tokens[who])
        assert done.returncode == code, f"mop {' '.join(argv)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def ask(self, who: str, *argv: str, code: int = 0) -> Any:
        """Its JSON."""
        return json.loads(self.run(who, *argv, "--json", code=code).stdout)

    def until_decided(self, who: str, *argv: str) -> Any:
        """Its JSON as soon as it ends with anything but 3, which says that there is nothing to tell of yet."""

        def ended() -> subprocess.CompletedProcess[str] | None:
            address = f"http://127.0.0.1:{self.mop.port}"
            done = self.mop.run("-m", "mop.cli", *argv, "--json", seconds=120, url=address, token=self.tokens[who])
            return None if done.returncode == 3 else done

        done = wait_for(ended, seconds=90, what=f"mop {' '.join(argv)}", every=0.5)
        assert done.returncode in {0, 1}, done.stderr
        return json.loads(done.stdout)

    def refused(self, who: str, *argv: str) -> str:
        """Why the server refuses it."""
        return self.run(who, *argv, "--json", code=64).stderr

    def file(self, name: str, text: str) -> str:
        """A file for a command."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def release(self, number: int) -> dict[str, Any]:
        """A release as the service's admin sees it."""
        found: dict[str, Any] = self.ask(REVIEWER, "release", "show", str(number))
        return found


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def story(index: PackageIndex, hooks: Receiver, tmp_path: Path) -> Iterator[Story]:
    with running_installation(
        portal=False,
        package_index=index.url,
        advisories="imported",
        signing_key=tmp_path / "signing-key.pem",
        webhook_hosts=hooks.url.removesuffix("/hook"),
        webhook_networks="127.0.0.1/32",
        evaluation_start_seconds=1,
        regression_seconds=2,
    ) as mop:
        told = Story(mop, tmp_path)
        told.run(ADMINISTRATOR, "bundle", "new-key", str(tmp_path / "signing-key.pem"), "--json")
        mop.start_portal()
        mop.start_worker()
        yield told


def test_a_version_is_complained_about_fixed_released_and_rolled_back(story: Story, hooks: Receiver):
    moderation = moderation_dataset()
    first, second = keywords(), bayes(moderation)
    fixed, broken, [trivial, *passing], failing = _cases(first.label, second.label)
    webhook_secret = _define(story, moderation, trivial, hooks)
    _report(story, [*fixed, broken, *passing, *failing])

    # the first version fails most cases: the gate of the service stops it, and says why
    _onboard(story, "create", write_text_model(story.mop.folders / "v1", first, level=2), "v1.0.0")
    assert _rates(story, "v1.0.0") == (len(passing) + 1, len(fixed) + len(failing))
    report = story.ask(OWNER, "gate", MODEL, "v1.0.0", "--service", SERVICE, code=1)
    assert [row["condition"] for row in report["rows"] if row["result"] == "fail"] == ["DSAT pass rate >= 75 % or none"]
    why = story.refused(OWNER, "release", "request", MODEL, "v1.0.0", SERVICE, "-m", "The first.")
    assert f"DSAT pass rate >= 75 % or none (of service {SERVICE}): 18.18 %." in why  # 4 of 22
    story.refused(OWNER, "service", "gate", SERVICE, "--set", story.file("mine.txt", RELAXED))

    # with the conditions relaxed it is requested, and approved by another person
    story.ask(REVIEWER, "service", "gate", SERVICE, "--set", story.file("relaxed.txt", RELAXED))
    number = story.ask(OWNER, "release", "request", MODEL, "v1.0.0", SERVICE, "-m", "Better than nothing.")["number"]
    assert "may not decide" in story.refused(OWNER, "release", "approve", str(number), "-m", "mine")
    assert story.ask(REVIEWER, "release", "approve", str(number), "-m", "To begin with.")["state"] == "approved"
    _pulled_and_verified(story, number, hooks, webhook_secret)

    with _gateway(story) as gateway:
        ask = gateway.severity
        # the gateway takes it live
        _wait_for_state(story, number, "released")
        assert ask(fixed[0]) == 0
        assert ask(passing[0]) == 2
        story.ask(REVIEWER, "service", "gate", SERVICE, "--set", story.file("strict.txt", STRICT))

        # the second version fixes most and breaks one; as a canary it breaks on links, and returns by itself
        folder = write_text_model(story.mop.folders / "v2", second, breaks_on_links=True)
        _onboard(story, "upgrade", folder, "v1.0.1")
        assert _rates(story, "v1.0.1") == (len(fixed) + len(passing), len(failing) + 1)
        compared = story.ask(OWNER, "regression", "show", MODEL, "v1.0.1", code=1)
        assert (compared["comparison"]["fixed"], compared["comparison"]["broken"]) == (len(fixed), 1)
        [lost] = [one for one in compared["outcomes"] if one["change"] == "newly broken"]
        case = story.ask(OWNER, "dsat", "show", f"DSAT-{lost['case']}", "--content")
        assert case["content"]["text"] == broken
        _returned(story, number, ask)

        # repaired, it goes live, and back in one step
        _onboard(story, "upgrade", write_text_model(story.mop.folders / "v3", second), "v1.0.2")
        assert _rates(story, "v1.0.2") == (len(fixed) + len(passing), len(failing) + 1)
        repaired = story.ask(OWNER, "release", "request", MODEL, "v1.0.2", SERVICE, "-m", "Links are read.")["number"]
        story.ask(REVIEWER, "release", "approve", str(repaired), "-m", "Yes.")
        _wait_for_state(story, repaired, "released")
        wait_for(lambda: ask(fixed[0]) == 4, seconds=10, what="the gateway answers by v1.0.2")
        assert ask(LINK) == 0
        [back] = story.ask(REVIEWER, "release", "rollback", str(repaired), "-m", "Users complain again.")
        assert (back["version"], back["restores"], back["state"]) == ("v1.0.0", number, "released")
        wait_for(lambda: ask(fixed[0]) == 0, seconds=30, what="the gateway answers by v1.0.0 again")

        _reported(story, gateway, fixed[0])

    history = story.ask(REVIEWER, "service", "history", SERVICE)
    assert [(one["version"], one["end"]) for one in history] == [
        ("v1.0.0", ""),
        ("v1.0.2", "rolledBack"),
        ("v1.0.0", "replaced"),
    ]


def _define(story: Story, moderation: bytes, trivial: str, hooks: Receiver) -> str:
    """Task, dataset, conditions, service with a token and a webhook; gives the secret of the webhook."""
    labels = ("--label-type", "Categorical", "--labels", "0,1")
    of_task = ("--team", "the team", "--taxonomy", "Hate", *labels, "--owner", REVIEWER)
    story.ask(ADMINISTRATOR, "task", "create", TASK, *of_task)
    hidden = story.mop.folders / "moderation"
    hidden.mkdir()
    (hidden / "dataset.csv").write_bytes(moderation)
    of_dataset = ("--modality", "Text", "--label", "Hate", "--name", "moderation-hate", "--task", TASK)
    story.run(OWNER, "dataset", "create", hidden.as_uri(), *of_dataset, "--team", "the team", "--watch", "--json")
    story.ask(REVIEWER, "task", "approve", TASK, "moderation-hate", "--comment", "Labelled as we do.")
    conditions = story.file("task.txt", "all datasets: macro F1 >= 0.3\nopen findings critical <= 0\n")
    story.ask(REVIEWER, "task", "gate", TASK, "--set", conditions)
    rows = [{"label": "0", "text": "Have a nice day."}, {"label": "1", "text": trivial}]
    golden = story.file("golden.jsonl", "\n".join(map(json.dumps, rows)))
    story.ask(REVIEWER, "golden-set", "create", TASK, "core", golden)
    story.ask(ADMINISTRATOR, "service", "create", SERVICE, "--kind", "AACS", "--admin", REVIEWER, "--policy", "block")
    story.ask(REVIEWER, "service", "gate", SERVICE, "--set", story.file("strict.txt", STRICT))
    story.tokens[SERVICE] = story.ask(REVIEWER, "service", "token", "create", SERVICE, "deployer")["secret"]
    webhook = story.ask(REVIEWER, "service", "webhook", "add", SERVICE, hooks.url)
    return str(webhook["secret"])


def _cases(first: Callable[[str], str], second: Callable[[str], str]) -> tuple[list[str], str, list[str], list[str]]:
    """Texts of HateCheck: those that the second version fixes, one that it breaks, some that both pass, and fail."""
    rows = [row for row in rows_of(hatecheck_dataset()) if row["hateful"] == "1"]
    kinds: dict[tuple[bool, bool], list[str]] = {}
    for row in rows:
        kinds.setdefault((first(row["text"]) == "1", second(row["text"]) == "1"), []).append(row["text"])
    return kinds[False, True][:16], kinds[True, False][0], kinds[True, True][:4], kinds[False, False][:2]


def _report(story: Story, texts: list[str]) -> None:
    """The cases as a file with a row too many, and what became of them."""
    lines = [json.dumps({"text": text, "expected_label": "1", "tags": ["hatecheck"]}) for text in texts]
    lines.insert(1, json.dumps({"text": "no label", "expected_label": "7"}))
    argv = ("dsat", "import", TASK, story.file("cases.jsonl", "\n".join(lines)), "--service", SERVICE)
    report = story.ask(OWNER, *argv, code=1)
    assert (report["added"], report["refused"]) == (len(texts), 1)
    assert report["faults"][0]["row"] == 2
    again = story.ask(OWNER, *argv, code=1)
    assert (again["added"], again["known"]) == (0, len(texts))
    assert len(story.ask(OWNER, "dsat", "list", "--task", TASK)) == len(texts)


def _onboard(story: Story, how: str, folder: Path, version: str) -> None:
    """A version is verified, measured and made public."""
    if how == "create":
        named = ("--name", MODEL, "--task", f"{TASK}=hate", "--team", "the team")
        argv = ("model", "create", folder.as_uri(), *named)
    else:
        argv = ("model", "upgrade", MODEL, folder.as_uri())
    story.run(OWNER, *argv, "--version", version, "--load-test", "off", "--watch", "--json")
    story.ask(OWNER, "model", "publish", MODEL, "--version", version)
    story.until_decided(OWNER, "evaluation", "watch", MODEL, version)
    story.until_decided(OWNER, "golden-set", "results", MODEL, version)


def _rates(story: Story, version: str) -> tuple[int, int]:
    """How many cases a version passes and fails, once all of them were asked."""
    found = story.until_decided(OWNER, "regression", "watch", MODEL, version)
    return found["cases"] - found["failed"], found["failed"]


def _pulled_and_verified(story: Story, number: int, hooks: Receiver, secret: str) -> None:
    """The service is told, pulls the bundle with its token, and verifies it where no MOP is."""

    def told(kind: str) -> Message | None:
        return next((one for one in hooks.messages if one.json["type"] == kind), None)

    ready = wait_for(lambda: told("release.bundleReady"), seconds=60, what="the webhook tells of the bundle")
    assert all(message.is_signed_by(secret) for message in hooks.messages)
    assert not any(message.is_signed_by("whsec_" + "A" * 43 + "=") for message in hooks.messages)
    assert {one.json["type"] for one in hooks.messages} >= {"release.requested", "release.approved"}
    bundle = story.folder / "release.tar"
    pulled = story.ask(SERVICE, "bundle", "pull", SERVICE, str(number), "--to", str(bundle))
    assert pulled["sha256"] == ready.json["data"]["bundle"]["sha256"]
    home = story.folder / "elsewhere"
    home.mkdir()
    verified = _verified(home, bundle, story.folder / "signing-key.pem.pub")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["holds"]
    changed = story.folder / "changed.tar"
    content = bytearray(bundle.read_bytes())
    place = content.index(b'"bias"')
    content[place + 1 : place + 5] = b"BIAS"
    changed.write_bytes(content)
    assert _verified(home, changed, story.folder / "signing-key.pem.pub").returncode == 1
    assert list(home.iterdir()) == []


def _verified(home: Path, bundle: Path, key: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "mop.cli", "bundle", "verify", str(bundle), "--key", str(key), "--json"]
    return run_python(argv, env={"MOP_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}, cwd=home)


class Gateway:
    """The gateway of the service as its callers see it."""

    def __init__(self, address: str, key: str) -> None:
        self._address, self._key = address, key
        self._client = ContentSafetyClient(address, AzureKeyCredential(key), retry_total=0)
        self._ids: list[str] = []

    def severity(self, text: str) -> int | None:
        """Of hate in a text, as the client of the public service reads it."""

        def note(response: PipelineResponse[Any, Any]) -> None:
            self._ids.append(response.http_response.headers["x-ms-request-id"])

        found = self._client.analyze_text(AnalyzeTextOptions(text=text), raw_response_hook=note)
        [category] = found.categories_analysis
        assert category.category == "Hate"
        return category.severity

    def report(self, text: str) -> str:
        """Report the last answer, which was about this text, as wrong; gives its request id."""
        answer = httpx.post(
            f"{self._address}/contentsafety/answers/{self._ids[-1]}:report?api-version=2023-10-01",
            headers={"Ocp-Apim-Subscription-Key": self._key},
            json={"category": "Hate", "content": {"text": text}, "kind": "falseNegative"},
        )
        assert answer.is_success, answer.text
        return self._ids[-1]

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


@contextlib.contextmanager
def _gateway(story: Story) -> Iterator[Gateway]:
    """The gateway of the service while the block runs."""
    key = story.ask(REVIEWER, "gateway", "key", "rotate", SERVICE, "1")["key"]
    argv = [sys.executable, "-m", "mop.cli", "serve-release", SERVICE, "--port", "0"]
    process = story.mop.start("gateway", argv)
    address = wait_for(
        lambda: re.search(r"^http://\S+", story.mop.output("gateway"), flags=re.MULTILINE),
        seconds=60,
        what="the gateway listens",
        note=lambda: story.mop.output("gateway"),
    ).group()
    gateway = Gateway(address, key)
    try:
        yield gateway
    finally:
        gateway.close()
        story.mop.kill(process, signal.SIGTERM)


def _wait_for_state(story: Story, number: int, state: str) -> None:
    wait_for(
        lambda: story.release(number)["state"] == state,
        seconds=60,
        what=f"release {number} is {state}",
        note=lambda: f"{story.release(number)}\n{story.mop.output('gateway')}",
        every=0.3,
    )


def _returned(story: Story, number: int, ask: Callable[[str], int | None]) -> None:
    """The second version is a canary beside release `number`, and returns by itself."""
    canary = story.ask(OWNER, "release", "request", MODEL, "v1.0.1", SERVICE, "-m", "Fixes most cases.")["number"]
    found = story.ask(REVIEWER, "release", "show", str(canary), "--evidence")
    [rate] = [row for row in found["now"]["difference"] if row["measure"] == "DSAT pass rate"]
    assert (rate["before"], rate["now"], rate["is_better"]) == (4 / 22, 19 / 22, True)
    approval = ("-m", "With care.", "--canary", "50", "--evidence", found["digest"])
    story.ask(REVIEWER, "release", "approve", str(canary), *approval)
    _asked_until_held(story, canary, ask)
    assert [one["release"] for one in story.ask(REVIEWER, "service", "live", SERVICE)] == [number]
    story.ask(OWNER, "release", "withdraw", str(canary), "-m", "Its converter breaks on links.")


def _asked_until_held(story: Story, number: int, ask: Callable[[str], int | None]) -> None:
    """Callers send links: none of them gets an error, and the canary ends."""
    wait_for(lambda: _is_canary(story), seconds=60, what="the canary answers", every=0.3)
    asked = 0
    while not story.release(number)["is_held"]:
        for _ in range(20):
            assert ask(LINK) == 0
        asked += 20
        assert asked < 2000, story.mop.output("gateway")
    [ended] = [one for one in story.release(number)["events"] if one["what"] == "canaryEnded"]
    assert "of its last" in ended["detail"]
    assert ended["by"] == "MOP gateway"


def _is_canary(story: Story) -> bool:
    return bool(story.ask(REVIEWER, "service", "live", SERVICE)[0]["canary"])


def _reported(story: Story, gateway: Gateway, text: str) -> None:
    """A caller reports the last answer as wrong, which becomes a case of the task."""
    request_id = gateway.report(text)
    record = wait_for(lambda: _record(story, request_id), seconds=10, what="the answer is recorded")
    assert record["findings"]["Hate"]["version"] == f"{MODEL} v1.0.0"
    [reported] = story.ask(REVIEWER, "dsat", "list", "--trace-id", request_id)
    assert (reported["task"], reported["service"], reported["kind"]) == (TASK, SERVICE, "falseNegative")


def _record(story: Story, request_id: str) -> Any:
    """What the gateway kept of an answer; records are written twice a second."""
    address = f"http://127.0.0.1:{story.mop.port}/api/v1/services/{SERVICE}/gateway/answers/{request_id}"
    answer = httpx.get(address, headers={"Authorization": f"Bearer {story.tokens[REVIEWER]}"})
    return story.ask(REVIEWER, "gateway", "answer", SERVICE, request_id) if answer.is_success else None
