"""Small things that every page shows the same way: icons, times, durations, sizes, rates."""

from __future__ import annotations

import datetime as dt
import re

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mop.serving_options import configuration_text
from mop.ui import joined_files
from mop.ui.counting import counted
from mop.ui.fragments import Status

register = template.Library()
register.filter("counted", counted)

_STATUS_ICONS = {"vulnerable": "shield", "queued": "wait", "notStarted": "ring", "pass, close": "warn"}
_TONE_ICONS = {"ok": "ok", "bad": "bad", "warn": "wait", "busy": "busy", "quiet": "off"}
_TONE_CLASSES = {"ok": "ok", "bad": "bad", "warn": "warn", "busy": "busy", "quiet": "off"}
_NOTE_LOOKS = {"success": "ok", "warning": "warn", "error": "bad"}
_SECONDS_PER_MINUTE, _SECONDS_PER_HOUR = 60, 3600
_KIB = 1024
_BACKTICKS = re.compile(r"`([^`\n]+)`")
_NO_DECIMAL = 100


@register.simple_tag
def icon(name: str, look: str = "") -> SafeString:
    """A decorative icon of icons.svg; its meaning stands beside it in words. `look` adds classes: `i--s`, `t-ok`."""
    return format_html(
        '<svg class="i{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        f" {look}" if look else "",
        static("mop/icons.svg"),
        name,
    )


@register.simple_tag
def styles() -> SafeString:
    """The style sheets of every page."""
    names = (joined_files.ALL_STYLES,) if _is_joined() else joined_files.STYLE_FILES
    media = {joined_files.PRINT: mark_safe(' media="print"')}
    return format_html_join(
        "\n  ", '<link rel="stylesheet" href="{}"{}>', ((static(name), media.get(name, "")) for name in names)
    )


@register.simple_tag
def scripts() -> SafeString:
    """The scripts of every page."""
    names = (joined_files.ALL_SCRIPTS,) if _is_joined() else joined_files.SCRIPT_FILES
    return format_html_join("\n  ", '<script src="{}" defer></script>', ((static(name),) for name in names))


def _is_joined() -> bool:
    """Whether static files were gathered, and with them the files that join others."""
    return getattr(staticfiles_storage, "has_joined", False)


register.filter("configuration", configuration_text)


@register.filter
def status_icon(status: Status) -> str:
    """The icon of a status: its own, or that of its colour family."""
    return _STATUS_ICONS.get(status.value) or _TONE_ICONS.get(status.tone, "off")


@register.filter
def status_class(status: Status) -> str:
    """The class that colours a status's icon."""
    return _TONE_CLASSES.get(status.tone, "off")


@register.filter
def note_look(level: str) -> str:
    """The look of a notice for the level of a message: ok, warn, bad or busy."""
    return _NOTE_LOOKS.get(level, "busy")


@register.filter
def note_icon(level: str) -> str:
    """The icon of a notice for the level of a message."""
    return {"ok": "ok", "warn": "warn", "bad": "bad", "busy": "info"}[note_look(level)]


@register.filter
def when(moment: dt.datetime | None) -> SafeString:
    """A time in UTC as people write it, with the exact one for machines and on hover."""
    if moment is None:
        return format_html('<span class="q">{}</span>', "never")
    utc = moment.astimezone(dt.UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(),
        utc.isoformat(sep=" ", timespec="seconds"),
        moment_text(utc),
    )


def moment_text(moment: dt.datetime) -> str:
    """A time in UTC as people write it."""
    utc = moment.astimezone(dt.UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


@register.filter
def duration(seconds: float | None) -> str:
    """A duration: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`; empty for None."""
    if seconds is None:
        return ""
    tenths = round(seconds, 1)
    if tenths < 10:  # noqa: PLR2004 - under ten seconds the tenth tells something
        return f"{tenths:.1f} s"
    whole = round(seconds)
    if whole < _SECONDS_PER_MINUTE:
        return f"{whole} s"
    minutes, rest = divmod(whole, _SECONDS_PER_MINUTE)
    if whole < _SECONDS_PER_HOUR:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, _SECONDS_PER_MINUTE)
    return f"{hours} h {minutes} min"


@register.filter
def until(moment: dt.datetime | None) -> str:
    """How long until a moment, as `duration`; empty for None or when it has passed."""
    if moment is None:
        return ""
    left = (moment - timezone.now()).total_seconds()
    return duration(left) if left > 0 else ""


@register.filter
def size(count: float | None) -> str:
    """A number of bytes: `512 B`, `3.2 MiB`, `8 GiB`; empty for None."""
    if count is None:
        return ""
    number, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if number < _KIB:
            break
        number, unit = number / _KIB, larger
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"


@register.filter
def rate(number: float) -> str:
    """`412`, `6,599`; under 100 with a decimal: `88.3`."""
    return f"{number:,.0f}" if number >= _NO_DECIMAL else f"{number:.1f}".removesuffix(".0")


@register.filter
def marked(text: str) -> SafeString:
    """A message or hint whose commands and names stand between backticks, with these as code."""
    return mark_safe(_BACKTICKS.sub(r"<code>\1</code>", conditional_escape(text)))  # noqa: S308 - escaped before


@register.filter
def within(label: str) -> str:
    """A label inside a sentence: `Models` becomes `models`, `DSAT cases` stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


@register.filter
def error_docs(name: str) -> str:
    """The section of the guide that explains an error and how to fix it."""
    return f"/help/errors/#{name.lower()}"
