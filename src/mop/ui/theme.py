"""Light, dark or the device's own choice, kept in a cookie."""

from __future__ import annotations

from django.http import HttpRequest

COOKIE = "theme"
THEMES = ("auto", "light", "dark")
COOKIE_SECONDS = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """The theme that the request's cookie asks for."""
    wanted = request.COOKIES.get(COOKIE, "")
    return wanted if wanted in THEMES else THEMES[0]


def following_theme(theme: str) -> str:
    """The theme that the switch leads to."""
    return THEMES[(THEMES.index(theme) + 1) % len(THEMES)]
