"""The route by which a downstream service reports a DSAT case with its own token."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from mop.accounts.references import named_in
from mop.accounts.schemas import InputSchema
from mop.catalog.models import Task
from mop.dsat.models import Case
from mop.dsat.selectors import reported_case
from mop.dsat.services import add_case
from mop.errors import NotFoundError
from mop.releases.models import Service
from mop.releases.release_models import ReleaseTask, ServiceScope
from mop.releases.release_states import ReleaseState
from mop.releases.requests.access import service_of, service_or_person

router = Router(tags=["releases"])
TAKEN = (ReleaseState.APPROVED, ReleaseState.RELEASED, ReleaseState.RETIRED)
IMAGES_MAX = 20


class CaseContent(InputSchema):
    """What was answered wrongly: `text`; or `image`; or `text` and `images`. Images are base64."""

    text: str | None = None
    image: str | None = None
    images: list[str] | None = Field(default=None, max_length=IMAGES_MAX)


class ServiceCaseIn(InputSchema):
    """A case that a service reports."""

    task: str = Field(description="one that a release to the service is, or was, for")
    content: CaseContent
    expected_label: str = Field(default="", description="may be left out where `kind` is given")
    kind: Literal["", "falsePositive", "falseNegative"] = ""
    predicted_label: str = Field(default="", description="what the service answered")
    trace_id: str = Field(
        default="", description="of the answer: one case for each task and trace id, sent twice or not"
    )
    description: str = ""
    tags: list[str] = Field(default=[], max_length=50)


class ServiceCaseOut(Schema):
    """The case, without its content."""

    number: int
    task: str
    state: str
    trace_id: str

    @classmethod
    def of(cls, case: Case) -> ServiceCaseOut:
        """What a service is told of its case."""
        return cls(number=case.pk, task=case.task.name, state=case.state, trace_id=case.trace_id)


@router.post(
    "/services/{service}/cases",
    response={200: ServiceCaseOut, 202: ServiceCaseOut},
    auth=service_or_person(ServiceScope.REPORT_CASES),
)
def report_case(request: HttpRequest, service: str, body: ServiceCaseIn) -> Status[ServiceCaseOut]:
    """Report a wrong answer as a DSAT case, with a token of the service.

    The answer is 202, or 200 where the service reported the same trace id for this task before: nothing is made twice.
    """
    caller = service_of(request, service)
    task = _task(caller.service, body.task)
    if body.trace_id:
        known = reported_case(service=service, task=task, trace_id=body.trace_id)
        if known is not None:
            return Status(200, ServiceCaseOut.of(known))
    case = add_case(
        task=task,
        content=_given(body.content),
        actor=caller.actor,
        reported_by_service=caller.service.name,
        expected_label=body.expected_label,
        kind=body.kind,
        predicted_label=body.predicted_label,
        trace_id=body.trace_id,
        description=body.description,
        tags=body.tags,
    )
    return Status(202, ServiceCaseOut.of(case))


def _given(content: CaseContent) -> dict[str, Any]:
    return content.model_dump(exclude_none=True)


def _task(service: Service, name: str) -> Task:
    """A task that the service takes or took; of others it learns nothing.

    Raises:
        ValidationFailedError: it is none of them.
    """
    found = ReleaseTask.objects.filter(release__service=service, release__state__in=TAKEN, task__name=name)
    row = found.select_related("task__taxonomy").first()
    with named_in("task"):
        if row is None:
            raise NotFoundError(f"No release to {service.name} is, or was, for a task {name!r}.")
    return row.task
