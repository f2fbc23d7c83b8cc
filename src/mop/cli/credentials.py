"""Which server the CLI talks to, and with which personal access token.

MOP_URL and MOP_TOKEN win; else what `mop login` kept in `mop/credentials.json` below XDG_CONFIG_HOME.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mop.errors import NotAuthenticatedError, ValidationFailedError


@dataclass(frozen=True)
class Credentials:
    """A server's address, without a trailing slash, and a token for it."""

    url: str
    token: str


def credentials_path() -> Path:
    """Where `mop login` keeps url and token."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "mop" / "credentials.json"


def load_credentials() -> Credentials:
    """The credentials to use now.

    A token is only ever sent to the server it was made for: MOP_URL alone does not borrow the kept token of another.

    Raises:
        NotAuthenticatedError: there are none.
    """
    kept = _read(credentials_path())
    url = normalise_url(os.environ["MOP_URL"]) if os.environ.get("MOP_URL") else (kept.url if kept else "")
    token = os.environ.get("MOP_TOKEN") or (kept.token if kept and kept.url == url else "")
    if not url or not token:
        missing = "token" if url else "server"
        raise NotAuthenticatedError(
            f"No {missing} is known.",
            hint="Make a token in the portal, then run `mop login --url URL`, or set MOP_URL and MOP_TOKEN.",
        )
    return Credentials(url=url, token=token)


def save_credentials(credentials: Credentials) -> Path:
    """Keep the credentials for later commands, readable by this user alone."""
    path = credentials_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(credentials), file)
    partial.replace(path)
    return path


def normalise_url(text: str) -> str:
    """A server's address as scheme, host, port and path, without a trailing slash.

    Raises:
        ValidationFailedError: it is not an http or https address.
    """
    url = text.strip().rstrip("/").removesuffix("/api/v1")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValidationFailedError(
            f"{text!r} is not the address of a MOP server.", hint="Write it like https://mop.example.com."
        )
    return url


def _read(path: Path) -> Credentials | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(url=str(data["url"]), token=str(data["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAuthenticatedError(
            f"{path} can not be read: {type(error).__name__}.", hint="Run `mop login` again."
        ) from error
