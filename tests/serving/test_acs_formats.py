"""Requests of Azure AI Content Safety: through the model's own converters for it, and checked on the way out."""

from __future__ import annotations

import base64

import orjson
import pytest

from mop.errors import InvalidModelOutputError, InvalidRequestError, UserScriptException
from mop.serving.config import BatchPolicy
from mop.serving.http_client import request
from serving.conftest import MakeModel, StartService

CONVERTERS = """
def inference(self, item):
    return {"length": len(item["content"])}

def convert_acs_text_request_to_model_inference_input(self, req):
    return {"content": req.text}

def convert_model_inference_output_to_acs_text_response(self, out):
    from mop_utils.util import AcsTextResponse
    response = AcsTextResponse()
    response.hate.severity_level = min(out["length"], 7)
    response.hate.harmful_score = 0.5
    return response

def convert_acs_image_request_to_model_inference_input(self, req):
    assert isinstance(req.data, bytes)
    return {"content": req.data}

def convert_model_inference_output_to_acs_image_response(self, out):
    import numpy
    from mop_utils.util import AcsImageResponse
    response = AcsImageResponse()
    response.violence.severity_level = numpy.int64(out["length"])
    response.violence.harmful_score = numpy.float32(0.25)
    return response
"""
NOTHING = {"severity": 0, "score": 0.0}


@pytest.mark.parametrize("policy", [BatchPolicy(), BatchPolicy(enabled=False)])
async def test_a_text_and_an_image_go_through_the_models_converters(
    make_model: MakeModel, start: StartService, policy: BatchPolicy
):
    service = await start(make_model(CONVERTERS), batch=policy)
    assert await service.acs_findings({"text": "abc"}) == {
        "hate": {"severity": 3, "score": 0.5},
        "self_harm": NOTHING,
        "sexual": NOTHING,
        "violence": NOTHING,
    }
    image = base64.b64encode(b"four").decode()
    assert (await service.acs_findings({"image": image}))["violence"] == {"severity": 4, "score": 0.25}


async def test_a_batch_may_hold_every_format(make_model: MakeModel, start: StartService):
    service = await start(make_model(CONVERTERS))
    body = orjson.dumps([{"text": "a"}, {"text": "ab"}])
    answer = await request(service.address, "POST", "/score", body=body, headers={"x-mop-format": "acs-text"})
    assert [one["hate"]["severity"] for one in orjson.loads(answer.body)] == [1, 2]


@pytest.mark.parametrize("item", [{"image": "no base64!"}, {"text": 3}, {}, [], "text", {"text": None}])
async def test_what_is_no_request_is_the_callers_mistake(make_model: MakeModel, start: StartService, item: object):
    service = await start(make_model(CONVERTERS))
    form = "acs-image" if isinstance(item, dict) and "image" in item else "acs-text"
    answer = await request(service.address, "POST", "/score", body=orjson.dumps([item]), headers={"x-mop-format": form})
    assert (answer.status, orjson.loads(answer.body)["name"]) == (400, InvalidRequestError.__name__)


async def test_a_model_without_converters_says_which_are_missing(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    with pytest.raises(InvalidModelOutputError, match="convert_acs_text_request_to_model_inference_input") as caught:
        await service.acs_findings({"text": "a"})
    assert "Implement both AACS converters" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("level", "score", "seen"),
    [
        ("8", "0.5", "severity_level 8"),
        ("-1", "0.5", "severity_level -1"),
        ("2.0", "0.5", "severity_level 2.0"),
        ("True", "0.5", "severity_level True"),
        ("2", "1.5", "harmful_score 1.5"),
        ("2", "float('nan')", "harmful_score nan"),
        ("2", "'high'", "harmful_score 'high'"),
    ],
)
async def test_a_finding_out_of_range_is_the_models_fault(
    make_model: MakeModel, start: StartService, level: str, score: str, seen: str
):
    body = CONVERTERS.replace('min(out["length"], 7)', level).replace("= 0.5", f"= {score}")
    service = await start(make_model(body))
    with pytest.raises(InvalidModelOutputError, match="The result hate of convert_model_inference_output") as caught:
        await service.acs_findings({"text": "a"})
    assert seen in caught.value.message


@pytest.mark.parametrize(
    ("returned", "error"),
    [("None", InvalidModelOutputError), ("{}", InvalidModelOutputError), ("1 / 0", UserScriptException)],
)
async def test_an_answer_that_is_none_is_the_models_fault(
    make_model: MakeModel, start: StartService, returned: str, error: type[Exception]
):
    service = await start(make_model(CONVERTERS.replace("return response", f"return {returned}")))
    with pytest.raises(error):
        await service.acs_findings({"text": "a"})
