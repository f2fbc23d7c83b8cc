"""Finds in the text of a page what is no word for people: identifiers, one of a plural, Python's own notation."""

from __future__ import annotations

import re

from mop_client.words import DATASET_STATUSES, REVISION_STATUSES

_SECRET_PREFIX = r"mop[a-z]{0,2}_"  # the first characters of a token are shown, and then anything may follow
# the product's vocabulary, which is the same in database, API, portal and command line
VOCABULARY = {
    *REVISION_STATUSES,
    *DATASET_STATUSES,
    *("notAvailable", "notStarted", "notChecked", "mappingError"),
    *("predicted_labels", "confidence_scores"),
    *("vCPU", "vCPUs", "kB"),
}
_IDENTIFIER = re.compile(rf"(?<![\w./@-])(?!{_SECRET_PREFIX})[a-z]+(?:[A-Z][a-z]+|_[a-z]+)+(?![\w/@])")
_COUNTED = (
    "case|client|column|condition|dataset|file|finding|label|line|model|notification|release|request|result|row|run|"
    "service|session|step|task|token|version|warning"
)
_ONE_OF_MANY = re.compile(rf"(?<![\w.,])1 (?:{_COUNTED})s\b")
_NOTATION = re.compile(r"\[['\"]|\{['\"]|<\w+ object|%\(\w+\)s|\{\{|\{%")


def not_for_people(text: str) -> list[str]:
    """What stands in a text for programs alone; names that people gave do not look like that in our tests."""
    identifiers = [word for word in _IDENTIFIER.findall(text) if word not in VOCABULARY]
    return sorted({*identifiers, *_ONE_OF_MANY.findall(text), *_NOTATION.findall(text)})
