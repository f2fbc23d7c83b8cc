"""How the text of a setting is read. A value that does not fit is a ValueError that says what would.

Names and defaults stand in `mop.conf.options`.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from mop.advisories.sources import Source

HOURS_MAX = 24 * 366
DAY_SECONDS = 24 * 3600
LEAST_SECONDS = 0.1
# the kernel takes 107 bytes for a socket's path; those of services stand 40 bytes deeper
SOCKET_FOLDER_BYTES_MAX = 67


def read_boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError(f"{text!r} is not true or false")


def read_words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def read_hosts(text: str) -> tuple[str, ...]:
    from mop.environments.index_targets import file_host  # noqa: PLC0415  # it brings all of environments along

    return tuple(file_host(word).authority for word in read_words(text))


def read_webhook_hosts(text: str) -> tuple[str, ...]:
    from mop.notifications.webhook_hosts import read_hosts  # noqa: PLC0415  # most installations start without it

    read_hosts(read_words(text))  # a fault is told at the start, not at the first message
    return read_words(text)


def read_webhook_networks(text: str) -> tuple[str, ...]:
    from mop.notifications.webhook_hosts import read_networks  # noqa: PLC0415  # as above

    read_networks(read_words(text))
    return read_words(text)


def read_path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def read_paths(text: str) -> tuple[Path, ...]:
    return tuple(read_path(word) for word in text.split(os.pathsep) if word)


def read_socket_folder(text: str) -> Path:
    path = read_path(text)
    if (length := len(os.fsencode(path))) > SOCKET_FOLDER_BYTES_MAX:
        raise ValueError(
            f"{path} is {length} bytes long; unix sockets lie below it, so it may have {SOCKET_FOLDER_BYTES_MAX} at "
            "most. Choose a shorter folder, such as /run/mop"
        )
    return path


def read_public_url(text: str) -> str:
    return _address(text, "write https://host, or http://host:port where nothing but this machine is reached")


def read_service_url(text: str) -> str:
    return _address(text, "write https://host, or http://host:port of a service in your own network")


def _address(text: str, hint: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(hint)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def read_endpoints(text: str) -> tuple[str, ...]:
    return tuple(read_service_url(word) for word in read_words(text))


def read_issuer(text: str) -> str:
    hint = "write the issuer as the provider's discovery document has it, https://...; http for this machine alone"
    address = _address(text, hint)
    parts = urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError(hint)
    if {"common", "organizations", "consumers"} & set(parts.path.split("/")):
        raise ValueError("name one tenant: with common, organizations or consumers any tenant could sign in")
    return text.strip()


def read_pairs(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in read_words(text)]
    if any(not value.strip() or not team.strip() for value, _, team in pairs):
        raise ValueError("write value=team, value=team")
    return {value.strip(): team.strip() for value, _, team in pairs}


def read_advisory_source(text: str) -> str:
    word = text.strip().lower()
    if word not in {*Source}:
        raise ValueError(f"{text!r} is none of {', '.join(Source)}")
    return word


def read_count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(f"{number} is less than 0")
    return number


def read_positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError(f"{number} is not greater than 0")
    return number


def read_seconds(text: str) -> float:
    seconds = float(text)
    if not LEAST_SECONDS <= seconds <= DAY_SECONDS:
        raise ValueError(f"give {LEAST_SECONDS:g} to {DAY_SECONDS} seconds")
    return seconds


def read_seconds_or_none(text: str) -> float:
    return 0.0 if float(text) == 0 else read_seconds(text)


def read_hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= HOURS_MAX:
        raise ValueError(f"give more than 0 and at most {HOURS_MAX} hours")
    return hours


def read_storage_accounts(text: str) -> str:
    from mop.storage.accounts import read_accounts  # noqa: PLC0415  # most installations start without it

    read_accounts(text)  # a fault is told at the start, not at the first model
    return text


def read_source_prefixes(text: str) -> str:
    from mop.sources.configured import read_prefixes  # noqa: PLC0415  # most installations start without it

    read_prefixes(text)  # a fault is told at the start, not at the first model
    return text
