"""What a browser calls itself, in few words: what people know again among their sessions."""

from __future__ import annotations

UNKNOWN_MAX = 40
# Edge and Opera also say Chrome, Chrome also says Safari; Android also says Linux, an iPhone also Mac OS X
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """`Firefox on Windows`; of a program its own words, cut; `unknown` where it says nothing."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    if not browser:
        return agent[:UNKNOWN_MAX] or "unknown"
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser
