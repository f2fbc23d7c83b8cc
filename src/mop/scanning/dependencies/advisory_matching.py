"""Whether an advisory holds for a version, by the algorithm of OSV's schema with versions ordered by PEP 440."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from packaging.version import Version

from mop.scanning.dependencies.packages import Package, read_version
from mop.scanning.dependencies.records import Advisory, Affected, Event

_FROM_THE_FIRST = Event("introduced", "0")
_WITHOUT_LIMIT = Event("limit", "*")


class Match(enum.Enum):
    """What an advisory means for a package. What cannot be compared is said to be so, never taken for clean."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not affected"
    UNDECIDED = "undecided"


def match(package: Package, advisory: Advisory) -> Match:
    """Whether the advisory holds for the package.

    A local label (`+cu118`) does not count: it names a build of the version that the advisory speaks of.
    """
    if advisory.withdrawn:
        return Match.NOT_AFFECTED
    return _worst(_match_entry(package, entry) for entry in advisory.affected if entry.package == package.name)


def fixed_versions(package: Package, advisory: Advisory) -> list[Version]:
    """Versions above the package's in which the advisory says it is fixed, the lowest first."""
    version = _version(package)
    named = {
        fixed
        for entry in advisory.affected
        if entry.package == package.name
        for events in entry.ranges
        for event in events
        if event.kind == "fixed" and (fixed := read_version(event.version)) is not None
    }
    return sorted(fixed for fixed in named if version is None or fixed > version)


def _match_entry(package: Package, entry: Affected) -> Match:
    if not entry.versions and not any(entry.ranges):
        return Match.UNDECIDED  # it names commits alone
    if package.version in entry.versions:
        return Match.AFFECTED
    version = _version(package)
    if version is None:
        return Match.UNDECIDED
    if version in {read_version(text) for text in entry.versions}:  # 1.0 is 1.0.0
        return Match.AFFECTED
    return _worst(_match_range(version, events) for events in entry.ranges)


def _match_range(version: Version, events: tuple[Event, ...]) -> Match:
    """Walk the events in the order of their versions.

    A version that is both introduced and last affected is affected. Other events of one version stay in the order of
    the record.
    """
    bounds: list[tuple[Version, Event]] = []
    for event in events:
        if event in {_FROM_THE_FIRST, _WITHOUT_LIMIT}:
            continue
        bound = read_version(event.version)
        if bound is None:
            return Match.UNDECIDED
        bounds.append((bound, event))
    if not any(event.kind == "introduced" for event in events):
        return Match.UNDECIDED  # the schema wants one; without it nobody knows where the range begins
    limits = [bound for bound, event in bounds if event.kind == "limit"]
    if limits and _WITHOUT_LIMIT not in events and all(version >= limit for limit in limits):
        return Match.NOT_AFFECTED
    affected = _FROM_THE_FIRST in events
    for bound, event in sorted(bounds, key=lambda one: (one[0], one[1].kind == "last_affected")):
        if event.kind == "introduced" and version >= bound:
            affected = True
        elif (event.kind == "fixed" and version >= bound) or (event.kind == "last_affected" and version > bound):
            affected = False
    return Match.AFFECTED if affected else Match.NOT_AFFECTED


def _version(package: Package) -> Version | None:
    return read_version(package.public_version)


def _worst(matches: Iterable[Match]) -> Match:
    found = set(matches)
    return next((one for one in (Match.AFFECTED, Match.UNDECIDED) if one in found), Match.NOT_AFFECTED)
