"""The text of MOP_SOURCE_PREFIXES, read strictly.

A JSON list with one object for each prefix; `*` as the team means every team, `*` as the prefix every configured root
and account:

    [{"team": "moderation", "purpose": "models", "prefix": "https://account.blob.core.windows.net/models/moderation"},
     {"team": "*", "purpose": "datasets", "prefix": "file:///srv/datasets/shared"}]
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NoReturn

from mop.sources.purposes import Purpose

EVERYTHING = "*"
_FIELDS = {"team", "purpose", "prefix"}


@dataclass(frozen=True)
class ConfiguredPrefix:
    """One prefix of the settings.

    Attributes:
        team: the team's name, or `*` for every team.
        purpose: what the team may read there.
        prefix: a url, or `*` for every configured root and account.
    """

    team: str
    purpose: Purpose
    prefix: str


def read_prefixes(text: str) -> tuple[ConfiguredPrefix, ...]:
    """The prefixes that the text lists; none for an empty text.

    Raises:
        ValueError: names the entry and the field that cannot be used.
    """
    if not text.strip():
        return ()
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}, line {error.lineno} column {error.colno}") from None
    if not isinstance(entries, list):
        raise ValueError('write a JSON list such as [{"team": "*", "purpose": "models", "prefix": "*"}]')  # noqa: TRY004
    return tuple(_read(number, entry) for number, entry in enumerate(entries, 1))


def _read(number: int, entry: object) -> ConfiguredPrefix:
    def refuse(why: str) -> NoReturn:
        raise ValueError(f"entry {number}: {why}")

    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        refuse("it must be an object with team, purpose and prefix")
    for name in sorted(_FIELDS):
        if not isinstance(entry[name], str) or not entry[name].strip():
            refuse(f"{name} must be a text")
    if entry["purpose"] not in set(Purpose):
        refuse(f"purpose must be one of {', '.join(Purpose)}")
    return ConfiguredPrefix(
        team=entry["team"].strip(), purpose=Purpose(entry["purpose"]), prefix=entry["prefix"].strip()
    )
