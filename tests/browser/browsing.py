"""What the browser tests share: the portal they look at, its console, signing in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page

from .seed import PASSWORD


@dataclass(frozen=True)
class Portal:
    """A running portal: its address, and the folder that model urls may point to."""

    url: str
    models: Path


def listen(page: Page) -> list[str]:
    """Collects what the page says in its console, and scripts' errors."""
    messages: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "status of 422" in message.text:
            return  # the browser notes that a form was answered as not valid, which is what it should be
        messages.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    page.on("console", note)
    page.on("pageerror", lambda error: messages.append(f"error: {error}"))
    return messages


# the cookies of who signed in before, by user name; there is one portal in a test process
_signed_in: dict[str, list[Any]] = {}


def sign_in(page: Page, username: str) -> None:
    """Go to the Models list as this user. The form is filled in once for each: later pages take the session over."""
    if username in _signed_in:
        page.context.add_cookies(_signed_in[username])
        page.goto("/models/")
        return
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/models/")
    _signed_in[username] = [*page.context.cookies()]
