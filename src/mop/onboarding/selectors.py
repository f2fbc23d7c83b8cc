"""Reads of logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mop.onboarding.models import LogKind, LogLine
from mop.registry.models import Revision

PAGE_LINES = 500


@dataclass(frozen=True)
class LogPage:
    """Lines of a log in order, and whether there are more before and after them."""

    lines: Sequence[LogLine]
    total: int
    has_before: bool
    has_after: bool


def log_end(revision: Revision, kinds: Sequence[LogKind], limit: int) -> list[LogLine]:
    """The last lines of a log: of these kinds the one whose name is last in the alphabet and that has lines."""
    lines = list(LogLine.objects.filter(revision=revision, kind__in=kinds).order_by("-kind", "-number")[:limit])
    return [line for line in lines if line.kind == lines[0].kind][::-1]


def log_page(
    revision: Revision,
    kind: LogKind,
    *,
    after: int = 0,
    before: int | None = None,
    search: str = "",
    limit: int = PAGE_LINES,
) -> LogPage:
    """Up to `limit` lines after line `after`; with `before`, the last ones in front of that line.

    Args:
        revision: whose log; the caller has checked who looks.
        kind: which log.
        after: line number; 0 starts at the beginning.
        before: line number; takes the place of `after`.
        search: only lines that hold this text, case-insensitive.
        limit: lines on the page.
    """
    lines = LogLine.objects.filter(revision=revision, kind=kind)
    if search:
        lines = lines.filter(text__icontains=search)
    total = lines.count()
    if before is not None:
        page = list(lines.filter(number__lt=before).order_by("-number")[:limit])[::-1]
    else:
        page = list(lines.filter(number__gt=after).order_by("number")[:limit])
    if not page:
        return LogPage(lines=(), total=total, has_before=lines.exists(), has_after=False)
    return LogPage(
        lines=page,
        total=total,
        has_before=lines.filter(number__lt=page[0].number).exists(),
        has_after=lines.filter(number__gt=page[-1].number).exists(),
    )
