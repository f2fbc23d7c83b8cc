"""Complaints, gates and releases in the portal, by the people that they concern, with a worker that runs the models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from environments.packages import PackageIndex, pip_wheel
from support.installation import Installation, Submitted, running_installation
from support.real_data import hatecheck_dataset, moderation_dataset
from support.real_models import bayes, keywords, rows_of, write_text_model
from support.waiting import wait_for

from .browsing import PASSWORD, listen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sandbox,
    pytest.mark.second_tier,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("by-hand"),
]
TASK, SERVICE, MODEL = "hateful text", "Content Safety", "toxicity"


@pytest.fixture
def mop() -> Iterator[Installation]:
    index = PackageIndex()
    index.add(pip_wheel())
    try:
        with running_installation(
            portal=False,
            package_index=index.url,
            advisories="imported",
            evaluation_start_seconds=1,
            regression_seconds=2,
        ) as made:
            made.run("-m", "mop.cli.static_files")
            made.start_portal()
            made.start_worker()
            yield made
    finally:
        index.close()


@pytest.fixture
def people(mop: Installation, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Signed-in pages by user name; nothing may have been said in their consoles at the end."""
    pages: dict[str, Page] = {}
    heard: list[list[str]] = []

    def page_of(username: str) -> Page:
        if username not in pages:
            address = f"http://127.0.0.1:{mop.port}"
            context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)
            pages[username] = page = context.new_page()
            heard.append(listen(page))
            page.goto("/accounts/login/")
            page.get_by_label("Username").fill(username)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(re.compile(r"/(?!accounts/login)"))
        return pages[username]

    yield page_of
    for page in pages.values():
        page.context.close()
    messages = [message for one in heard for message in one]
    assert messages == []


def test_complaints_stop_a_release_until_a_version_fixes_them(
    mop: Installation, people: Callable[[str], Page], tmp_path: Path
):
    moderation = moderation_dataset()
    first, second = keywords(), bayes(moderation)
    rows = [row["text"] for row in rows_of(hatecheck_dataset()) if row["hateful"] == "1"]
    fixed = [text for text in rows if first.label(text) == "0" and second.label(text) == "1"][:12]
    [broken, *_] = [text for text in rows if first.label(text) == "1" and second.label(text) == "0"]
    define(mop)
    one = onboarded(mop, "v1.0.0", write_text_model(mop.folders / "v1", first))
    owner, reviewer = people("owner"), people("reviewer")

    write_a_condition(reviewer)
    complain(owner, broken, fixed, tmp_path / "cases.jsonl")
    settled(mop, one, cases=len(fixed) + 1)

    # the gate stops the request, and says why
    offer(owner, "v1.0.0")
    owner.get_by_role("main").get_by_label("Comment").fill("The first.")
    owner.get_by_role("button", name="Request release").click()
    expect(owner.get_by_role("main")).to_contain_text("DSAT pass rate >= 75 % or none (of service Content Safety): ")
    expect(owner.get_by_role("main")).to_contain_text("takes only what passes")

    # relaxed, it passes; another person approves and makes it live
    reviewer.goto(f"/services/{SERVICE}/conditions/")
    reviewer.get_by_role("main").get_by_label("Conditions", exact=True).fill("DSAT pass rate >= 5 % or none")
    reviewer.get_by_role("button", name="Save conditions").click()
    request_and_release(owner, reviewer, "v1.0.0")

    # the next version fixes most and breaks one
    two = onboarded(mop, "v1.0.1", write_text_model(mop.folders / "v2", second))
    settled(mop, two, cases=len(fixed) + 1)
    owner.goto(f"/models/{MODEL}/")
    owner.get_by_role("link", name="Regression test result").click()
    expect(owner.get_by_role("table").get_by_role("row", name="newly broken")).to_have_count(1)
    expect(owner.get_by_role("table").get_by_role("row", name="newly fixed")).to_have_count(len(fixed))
    request_and_release(owner, reviewer, "v1.0.1")
    roll_back(reviewer)


def write_a_condition(reviewer: Page) -> None:
    """An admin of the service writes one from choices."""
    reviewer.goto(f"/services/{SERVICE}/conditions/")
    reviewer.get_by_role("combobox", name=re.compile("^Measure")).select_option("DSAT pass rate")
    reviewer.get_by_role("main").get_by_label("Threshold").fill("75 %")
    reviewer.get_by_role("main").get_by_label("Also holds where there is nothing to measure").check()
    reviewer.get_by_role("button", name="Add to the text above").click()
    text = reviewer.get_by_role("main").get_by_label("Conditions", exact=True)
    expect(text).to_have_value("DSAT pass rate >= 75 % or none")
    reviewer.get_by_role("button", name="Save conditions").click()
    expect(reviewer.get_by_role("main")).to_contain_text("DSAT pass rate >= 75 % or none")


