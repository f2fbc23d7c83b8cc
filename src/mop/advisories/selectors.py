"""What is known of advisories: matched against packages, and about itself."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from mop.advisories.models import AdvisoryImport, ImportedAdvisory
from mop.advisories.osv_service import OsvService
from mop.advisories.sources import Source
from mop.scanning.dependencies.audit import Audit, audit_packages
from mop.scanning.dependencies.packages import Package
from mop.scanning.dependencies.records import Advisory, read_record

STALE_AFTER = dt.timedelta(days=14)
_PROBE = Package("mop-utils", "3.0.0")
_NAMES_AT_ONCE = 500
_OFF = "this installation audits no packages (MOP_ADVISORIES=off)"
_NOT_IMPORTED = "no advisories were imported (`mop advisories import`)"


@dataclass(frozen=True)
class Knowledge:
    """What the advisory source of this installation is.

    Attributes:
        source: `osv`, `imported` or `off`.
        dated: how far its knowledge goes: now for a service, the newest change of an imported record; None for none.
        digest: differs when packages that were matched before should be matched again. It names the day for a
            service, whose knowledge nobody can see whole.
        records: advisories that were imported; None for a service.
    """

    source: Source
    dated: dt.datetime | None
    digest: str
    records: int | None

    @property
    def is_stale(self) -> bool:
        """Whether what it knows is so old that new advisories must be missing."""
        return self.dated is not None and timezone.now() - self.dated > STALE_AFTER


def audit(packages: Iterable[Package], *, private: Collection[str] = ()) -> Audit:
    """Match installed packages against the advisories of this installation's source.

    With a service it may take a minute: call it outside of transactions. It raises nothing for what a source does.

    Args:
        packages: what is installed.
        private: canonical names of those that came as private wheels.
    """
    installed = sorted(set(packages))
    known = knowledge()
    dated = known.dated
    match known.source:
        case Source.OSV:
            answers = osv_service(settings.MOP_OSV_URL).ask(installed)
            advisories, unanswered = answers.advisories, dict(answers.unanswered)
            dated = None if unanswered.keys() >= set(installed) else known.dated
        case Source.IMPORTED:
            advisories = _imported(sorted({package.name for package in installed}))
            unanswered = {} if known.dated else dict.fromkeys(installed, _NOT_IMPORTED)
        case Source.OFF:
            advisories, unanswered = {}, dict.fromkeys(installed, _OFF)
    return audit_packages(
        installed,
        advisories=advisories,
        source=known.source.value,
        dated=dated,
        unanswered=unanswered,
        private=private,
    )


def knowledge() -> Knowledge:
    """What this installation's advisory source is, and how new."""
    source = Source(settings.MOP_ADVISORIES)
    if source == Source.OSV:
        now = timezone.now()
        return Knowledge(source, now, f"osv {settings.MOP_OSV_URL} {now:%Y-%m-%d}", None)
    newest = newest_import() if source == Source.IMPORTED else None
    if newest is None:
        return Knowledge(source, None, source.value, 0 if source == Source.IMPORTED else None)
    return Knowledge(source, newest.newest_modified, f"imported {newest.digest}", newest.records)


def problem() -> str:
    """Why packages are not audited as they should be, in one sentence; empty when they are. Asks a service."""
    known = knowledge()
    if known.source == Source.OFF:
        return _OFF
    if known.source == Source.OSV:
        return osv_service(settings.MOP_OSV_URL).ask([_PROBE]).unanswered.get(_PROBE, "")
    if known.dated is None:
        return _NOT_IMPORTED
    if known.is_stale:
        return f"the newest change is {(timezone.now() - known.dated).days} days old, so new advisories are missing"
    return ""


def newest_import() -> AdvisoryImport | None:
    """The import that tells what the tables hold; None before the first."""
    return AdvisoryImport.objects.order_by("-pk").first()


@functools.cache
def osv_service(url: str) -> OsvService:
    """The service at an address, one in this process: it remembers what it was asked, and when it did not answer."""
    return OsvService(url)


def _imported(names: list[str]) -> dict[str, list[Advisory]]:
    found: dict[str, list[Advisory]] = {}
    for start in range(0, len(names), _NAMES_AT_ONCE):
        rows = ImportedAdvisory.objects.filter(packages__name__in=names[start : start + _NAMES_AT_ONCE])
        for name, record in rows.values_list("packages__name", "record").iterator():
            found.setdefault(name, []).append(read_record(record.encode()))
    return found
