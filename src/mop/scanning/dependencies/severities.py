"""How bad an advisory is: by its CVSS vectors (first.org, versions 2, 3 and 4), else by its database's word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mop.deferred import deferred
from mop.scanning.findings import Severity

if TYPE_CHECKING:
    import cvss
    import cvss.exceptions
else:
    cvss = deferred("cvss")

_VECTOR_LENGTH_MAX = 400
_VECTORS_MAX = 50
_READERS = {"CVSS_V2": "CVSS2", "CVSS_V3": "CVSS3", "CVSS_V4": "CVSS4"}
# the least base score of each, as the specifications of versions 3 and 4 draw the lines, and NVD for version 2
_FROM_SCORE = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))
_V2_WORST = Severity.HIGH
_WORDS = {
    "low": Severity.LOW,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "important": Severity.HIGH,
    "high": Severity.HIGH,
    "critical": Severity.CRITICAL,
}


def severity_of(record: Mapping[str, Any]) -> Severity | None:
    """The worst severity that a record in OSV's form states, None when it states none that can be read."""
    stated = [*_of_vectors(record.get("severity")), *_of_word(record.get("database_specific"))]
    affected = record.get("affected")
    for entry in affected if isinstance(affected, list) else ():
        if isinstance(entry, dict):
            stated += _of_vectors(entry.get("severity"))
    return max(stated, key=lambda severity: severity.rank, default=None)


def severity_of_vector(kind: str, vector: str) -> Severity | None:
    """The severity of one vector of a kind that OSV names (`CVSS_V3`), None when it cannot be read."""
    reader = _READERS.get(kind)
    if reader is None or len(vector) > _VECTOR_LENGTH_MAX:
        return None
    try:
        score = float(getattr(cvss, reader)(vector).scores()[0])
    except cvss.exceptions.CVSSError:
        return None
    severity = next(severity for least, severity in _FROM_SCORE if score >= least)
    return min(severity, _V2_WORST, key=lambda one: one.rank) if kind == "CVSS_V2" else severity


def _of_vectors(value: object) -> Iterable[Severity]:
    for one in value[:_VECTORS_MAX] if isinstance(value, list) else ():
        if not isinstance(one, dict):
            continue
        kind, vector = one.get("type"), one.get("score")
        if isinstance(kind, str) and isinstance(vector, str):
            severity = severity_of_vector(kind, vector)
            if severity is not None:
                yield severity


def _of_word(value: object) -> Iterable[Severity]:
    word = value.get("severity") if isinstance(value, dict) else None
    if isinstance(word, str) and word.lower() in _WORDS:
        yield _WORDS[word.lower()]
