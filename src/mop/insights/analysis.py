"""What was onboarded in a period, and how it went: of the versions that a person may see.

Counts are the database's. What needs every event of a version (times in a stage) is read of the newest VERSIONS_READ.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncWeek

from mop.accounts.models import User
from mop.registry.models import Revision, RevisionEvent
from mop.registry.selectors import visible_revisions
from mop.registry.statuses import RevisionStatus
from mop.registry.timelines import PHASES

VERSIONS_READ = 2000
REASONS_SHOWN = 8
S = RevisionStatus
RESULTS = (S.VERIFIED, S.VERIFY_FAILED, S.VULNERABLE, S.CANCELLED)
_JUDGED = (S.VERIFIED, S.VERIFY_FAILED, S.VULNERABLE)


@dataclass(frozen=True)
class Period:
    """The days up to now that a page tells of, of one team or of all.

    Attributes:
        team: the name of the team; empty for all.
    """

    days: int
    now: dt.datetime
    team: str = ""

    @property
    def began_at(self) -> dt.datetime:
        return self.now - dt.timedelta(days=self.days)

    def before(self) -> Period:
        """The same number of days, just before."""
        return Period(self.days, self.began_at, self.team)

    def versions(self, user: User) -> QuerySet[Revision]:
        """The versions that were added then, as far as the person may see them."""
        found = visible_revisions(user).filter(created_at__gt=self.began_at, created_at__lte=self.now).order_by()
        return found.filter(model__team__name=self.team) if self.team else found


@dataclass(frozen=True)
class Totals:
    """Versions that were added; of those that ended as good or not the share that was verified at the first try."""

    versions: int
    first_try: float | None


@dataclass(frozen=True)
class Week:
    """Versions that were added in a week, by how they stand now."""

    monday: dt.date
    counts: Mapping[RevisionStatus, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Durations:
    """Seconds: the middle one, and the one that 95 per cent stay below."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Reason:
    """Why versions failed, and after how many seconds the next version of the same model was verified."""

    error: str
    versions: int
    fixed_in: float | None


def totals_of(versions: QuerySet[Revision]) -> Totals:
    """How many, and how good. One query."""
    found = versions.aggregate(
        every=Count("pk"),
        judged=Count("pk", filter=Q(status__in=_JUDGED)),
        at_once=Count("pk", filter=Q(status=S.VERIFIED, attempt=1)),
    )
    return Totals(found["every"], found["at_once"] / found["judged"] if found["judged"] else None)


def weeks_of(versions: QuerySet[Revision], period: Period) -> list[Week]:
    """Every week of a period, also those without a version. One query."""
    rows = (
        versions.filter(status__in=RESULTS)
        .annotate(week=TruncWeek("created_at", tzinfo=dt.UTC))
        .values_list("week", "status")
        .annotate(number=Count("pk"))
    )
    counts: dict[dt.date, dict[RevisionStatus, int]] = defaultdict(dict)
    for week, status, number in rows:
        counts[week.date()][RevisionStatus(status)] = number
    monday = period.began_at.date() - dt.timedelta(days=period.began_at.weekday())
    weeks = []
    while monday <= period.now.date():
        weeks.append(Week(monday, {status: counts[monday].get(status, 0) for status in RESULTS}))
        monday += dt.timedelta(days=7)
    return weeks


def until_verified(versions: QuerySet[Revision]) -> Durations | None:
    """From adding a version to its being verified, whatever number of tries that took. One query."""
    newest = versions.filter(status=S.VERIFIED).order_by("-created_at")[:VERSIONS_READ]
    events = RevisionEvent.objects.filter(status=S.VERIFIED, revision__in=newest.values("pk"))
    return durations([(at - added).total_seconds() for at, added in events.values_list("at", "revision__created_at")])


def phases_of(versions: QuerySet[Revision]) -> list[tuple[str, Durations]]:
    """How long the newest versions were in each part of their way, try by try. One query."""
    newest = versions.order_by("-created_at")[:VERSIONS_READ]
    events = RevisionEvent.objects.filter(revision__in=newest.values("pk")).order_by("revision", "attempt", "id")
    phase_of = {status: label for label, statuses in PHASES for status in statuses}
    spent: dict[str, list[float]] = defaultdict(list)
    before: tuple[object, int, str, dt.datetime] | None = None
    running: dict[str, float] = {}
    for revision, attempt, status, at in events.values_list("revision", "attempt", "status", "at"):
        if before is not None and before[:2] == (revision, attempt):
            label = phase_of.get(RevisionStatus(before[2]))
            if label is not None:
                running[label] = running.get(label, 0.0) + (at - before[3]).total_seconds()
        else:
            _add(spent, running)
            running = {}
        before = (revision, attempt, status, at)
    _add(spent, running)
    return [(label, found) for label, _ in PHASES if (found := durations(spent[label])) is not None]


def _add(spent: Mapping[str, list[float]], running: Mapping[str, float]) -> None:
    for label, seconds in running.items():
        spent[label].append(seconds)


def reasons_of(versions: QuerySet[Revision]) -> list[Reason]:
    """The errors with which versions failed, the most frequent first. Three queries."""
    failed = versions.filter(status=S.VERIFY_FAILED)
    counted = failed.values_list("error__name").annotate(number=Count("pk")).order_by("-number", "error__name")
    fixes: dict[str, list[float]] = defaultdict(list)
    newest = list(
        failed.order_by("-created_at").values_list("model", "status_changed_at", "error__name")[:VERSIONS_READ]
    )
    verified: dict[int, list[dt.datetime]] = defaultdict(list)
    events = RevisionEvent.objects.filter(status=S.VERIFIED, revision__model__in={model for model, _, _ in newest})
    for model, at in events.order_by("at").values_list("revision__model", "at"):
        verified[model].append(at)
    for model, failed_at, error in newest:
        fixed = next((at for at in verified[model] if at > failed_at), None)
        if fixed is not None:
            fixes[error].append((fixed - failed_at).total_seconds())
    return [
        Reason(error or "", number, found.p50 if (found := durations(fixes[error])) else None)
        for error, number in counted[:REASONS_SHOWN]
    ]


def durations(seconds: Sequence[float]) -> Durations | None:
    """Of a list of seconds; None of an empty one."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return Durations(ordered[(len(ordered) - 1) // 2], ordered[int(0.95 * (len(ordered) - 1))])