def complain(owner: Page, broken: str, fixed: list[str], cases: Path) -> None:
    """One case by hand, the others in a file with a row too many."""
    owner.goto("/dsat/")
    owner.get_by_role("link", name="Add a case").first.click()
    owner.get_by_role("main").get_by_label("Task").select_option(label=TASK)
    owner.get_by_role("button", name="Next: Case").click()
    owner.get_by_role("main").get_by_label("Text").fill(broken)
    owner.get_by_role("main").get_by_label("Expected label").select_option("1")
    owner.get_by_role("main").get_by_label("Service").fill(SERVICE)
    owner.get_by_role("button", name="Add the case").click()
    expect(owner.get_by_role("heading", level=1)).to_contain_text("DSAT-")
    owner.goto("/dsat-imports/")
    lines = [{"text": text, "expected_label": "1"} for text in fixed] + [
        {"text": "no such label", "expected_label": "7"}
    ]
    cases.write_text("\n".join(json.dumps(line) for line in lines))
    owner.get_by_role("main").get_by_label("Task").select_option(label=TASK)
    owner.get_by_role("main").get_by_label("File").set_input_files(cases)
    owner.get_by_role("button", name="Import").click()
    main = owner.get_by_role("main")
    expect(main).to_contain_text("finished", timeout=30_000)
    expect(main).to_contain_text("expected_label")


def roll_back(reviewer: Page) -> None:
    """The admin returns to the first version in one step."""
    reviewer.goto(f"/services/{SERVICE}/")
    reviewer.get_by_role("link", name="Roll back…").click()
    reviewer.get_by_label("Reason").fill("Users complain again.")
    reviewer.get_by_role("button", name="Roll back").click()
    expect(reviewer.get_by_role("status").filter(has_text="is back at toxicity v1.0.0")).to_be_visible()
    reviewer.goto("/releases/")
    live = reviewer.get_by_role("region", name=SERVICE).get_by_role("row", name="Hate")
    expect(live).to_contain_text("toxicity v1.0.0")
    reviewer.goto(f"/services/{SERVICE}/")
    expect(reviewer.get_by_role("main")).to_contain_text("rolled back")


def define(mop: Installation) -> None:
    """The task, and the service of which the reviewer is the admin."""
    with mop.as_administrator():
        body = {"name": TASK, "team": "the team", "modality": "Text", "taxonomy": "Hate", "owners": ["reviewer"]}
        mop.call("POST", "/tasks", body | {"label_type": "Categorical", "labels": ["0", "1"]})
        service = {"name": SERVICE, "kind": "AACS", "admins": ["reviewer"], "policy": "block"}
        mop.call("POST", "/services", service)


def onboarded(mop: Installation, version: str, folder: Path) -> Submitted:
    """A public version, verified."""
    if version == "v1.0.0":
        made = mop.submit(folder, name=MODEL, connections=[{"task": TASK, "customized_name": "hate"}])
    else:
        body = {"version": version, "model_url": folder.as_uri(), "load_test_option": "off"}
        made = Submitted(mop.call("POST", f"/models/{MODEL}/revisions", body)["id"], MODEL, version)
    mop.wait(made, "verified")
    mop.call("POST", f"{made.path}/publish")
    return made


def settled(mop: Installation, revision: Submitted, *, cases: int) -> None:
    """Wait until the version was asked every case."""

    def asked() -> bool:
        answer = mop.api.get(f"{revision.path}/regression")
        found: dict[str, Any] = answer.json() if answer.is_success else {}  # there is none before its turn comes
        return found.get("status") == "finished" and found["cases"] == cases

    wait_for(asked, seconds=60, what=f"{cases} cases were asked", every=0.5)


def offer(page: Page, version: str) -> None:
    """The page that requests a release of a version to the service, by way of the version's page."""
    page.goto(f"/models/{MODEL}/versions/{version}/")
    page.get_by_role("link", name="Request a release").click()
    page.get_by_label("Offer it to").select_option(SERVICE)
    expect(page.get_by_role("button", name="Request release")).to_be_visible()


def request_and_release(owner: Page, reviewer: Page, version: str) -> None:
    """The owner requests, the admin finds it on Home, approves, and makes it live."""
    offer(owner, version)
    owner.get_by_role("main").get_by_label("Comment").fill(f"Please take {version}.")
    owner.get_by_role("button", name="Request release").click()
    expect(owner.get_by_role("status").filter(has_text="is requested")).to_be_visible()
    expect(owner.get_by_role("button", name="Approve")).to_have_count(0)
    reviewer.goto("/")
    reviewer.get_by_role("main").get_by_role("link", name=re.compile(re.escape(version))).first.click()
    expect(reviewer.get_by_role("heading", level=1)).to_contain_text(f"{MODEL} {version} to {SERVICE}")
    reviewer.get_by_role("main").get_by_label("Comment").fill("The gates pass.")
    reviewer.get_by_role("button", name="Approve").click()
    expect(reviewer.get_by_role("status").filter(has_text="is approved")).to_be_visible()
    reviewer.get_by_role("link", name="Make it live").click()
    reviewer.get_by_role("button", name="Make it live").click()
    expect(reviewer.get_by_role("main")).to_contain_text("released")
