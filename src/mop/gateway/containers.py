"""Containers from which callers may name images: what may be listed, and which of them a url lies in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from mop.errors import ValidationFailedError
from mop.storage.accounts import read_accounts
from mop.storage.config import AzureAccount

PURPOSE = "gateway containers"
KINDS = ("sas", "account_key", "anonymous")
PUBLIC_HOST = re.compile(r"([a-z0-9]{3,24})\.blob\.core\.windows\.net")
_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}")
_BLOB_MAX = 1024


def check_container(url: str, credential: dict[str, Any]) -> None:
    """Refuse what is no container of a storage that the operator allows, or no credential of its own.

    Identities of this machine are no credentials of a service: their rights are the installation's.

    Raises:
        ValidationFailedError: names the field.
    """
    endpoint, _, container = url.rpartition("/")
    parts = urlsplit(url)
    if not _CONTAINER.fullmatch(container) or parts.query or parts.fragment or "@" in parts.netloc:
        raise _refused("url", "Write https://ACCOUNT.blob.core.windows.net/CONTAINER, without a signature.")
    public = parts.scheme == "https" and PUBLIC_HOST.fullmatch(parts.netloc) and parts.path == f"/{container}"
    if not public and endpoint not in settings.MOP_GATEWAY_BLOB_ENDPOINTS:
        allowed = ", ".join(("https://ACCOUNT.blob.core.windows.net", *settings.MOP_GATEWAY_BLOB_ENDPOINTS))
        raise _refused("url", f"The blob endpoint is none of {allowed}.")
    if set(credential) - set(KINDS) or len(credential) != 1:
        raise _refused("credential", f"Give exactly one of {', '.join(KINDS)}.")
    try:
        account_of(url, credential)
    except ValueError as error:
        raise _refused("credential", f"It cannot be used: {error}.") from None


def account_of(url: str, credential: dict[str, Any]) -> AzureAccount:
    """The storage account of a container, with the container's own credential.

    Raises:
        ValueError: names what cannot be used, never a value.
    """
    endpoint = url.rpartition("/")[0]
    parts = urlsplit(endpoint)
    public = PUBLIC_HOST.fullmatch(parts.netloc)
    # of an emulator the account's name is the path
    name = public[1] if public else parts.path.strip("/").rpartition("/")[2] or parts.netloc.partition(".")[0]
    return read_accounts(json.dumps([{"name": name, "endpoint": endpoint, **credential}]))[0]


def place_in(url: str, containers: Sequence[str]) -> tuple[str, str] | None:
    """The listed container that a url lies in, and the blob's name in it; None where it lies in none of them.

    Nothing but scheme, host, path is taken: no signature, no way up, nothing that two readers could understand
    differently.
    """
    if any(ord(character) <= ord(" ") or character in "\\?#" for character in url):
        return None
    for container in containers:
        if url.startswith(f"{container}/"):
            blob = unquote(url[len(container) + 1 :])
            segments = blob.split("/")
            if not blob or len(blob) > _BLOB_MAX or any(part in {"", ".", ".."} for part in segments):
                return None
            return (container, blob) if blob.isprintable() and "\\" not in blob else None
    return None


def _refused(field: str, message: str) -> ValidationFailedError:
    return ValidationFailedError(message, fields={field: [message]})
