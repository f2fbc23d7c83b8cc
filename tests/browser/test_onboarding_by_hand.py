"""The main job by hand: `mop up`, then everything in Chromium, with a worker that really builds and runs the models."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.azurite import Azurite, azurite

from .browsing import PASSWORD, listen

__all__ = ["azurite"]

SAMPLES = Path(__file__).parents[2] / "samples"
MOP = Path(sys.executable).with_name("mop")
VERIFIED_SECONDS = 240
ADMINISTRATOR = "ada"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sandbox,
    pytest.mark.index,
    pytest.mark.azurite,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("by-hand"),
]


@dataclass(frozen=True)
class Installation:
    """`mop up` in a folder of its own, and the storage that it may read."""

    url: str
    folders: Path
    storage: Azurite


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("up")
    folders = home / "folders"
    shutil.copytree(SAMPLES, folders)
    account = {"name": azurite.account, "endpoint": azurite.endpoint, "account_key": azurite.account_key}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MOP_", "DJANGO_"))} | {
        "MOP_HOME": str(home / "mop"),
        "MOP_FILE_ROOTS": str(folders),
        "MOP_AZURE_ACCOUNTS": json.dumps([account]),
        "MOP_LOAD_TEST_STEP_SECONDS": "1.5",
        "MOP_LOAD_TEST_WARM_UP_SECONDS": "0.2",
        "MOP_LOAD_TEST_TARGET_MAX": "10",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [MOP, "up", "--port", str(port)], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert f"MOP is at http://127.0.0.1:{port}" in process.stdout.readline()
        subprocess.run(
            [MOP, "createuser", ADMINISTRATOR, "--admin", "--password-stdin"],
            env=environment,
            input=PASSWORD,
            text=True,
            check=True,
        )
        yield Installation(url=f"http://127.0.0.1:{port}", folders=folders, storage=azurite)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def hand(browser: Browser, installation: Installation) -> Iterator[Page]:
    """A page, signed in, with the sample's task defined by hand."""
    context = browser.new_context(
        base_url=installation.url,
        viewport={"width": 1280, "height": 900},
        reduced_motion="reduce",  # drawing what pulses takes CPU for as long as one waits
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    messages = listen(page)
    page.goto("/")
    page.get_by_label("Username").fill(ADMINISTRATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/home/")
    page.goto("/tasks/add/")
    page.get_by_label(re.compile("^Name")).fill("profanity")
    page.get_by_label("Team").select_option(label=ADMINISTRATOR)
    page.get_by_label("Owners").fill(ADMINISTRATOR)
    page.get_by_label("Modality").select_option("Text")
    page.get_by_label("Taxonomy").select_option(label="Hate")
    page.get_by_label("Label type").select_option("Ordinal")
    page.get_by_label("Labels").fill("0\n1\n2\n3")
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("heading", name="profanity")).to_be_visible()
    yield page
    context.close()
    assert messages == []


def add_model(
    page: Page, *, name: str, url: str, output_name: str = "profanity", load_test: str = "PerConcurrency"
) -> None:
    page.goto("/models/")
    page.get_by_role("link", name="Add a model").first.click()
    page.get_by_label("Model name").fill(name)
    page.get_by_label("Model url").fill(url)
    page.get_by_label("Load test option").select_option(load_test)
    page.get_by_role("button", name="Next: Connect tasks").click()
    page.get_by_label("Task of Hate").select_option(index=1)
    page.get_by_label("Hate in the model's output").fill(output_name)
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def open_details(page: Page, name: str) -> None:
    page.goto(f"/models/{name}/")
    page.get_by_role("link", name=re.compile("^Details")).first.click()
    expect(page.get_by_role("heading", name="Details of v1.0.0")).to_be_visible()


def wait_for_status(page: Page, status: str) -> None:
    """The panel moves by itself: nothing here loads the page again."""
    badge = page.locator("#details-live").get_by_text(status, exact=True).first
    expect(badge).to_be_visible(timeout=VERIFIED_SECONDS * 1000)


def test_a_model_of_a_local_folder_becomes_verified_and_shows_why(hand: Page, installation: Installation) -> None:
    add_model(hand, name="from-a-folder", url=f"file://{installation.folders}/text-moderation")
    open_details(hand, "from-a-folder")
    wait_for_status(hand, "verified")
    details = hand.locator("#details-live")
    for status in ("created", "dataDownloaded", "environmentCreated", "endpointCreated", "deploymentCreated"):
        expect(details.locator(".line").get_by_text(status, exact=True)).to_be_visible()
    expect(details).to_contain_text("Sandbox")
    expect(details).to_contain_text("Python")
    details.get_by_role("link", name="Build log").click()
    expect(hand.locator("#log")).to_contain_text("reads file://")
    hand.get_by_label("Search in the log").fill("snapshot sha256")
    hand.get_by_role("button", name="Search").click()
    expect(hand.locator("#log")).to_contain_text("is stored")
    expect(hand.locator("#log")).not_to_contain_text("reads file://")
    hand.get_by_role("link", name="Deployment log").click()
    expect(hand.locator("#log")).to_contain_text("the model answered by contract")
    hand.goto("/models/")
    expect(hand.get_by_role("row").filter(has_text="from-a-folder")).to_contain_text("verified")
    watch_load_test(hand)


def watch_load_test(page: Page) -> None:
    """Nothing here loads the page again, from the queue to the charts."""
    page.goto("/models/from-a-folder/?load-test=v1.0.0")
    panel = page.locator("#panel")
    expect(panel.locator("#load-test-now").get_by_text("finished", exact=True)).to_be_visible(
        timeout=VERIFIED_SECONDS * 1000
    )
    for title in ("Request Per Second", "Latency (ms)", "Total request count", "Resource util percentage"):
        expect(panel.get_by_role("img", name=title)).to_be_visible()
    expect(panel.get_by_role("group", name="Steps, Text").get_by_role("row")).to_have_count(3)
    expect(panel).to_contain_text("in the model's format, converted once before the steps")
    expect(page.locator("#history")).to_contain_text("finished")


def test_a_model_in_azure_blob_storage_becomes_verified(hand: Page, installation: Installation) -> None:
    url = installation.storage.upload_folder("models", SAMPLES / "text-moderation", prefix="team/text")
    add_model(hand, name="from-azure", url=url, load_test="off")
    open_details(hand, "from-azure")
    wait_for_status(hand, "verified")


def test_a_broken_model_says_what_to_change(hand: Page, installation: Installation) -> None:
    add_model(hand, name="broken", url=f"file://{installation.folders}/broken/module-not-in-requirements")
    open_details(hand, "broken")
    wait_for_status(hand, "verifyFailed")
    details = hand.locator("#details-live")
    expect(details).to_contain_text("UserScriptException")
    expect(details).to_contain_text("inference.py")
    expect(details).to_contain_text("requirements.txt")
