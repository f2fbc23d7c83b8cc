"""An installed package as advisories name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

VERSION_LENGTH_MAX = 200
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,198}[a-z0-9])?")


@dataclass(frozen=True, order=True)
class Package:
    """One version of a PyPI package.

    Attributes:
        name: its canonical name.
        version: as its metadata says it; whether that is a version at all, `read_version` tells.
    """

    name: str
    version: str

    @staticmethod
    def of(name: str, version: str) -> Package:
        """With the name in its canonical form."""
        return Package(str(canonicalize_name(name)), version.strip())

    @property
    def has_name(self) -> bool:
        """Whether its name is one that a package of an index can have."""
        return _NAME.fullmatch(self.name) is not None

    @property
    def public_version(self) -> str:
        """The version without a local label, which advisories do not know: 2.1.0 of 2.1.0+cu118."""
        parsed = read_version(self.version)
        return self.version if parsed is None else parsed.public


@lru_cache(maxsize=50_000)
def read_version(text: str) -> Version | None:
    """The version that a text is by PEP 440, None when it is none."""
    if len(text) > VERSION_LENGTH_MAX:
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None
