"""Times as people compare them: how long ago."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

_MINUTE, _HOUR, _DAY, _MONTH = 60, 3600, 86_400, 30 * 86_400


@register.filter
def ago(moment: dt.datetime | None) -> SafeString:
    """How long ago a moment was, up to 30 days, then its date; the exact time for machines and on hover."""
    if moment is None:
        return format_html('<span class="q">{}</span>', "never")
    utc = moment.astimezone(dt.UTC)
    return format_html(
        '<time class="nowrap" datetime="{}" title="{}">{}</time>',
        utc.isoformat(),
        f"{utc.day} {utc:%b %Y, %H:%M:%S} UTC",
        since(utc, timezone.now().astimezone(dt.UTC)),
    )


def since(moment: dt.datetime, now: dt.datetime) -> str:
    """`now`, `26 min ago`, `3 h ago`, `yesterday`, `9 days ago`, `2 Nov`, `2 Nov 2025`."""
    seconds = (now - moment).total_seconds()
    days = (now.date() - moment.date()).days
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    if days == 1:
        return "yesterday"
    if seconds < _MONTH:
        return f"{days} days ago"
    return f"{moment.day} {moment:%b}" + ("" if moment.year == now.year else f" {moment.year}")
