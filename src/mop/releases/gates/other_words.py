"""What people write in place of a word of the language, and what they mean: proposals for messages, never read as such.

A proposal is made for the word that is read, by the place at which it stands: what begins a line, compares, is a unit.
"""

from __future__ import annotations

from collections.abc import Mapping

BEGINNINGS: Mapping[str, str] = {
    "regression": "Write “DSAT pass rate”: it is that of the regression test.",
    "no": "Write the number: “open findings <= 0”.",
    "vulnerabilities": "Write “open findings <= 0”.",
    "if": "A condition says what must hold: “all datasets: macro F1 >= 0.8”.",
    "not": "A condition says what must hold: “all datasets: macro F1 >= 0.8”.",
}
COMPARISONS: Mapping[str, str] = {
    "at": "Write “>=” for at least, “<=” for at most.",
    "over": "Write “>”.",
    "above": "Write “>”.",
    "more": "Write “>”.",
    "greater": "Write “>”, or “>=” if it may be equal.",
    "under": "Write “<”.",
    "below": "Write “<”.",
    "less": "Write “<”, or “<=” if it may be equal.",
    "between": "A range is written as in [0.8, 0.9]; both ends belong to it.",
}
LOADS: Mapping[str, str] = {
    "throughput": "Write “actual RPS”.",
    "error": "A load test is read at its highest step without a failed request: there is no rate of errors.",
    "errors": "A load test is read at its highest step without a failed request: there is no rate of errors.",
}
UNITS: Mapping[str, str] = {
    "percent": "%",
    "percents": "%",
    "pct": "%",
    "millisecond": "ms",
    "milliseconds": "ms",
    "msec": "ms",
    "millis": "ms",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "rps": "RPS",
    "qps": "RPS",
    "x": "times the previous release",
    "time": "times the previous release",
}
PREVIOUS = "Write a ratio to it: “>= 1 times the previous release”."
_BEHIND: Mapping[str, str] = {
    "at": "“at 50 RPS” stands before the comparison: latency P99 at 50 RPS <= 200 ms.",
    "the": "Write “98 % of the previous release”, or “0.98 times the previous release”.",
    "previous": "Write “98 % of the previous release”, or “0.98 times the previous release”.",
    "(": "“or none” stands without brackets.",
    "for": 'The taxonomy stands in front: taxonomy "Hate", all datasets: macro F1 >= 0.8',
    ".": "Nothing stands behind a condition.",
    ";": "Nothing stands behind a condition; the next one has a line of its own.",
}


def behind(word: str) -> str:
    """The proposal for a word that stands behind what is a condition already; empty where none is known."""
    return _BEHIND.get(word.lower(), "")
