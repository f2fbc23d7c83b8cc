"""What a person, a file or a service says of a new case, and the rules that it must keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mop.catalog.models import Task
from mop.dsat.content import Add, item_bytes, unstorable
from mop.dsat.models import (
    DESCRIPTION_MAX,
    LABEL_MAX,
    SERVICE_MAX,
    TAG_MAX,
    TAGS_MAX,
    TRACE_ID_MAX,
    Kind,
)
from mop.errors import ValidationFailedError

_LENGTHS = {
    "expected_label": LABEL_MAX,
    "predicted_label": LABEL_MAX,
    "trace_id": TRACE_ID_MAX,
    "description": DESCRIPTION_MAX,
    "service": SERVICE_MAX,
}


@dataclass(frozen=True, kw_only=True)
class CaseInput:
    """A new case.

    Attributes:
        content: one model item: `text`; or `image`; or `text` and `images`.
        expected_label: a label of the task; or empty, and `kind` says how the service was wrong.
        predicted_label: what the service answered, if that is known.
    """

    content: Mapping[str, Any]
    expected_label: str = ""
    kind: str = ""
    predicted_label: str = ""
    trace_id: str = ""
    description: str = ""
    tags: Sequence[str] = ()
    service: str = ""
    is_restricted: bool = False


@dataclass(frozen=True)
class NewCase:
    """A checked case that is not stored yet: columns, content as JSON, and the same as data."""

    fields: dict[str, Any]
    body: bytes
    item: Mapping[str, Any]


@dataclass
class Problems:
    """What is wrong with an input, by field."""

    fields: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, message: str) -> None:
        self.fields.setdefault(name, []).append(message)

    def raise_any(self) -> None:
        """Raise what was added.

        Raises:
            ValidationFailedError: something was.
        """
        if self.fields:
            text = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in self.fields.items())
            raise ValidationFailedError(text, fields=self.fields)


def new_case(task: Task, given: CaseInput, add: Add) -> NewCase | None:
    """The checked case; None where something is wrong, which `add` is told."""
    faults: list[str] = []

    def tell(name: str, message: str) -> None:
        faults.append(name)
        add(name, message)

    body = item_bytes(task.modality, given.content, tell)
    tags = clean_tags(given.tags)
    check_labels(
        task,
        expected_label=given.expected_label,
        kind=given.kind,
        predicted_label=given.predicted_label,
        add=tell,
    )
    check_texts(tell, description=given.description, trace_id=given.trace_id, service=given.service)
    check_tags(tags, tell)
    if faults:
        return None
    fields = {
        "expected_label": given.expected_label,
        "kind": given.kind,
        "predicted_label": given.predicted_label,
        "trace_id": given.trace_id,
        "description": given.description,
        "tags": tags,
        "service": given.service,
        "is_restricted": given.is_restricted,
    }
    return NewCase(fields, body, orjson.loads(body))


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags without blanks around them, each once, in their order."""
    return list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


def check_labels(task: Task, *, expected_label: str, kind: str, predicted_label: str, add: Add) -> None:
    """Tell `add` what contradicts the task, or each other."""
    labels = ", ".join(task.labels)
    if not expected_label and not kind:
        add("expected_label", f"Give the expected label ({labels}), or the kind (false positive or false negative).")
    for name, label in (("expected_label", expected_label), ("predicted_label", predicted_label)):
        if label and label not in task.labels:
            add(name, f"This is no label of {task.name}; its labels are {labels}.")
    if kind and kind not in Kind.values:
        add("kind", "Write falsePositive or falseNegative.")
    if expected_label and expected_label == predicted_label:
        add("predicted_label", "The service gave the expected label, so there is nothing to fix.")


def check_texts(add: Add, **texts: str) -> None:
    """Tell `add` of texts that are too long or cannot be stored."""
    for name, text in texts.items():
        if not text:
            continue
        if len(text) > _LENGTHS[name]:
            add(name, f"At most {_LENGTHS[name]:,} characters are possible.")
        elif fault := unstorable(text):
            add(name, fault)


def check_tags(tags: Sequence[str], add: Add) -> None:
    """Tell `add` of tags that are too many or too long."""
    if len(tags) > TAGS_MAX:
        add("tags", f"At most {TAGS_MAX} tags are possible.")
    for tag in tags:
        if len(tag) > TAG_MAX or "," in tag:
            add("tags", f"A tag has at most {TAG_MAX} characters and no comma.")
        elif fault := unstorable(tag):
            add("tags", fault)
