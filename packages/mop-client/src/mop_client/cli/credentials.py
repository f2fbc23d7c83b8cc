"""The credentials of commands: as the client finds them, and kept by `mop login`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from mop.errors import NotAuthenticatedError, ValidationFailedError
from mop_client.credentials import Credentials, credentials_path, find_credentials
from mop_client.errors import NoCredentialsError

__all__ = ["Credentials", "credentials_path", "load_credentials", "normalise_url", "save_credentials"]


def load_credentials() -> Credentials:
    """The credentials to use now.

    Raises:
        NotAuthenticatedError: there are none.
    """
    try:
        return find_credentials()
    except NoCredentialsError as error:
        raise NotAuthenticatedError(error.message, hint=error.hint) from error


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
