"""An answer that a caller reports as wrong becomes a DSAT case of the released task, with the request id as trace id.

The gateway kept nothing of the content, so the caller sends it again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mop.audit.services import Actor
from mop.catalog.models import Task
from mop.dsat.selectors import reported_case
from mop.dsat.services import add_case
from mop.errors import ValidationFailedError
from mop.gateway.categories import BY_NAME
from mop.gateway.models import Answer
from mop.gateway.wire_errors import invalid, not_found
from mop.releases.models import Service
from mop.releases.release_models import ReleaseTask

FIELDS = frozenset({"category", "content", "expectedLabel", "kind", "description", "tags"})
_WIRE_NAMES = {"expected_label": "expectedLabel", "is_restricted": "isRestricted"}


def report_answer(*, actor: Actor, service: Service, request_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Make the case; of an answer that was reported for the same task before, give the first one.

    Args:
        actor: the caller.
        service: whose answer it was.
        request_id: of the answer.
        data: `{"category", "content": {"text"} or {"image": base64}, "expectedLabel" or "kind", "description"?,
            "tags"?}`.

    Returns:
        `{"caseId": number}`.

    Raises:
        WireError: there is no record of the answer, or a field is not valid.
    """
    answer = _answer(service, request_id)
    category = data.get("category")
    if not isinstance(category, str) or category not in answer.findings:
        answered = ", ".join(answer.findings) or "none"
        raise invalid(f"category is one that was answered: {answered}.", "category")
    content, tags = data.get("content"), data.get("tags") or []
    if not isinstance(content, dict):
        raise invalid('content is what was analyzed: {"text": ...} or {"image": base64}.', "content")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise invalid("tags is a list of texts.", "tags")
    found = answer.findings[category]
    task = _task(found["release"], category, answer.kind)
    known = reported_case(service=service.name, task=task, trace_id=str(answer.request_id))
    if known is not None:  # callers send again what they got no answer to
        return {"caseId": known.pk}
    try:
        case = add_case(
            task=task,
            content=content,
            actor=actor,
            reported_by_service=service.name,
            expected_label=_text(data, "expectedLabel"),
            kind=_text(data, "kind"),
            trace_id=str(answer.request_id),
            description=f"{category} severity {found['severity']} by {found['version']}. {_text(data, 'description')}",
            tags=tags,
        )
    except ValidationFailedError as error:
        field = next(iter(error.fields), "")
        raise invalid(error.message, _WIRE_NAMES.get(field, field)) from None
    return {"caseId": case.pk}


def _answer(service: Service, request_id: str) -> Answer:
    try:
        found = Answer.objects.filter(service=service, request_id=uuid.UUID(request_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise not_found("There is no record of an answer with this id; records are kept for some days.")
    return found


def _task(release: int, category: str, modality: str) -> Task:
    taxonomy = BY_NAME[category].taxonomy
    wanted = ReleaseTask.objects.filter(release=release, taxonomy__name=taxonomy, modality=modality)
    return wanted.select_related("task").get().task


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise invalid(f"{name} is a text.", name)
    return value
