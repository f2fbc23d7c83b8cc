"""Which server to talk to, and with which personal access token.

MOP_URL and MOP_TOKEN win; else what `mop login` kept in `mop/credentials.json` below XDG_CONFIG_HOME (~/.config).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from mop_client.errors import NoCredentialsError


@dataclass(frozen=True)
class Credentials:
    """A server's address, without a trailing slash, and a token for it."""

    url: str
    token: str = field(repr=False)


def credentials_path() -> Path:
    """Where `mop login` keeps url and token."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "mop" / "credentials.json"


def find_credentials() -> Credentials:
    """The credentials of the environment, else those that `mop login` kept.

    A token is only ever sent to the server it was made for: MOP_URL alone does not borrow the kept token of another.

    Raises:
        NoCredentialsError: there are none.
    """
    kept = _kept()
    url = os.environ.get("MOP_URL", "").strip().rstrip("/") or (kept.url if kept else "")
    token = os.environ.get("MOP_TOKEN") or (kept.token if kept and kept.url == url else "")
    if not url or not token:
        raise NoCredentialsError(
            f"No {'token' if url else 'server'} is known.",
            hint="Make a token in the portal, then set MOP_URL and MOP_TOKEN, or run `mop login --url URL`.",
        )
    return Credentials(url, token)


def _kept() -> Credentials | None:
    path = credentials_path()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(str(data["url"]), str(data["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoCredentialsError(
            f"{path} cannot be read: {type(error).__name__}.", hint="Run `mop login` again."
        ) from error
