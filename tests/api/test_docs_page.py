from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer

from mop.api.api import api

pytestmark = pytest.mark.django_db


def test_the_docs_page_needs_nothing_from_elsewhere_and_keeps_the_strict_policy(client: Client):
    answer = client.get("/api/v1/docs")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"https?://|<style|\sstyle=|<script(?![^>]*(src=|application/json))", html)
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', html)
    assert len(files) >= 3
    assert all(finders.find(file) for file in files)


def test_the_description_is_served(client: Client):
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.")
    assert client.post("/api/v1/openapi.json").status_code == 405


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_docs_page_works_in_a_browser_under_the_strict_policy(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop in this thread
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}/api/v1/docs")
        page.get_by_text("/api/v1/models", exact=True).first.wait_for()
        operations = page.locator(".opblock-summary-method").count()
        browser.close()
    assert operations == sum(len(methods) for methods in api.get_openapi_schema()["paths"].values())
    assert complaints == []
