"""A caller reports an answer; it becomes a DSAT case of the released task with the request id as trace id."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from gateway.conftest import Caller, FixedModels, Serve, WordModel, all_slots
from mop.dsat.models import Case
from mop.gateway.live_models import Routing
from mop.releases.models import Service
from mop.releases.release_models import Release, ReleaseTask
from support.factories import make_model, make_task

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

ANALYZE = "/contentsafety/text:analyze?api-version=2023-10-01"
TEXT = "a hate unmistakable text"


@pytest.fixture
def release(service: Service) -> Release:
    task = make_task("hate in text", taxonomy="Hate", labels=["no", "yes"])
    revision = make_model(tasks=(task,)).revisions.get()
    made = Release.objects.create(
        service=service,
        revision=revision,
        model_name=revision.model.name,
        version=revision.version,
        requested_by=service.admins.get(),
        evidence_digest="0" * 64,
    )
    ReleaseTask.objects.create(release=made, taxonomy=task.taxonomy, task=task, modality="Text", customized_name="Hate")
    return made


def test_a_reported_answer_becomes_a_case_with_its_request_id_and_the_content_that_is_sent_again(
    serve: Serve, models: FixedModels, release: Release, caplog: pytest.LogCaptureFixture
):
    models.routing = Routing(all_slots(WordModel(release=release.pk)))

    def body(caller: Caller) -> tuple[str, Any]:
        head = {"Ocp-Apim-Subscription-Key": caller.key}
        answer = httpx.post(caller.endpoint + ANALYZE, json={"text": TEXT}, headers=head)
        request_id = answer.headers["x-ms-request-id"]

        def report(identifier: str = request_id, **changes: object) -> httpx.Response:
            url = f"{caller.endpoint}/contentsafety/answers/{identifier}:report?api-version=2023-10-01"
            sent = {"category": "Hate", "content": {"text": TEXT}, "kind": "falsePositive", "tags": ["irony"]}
            return httpx.post(url, json={**sent, **changes}, headers=head)

        # known at once, though records are written twice a second
        for changes, target in (
            ({"category": "Anger"}, "category"),
            ({"content": "text"}, "content"),
            ({"content": {"text": ""}}, "text"),
            ({"kind": ""}, "expectedLabel"),
            ({"kind": "", "expectedLabel": "maybe"}, "expectedLabel"),
            ({"kind": 3}, "kind"),
            ({"tags": "irony"}, "tags"),
        ):
            refused = report(**changes)
            assert (refused.status_code, refused.json()["error"]["target"]) == (400, target)
            assert "unmistakable" not in refused.text
        first, again = report(), report()
        assert (first.status_code, again.status_code) == (201, 201)
        [case] = caller.in_database(lambda: list(Case.objects.values_list("pk", flat=True)))
        assert first.json() == again.json() == {"caseId": case}
        assert report(str(uuid.uuid4())).status_code == report("no-id").status_code == 404
        return request_id, case

    request_id, pk = serve(body)
    case = Case.objects.get(pk=pk)
    assert (case.trace_id, case.service, case.kind, case.tags) == (
        request_id,
        "Content Safety",
        "falsePositive",
        ["irony"],
    )
    assert case.task.name == "hate in text"
    assert case.description.startswith("Hate severity 4 by words v1.")
    assert b"unmistakable" in bytes(case.content.body)
    assert "unmistakable" not in caplog.text
