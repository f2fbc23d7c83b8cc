"""Names and versions that MOP proposes, so that a first model needs only a url and a task."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import string

_LAST_NUMBER = re.compile(r"\A(?P<head>(?:.*[^0-9])?)(?P<number>[0-9]+)\Z", re.ASCII)
_COUNTED = re.compile(r"\Av?[0-9]+(?:\.[0-9]+)*\Z", re.ASCII)

_LETTERS_MAX = 80  # a model's name has 100 characters at most, a user's 150
FIRST_VERSION = "v1.0.0"


def recommend_version(last: str | None, today: dt.date) -> str:
    """The version after `last`: `v1.0.0` → `v1.0.1`, `1.0.0` → `1.0.1`, `v1` → `v2`, `1` → `2`, else the date.

    The date is written `2026-11-23`. Without a last version it is the first: `v1.0.0`.
    """
    if last is None:
        return FIRST_VERSION
    found = _LAST_NUMBER.match(last) if _COUNTED.match(last) else None
    if found is None:
        return today.isoformat()
    return f"{found['head']}{int(found['number']) + 1}"


def recommend_name(username: str) -> str:
    """`<letters of user name>-model-<4 random letters>`."""
    letters = "".join(letter for letter in username if letter in string.ascii_letters) or "my"
    return f"{letters[:_LETTERS_MAX]}-model-{''.join(secrets.choice(string.ascii_lowercase) for _ in range(4))}"


def default_description(username: str, today: dt.date) -> str:
    """The description of a model whose creator gave none."""
    return f"This model is created by {username} on MOP on {today.isoformat()}"


def default_note(model_name: str, username: str, today: dt.date) -> str:
    """The note of a version whose creator gave none."""
    return f"This version for model {model_name} is created by {username} on MOP on {today.isoformat()}"
