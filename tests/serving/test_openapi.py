"""The service's description of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from mop.serving.http_client import request
from mop.serving.local_service import LocalService
from mop.serving_options import ServerMode
from serving.conftest import MakeModel, StartService

SAMPLE = {"text": "the owner's sample"}


async def described(service: LocalService) -> dict[str, Any]:
    answer = await request(service.address, "GET", "/openapi.json")
    assert answer.status == 200
    document: dict[str, Any] = json.loads(answer.body)
    return document


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.mark.parametrize("server", ServerMode)
async def test_a_service_describes_every_route_and_what_it_answers(
    make_model: MakeModel, start: StartService, server: ServerMode
):
    service = await start(make_model(), server=server, sample=SAMPLE)
    document = await described(service)
    assert set(document["paths"]) == {"/score", "/health", "/ready", "/metrics", "/openapi.json"}
    for path in document["paths"]:
        get = await request(service.address, "GET", path)
        assert (get.status == 405) == ("post" in document["paths"][path])
    score = document["paths"]["/score"]["post"]
    examples = score["requestBody"]["content"]["application/json"]["examples"]
    output = validator(document, score["responses"]["200"]["content"]["application/json"]["schema"])
    mop_output = validator(document, {"$ref": "#/components/schemas/MopOutput"})
    forms = {"sample": "model", "text": "mop"}
    assert forms.keys() < examples.keys()
    for name, form in forms.items():
        sent = json.dumps(examples[name]["value"]).encode()
        answer = await request(service.address, "POST", "/score", body=sent, headers={"x-mop-format": form})
        assert answer.status == 200
        assert output.is_valid(json.loads(answer.body))
        assert mop_output.is_valid(json.loads(answer.body)) == (form == "mop")
    assert examples["sample"]["value"] == SAMPLE
    mop_input = validator(document, {"$ref": "#/components/schemas/MopInput"})
    assert all(mop_input.is_valid(examples[name]["value"]) for name in ("text", "image", "image_and_text"))


async def test_errors_are_described(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference(self, item): raise ValueError(item)"), max_request_bytes=100)
    document = await described(service)
    responses = document["paths"]["/score"]["post"]["responses"]
    for body, status in ((b"{", 400), (b"1", 500), (b'"' + b"x" * 200 + b'"', 413)):
        answer = await request(service.address, "POST", "/score", body=body)
        assert answer.status == status
        content = responses[str(status)]["content"]["application/problem+json"]
        assert validator(document, content["schema"]).is_valid(json.loads(answer.body))


async def test_a_sample_that_is_a_list_is_shown_as_one_item(make_model: MakeModel, start: StartService):
    service = await start(make_model(), sample=[1, 2])
    document = await described(service)
    examples = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    answer = await request(service.address, "POST", "/score", body=json.dumps(examples["sample"]["value"]).encode())
    assert json.loads(answer.body) == [{"echo": [1, 2]}]


@pytest.mark.parametrize("sample", [None, "x" * 70_000])
async def test_no_sample_and_one_that_is_large_are_not_shown(
    make_model: MakeModel, start: StartService, sample: str | None
):
    service = await start(make_model(), sample=sample, ready=False)
    document = await described(service)
    content = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    assert "sample" not in content["examples"]
