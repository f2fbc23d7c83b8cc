"""How the pages of evaluations write numbers."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mop.evaluation.metrics.intervals import Interval
from mop.evaluation.reports.document import IntervalOut

register = template.Library()
MINUS = "−"  # noqa: RUF001 - the sign of a number
LEAST_PROBABILITY = 0.0001
_PERCENT = 100
_NEARLY_ALL = 99.9


@register.filter
def score(value: float | None) -> SafeString:
    """A metric with three decimals; what is undefined says so."""
    if value is None:
        return format_html('<span class="q">{}</span>', "undefined")
    return SafeString(f'<span class="n">{value:.3f}</span>')  # a number: a page has hundreds


@register.filter
def give_or_take(interval: IntervalOut | tuple[float, float] | None) -> SafeString:
    """Half of an interval's width, with its ends on hover; empty without one."""
    if interval is None:
        return SafeString("")
    low, high = (interval.low, interval.high) if isinstance(interval, IntervalOut) else interval
    return SafeString(
        f'<span class="q small n" title="95 % interval {low:.3f} to {high:.3f}">± {(high - low) / 2:.3f}</span>'
    )


@register.filter
def signed(value: float | None) -> str:
    """A difference with its sign; empty for None."""
    if value is None:
        return ""
    return f"{MINUS if value < 0 else '+'}{abs(value):.3f}"


@register.filter
def probability(value: float | None) -> str:
    """A p value behind its letter: `= 0.0312`, `< 0.0001`."""
    if value is None:
        return ""
    return f"= {value:.4f}" if value >= LEAST_PROBABILITY else f"< {LEAST_PROBABILITY:.4f}"


@register.filter
def top(share: float | None) -> str:
    """A rank percentile: `Top 12 %`."""
    return "" if share is None else f"Top {max(1, round(share * _PERCENT))} %"


@register.filter
def lookup(mapping: dict[str, object] | None, name: str) -> object:
    """What a mapping has by a name that the page computed; None without it."""
    return (mapping or {}).get(name)


@register.filter
def rate(share: float | None) -> str:
    """A pass rate in percent with one decimal; only a rate of one is 100 %: `96.4 %`, `99.9 %`."""
    if share is None:
        return ""
    return "100 %" if share == 1 else f"{min(share * _PERCENT, _NEARLY_ALL):.1f} %"


@register.filter
def rate_interval(interval: Interval | None) -> str:
    """The ends of a pass rate's interval: in percent; empty without one."""
    if interval is None:
        return ""
    return f"{interval.low * _PERCENT:.1f} – {interval.high * _PERCENT:.1f} %"  # noqa: RUF001 - an en dash


@register.filter
def points(difference: float) -> str:
    """A difference of pass rates in percentage points with its sign: `+2.2`."""
    value = difference * _PERCENT
    return f"{MINUS if value < 0 else '+'}{abs(value):.1f}"
