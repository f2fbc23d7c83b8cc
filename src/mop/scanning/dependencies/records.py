"""Records of advisories in OSV's form (https://ossf.github.io/osv-schema/), of which MOP reads what PyPI packages need.

A record comes from a service or a file: its size, its depth and the number of its parts are bounded, and what does not
have the schema's form is refused whole. A record read with a part left out could call a package clean.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mop.scanning.dependencies.packages import VERSION_LENGTH_MAX, Package
from mop.scanning.dependencies.severities import severity_of
from mop.scanning.findings import Severity

ECOSYSTEM = "PyPI"
RECORD_BYTES_MAX = 8 * 1024**2
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_PARTS_MAX = 20_000  # of each list; the longest real ones, of versions, have some hundreds
_ALIASES_MAX = 200
_SUMMARY_LENGTH_MAX = 300
_NAME_LENGTH_MAX = 200
_KINDS = ("introduced", "fixed", "last_affected", "limit")


@dataclass(frozen=True)
class Event:
    """Where something about a range changes: `kind` is introduced, fixed, last_affected or limit."""

    kind: str
    version: str


@dataclass(frozen=True)
class Affected:
    """What a record says of one package: versions by name, ranges of versions, or both.

    Attributes:
        package: canonical name.
        versions: single versions, as written.
        ranges: each a list of events, in the order of the record.
    """

    package: str
    versions: frozenset[str]
    ranges: tuple[tuple[Event, ...], ...]


@dataclass(frozen=True)
class Advisory:
    """One record.

    Attributes:
        identifier: the record's own, such as GHSA-... or PYSEC-...
        aliases: identifiers of the same vulnerability elsewhere.
        modified: when the record was last changed.
        withdrawn: whether it was taken back: it then holds for no package.
        summary: one line, shortened; what an unknown author wrote.
        severity: from its CVSS vectors and its database's word, the worst; None when it has neither.
        affected: what it says of PyPI packages; none for a record of other ecosystems alone.
    """

    identifier: str
    aliases: frozenset[str]
    modified: dt.datetime
    withdrawn: bool
    summary: str
    severity: Severity | None
    affected: tuple[Affected, ...]

    @property
    def packages(self) -> frozenset[str]:
        """Canonical names of the PyPI packages that it speaks of."""
        return frozenset(one.package for one in self.affected)

    @property
    def is_malware(self) -> bool:
        """Whether it tells of a package that was made or taken over to do harm (OpenSSF's malicious packages)."""
        return any(name.startswith("MAL-") for name in (self.identifier, *self.aliases))

    def to_json(self) -> bytes:
        """What was read, as a record that `read_record` reads alike; the same advisory gives the same bytes."""
        value: dict[str, Any] = {
            "id": self.identifier,
            "aliases": sorted(self.aliases),
            "modified": self.modified.isoformat(),
            "summary": self.summary,
            "affected": [
                {
                    "package": {"ecosystem": ECOSYSTEM, "name": one.package},
                    "versions": sorted(one.versions),
                    "ranges": [
                        {"type": "ECOSYSTEM", "events": [{event.kind: event.version} for event in events]}
                        for events in one.ranges
                    ],
                }
                for one in self.affected
            ],
        }
        if self.withdrawn:
            value["withdrawn"] = value["modified"]
        if self.severity is not None:
            value["database_specific"] = {"severity": self.severity.value}
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def read_record(data: bytes) -> Advisory:
    """An advisory from the JSON of one record.

    Raises:
        ValueError: it is too large, no JSON, or not of the schema's form; the message says which.
    """
    if len(data) > RECORD_BYTES_MAX:
        raise ValueError(f"the record has more than {RECORD_BYTES_MAX:,} bytes")
    record = _mapping(orjson.loads(data), "the record")
    return Advisory(
        identifier=read_identifier(record.get("id")),
        aliases=frozenset(_aliases(record)),
        modified=read_time(record.get("modified")),
        withdrawn=record.get("withdrawn") is not None,
        summary=_summary(record),
        severity=severity_of(record),
        affected=tuple(_affected(record)),
    )


def read_identifier(value: object) -> str:
    """An advisory's identifier.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        raise ValueError("the record's id is not an identifier")
    return value


def read_time(value: object) -> dt.datetime:
    """A time of a record (RFC 3339), in UTC.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError("the record's modified is no time")  # noqa: TRY004 - one error for all of a record
    time = dt.datetime.fromisoformat(value)
    try:
        return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("the record's modified is beyond the calendar") from None


def _aliases(record: Mapping[str, Any]) -> Iterable[str]:
    for alias in _list(record, "aliases", at_most=_ALIASES_MAX):
        if isinstance(alias, str) and IDENTIFIER.fullmatch(alias):
            yield alias


def _summary(record: Mapping[str, Any]) -> str:
    """Its summary, else the first line of its details."""
    for key in ("summary", "details"):
        text = record.get(key)
        if isinstance(text, str) and (lines := text[:2000].strip().splitlines()):
            return lines[0][:_SUMMARY_LENGTH_MAX]
    return ""


def _affected(record: Mapping[str, Any]) -> Iterable[Affected]:
    for value in _list(record, "affected"):
        entry = _mapping(value, "affected")
        package = _mapping(entry.get("package") or {}, "package")  # a record may speak of commits of a repository alone
        if package.get("ecosystem") != ECOSYSTEM:
            continue
        name = package.get("name")
        if not isinstance(name, str):
            raise ValueError("an affected package has no name")  # noqa: TRY004 - one error for all of a record
        canonical = Package.of(name[: 2 * _NAME_LENGTH_MAX], "0")
        if not canonical.has_name:  # nothing of an index can have that name
            continue
        yield Affected(
            canonical.name,
            frozenset(_text(version, "versions") for version in _list(entry, "versions")),
            tuple(_ranges(entry)),
        )


def _ranges(entry: Mapping[str, Any]) -> Iterable[tuple[Event, ...]]:
    for value in _list(entry, "ranges"):
        one = _mapping(value, "ranges")
        if one.get("type") == "GIT":  # commits: nothing that is installed has them
            continue
        yield tuple(_events(one))


def _events(one: Mapping[str, Any]) -> Iterable[Event]:
    for value in _list(one, "events"):
        event = _mapping(value, "events")
        for kind in _KINDS:
            if kind in event:
                yield Event(kind, _text(event[kind], kind))


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} holds something that is no text")  # noqa: TRY004 - one error for all of a record
    return value[: VERSION_LENGTH_MAX + 1]  # longer than any version: it will not be read as one


def _list(record: Mapping[str, Any], key: str, *, at_most: int = _PARTS_MAX) -> list[Any]:
    value = record.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > at_most:
        raise ValueError(f"{key} is no list of at most {at_most:,}")
    return value


def _mapping(value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{key} holds something that is no object")  # noqa: TRY004 - one error for all of a record
    return value
