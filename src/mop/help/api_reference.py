"""The description of the REST API as plain data for a page: operations by subject, with what they take and give."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mop.api.api import api

_SUBJECTS = {"revisions": "versions", "me": "you"}


@dataclass(frozen=True)
class FieldRow:
    """A parameter or a field of a body: its name, type as people read it, whether it must be there, what it means."""

    name: str
    kind: str
    is_required: bool
    meaning: str


@dataclass(frozen=True)
class Operation:
    """One operation of the API."""

    id: str
    title: str
    method: str
    path: str
    text: str
    parameters: Sequence[FieldRow]
    body: Sequence[FieldRow]
    status: str
    answer: Sequence[FieldRow]


@dataclass(frozen=True)
class Reference:
    """The whole API: what holds for every operation, and the operations by subject."""

    text: str
    subjects: Sequence[tuple[str, Sequence[Operation]]]


@functools.cache
def reference() -> Reference:
    """The API as it is assembled."""
    schema = api.get_openapi_schema()
    subjects: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, described in methods.items():
            subjects.setdefault(_subject(path), []).append(_operation(schema, path, method, described))
    return Reference(str(schema["info"].get("description", "")), sorted(subjects.items()))


def _subject(path: str) -> str:
    words = [word for word in path.removeprefix("/api/v1").split("/") if word and not word.startswith("{")]
    word = "revisions" if "revisions" in words else words[0] if words else "api"
    return _SUBJECTS.get(word, word).replace("-", " ").capitalize()


def _operation(schema: Any, path: str, method: str, described: Any) -> Operation:
    text = " ".join(str(described.get("description", "")).split())
    title = str(described.get("summary", "")) or path
    answers: dict[str, dict[str, Any]] = {str(code): answer for code, answer in described["responses"].items()}
    status = next((code for code in answers if code.startswith("2")), "")
    answer = answers.get(status, {})
    body: dict[str, Any] = next(iter((described.get("requestBody") or {}).get("content", {}).values()), {})
    given: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
    return Operation(
        id=re.sub(r"[^a-z0-9]+", "-", f"{method}-{path.removeprefix('/api/v1')}".lower()).strip("-"),
        title=title[:1].upper() + title[1:],
        method=method.upper(),
        path=path,
        text=text,
        parameters=[
            FieldRow(
                row["name"], _kind(row.get("schema", {})), bool(row.get("required")), str(row.get("description", ""))
            )
            for row in described.get("parameters", [])
        ],
        body=_fields(schema, body.get("schema", {})),
        status=status,
        answer=_fields(schema, given.get("schema", {})),
    )


def _fields(schema: Any, described: Any) -> list[FieldRow]:
    """The fields of an object; of a list those of its items."""
    found = _resolved(schema, described)
    if found.get("type") == "array":
        found = _resolved(schema, found.get("items", {}))
    required = set(found.get("required", ()))
    return [
        FieldRow(name, _kind(field), name in required, str(field.get("description", "")))
        for name, field in found.get("properties", {}).items()
    ]


def _resolved(schema: Any, described: Any) -> Any:
    name = str(described.get("$ref", "")).rpartition("/")[2]
    return schema["components"]["schemas"].get(name, {}) if name else described


def _kind(described: Any) -> str:
    if "$ref" in described:
        return str(described["$ref"]).rpartition("/")[2]
    if "enum" in described:
        return " | ".join(map(str, described["enum"]))
    if "anyOf" in described:
        return " or ".join(_kind(part) for part in described["anyOf"])
    if described.get("type") == "array":
        return f"list of {_kind(described.get('items', {}))}"
    return str(described.get("format") or described.get("type") or "any")
