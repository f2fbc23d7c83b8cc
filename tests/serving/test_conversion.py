"""The model's own converter, asked alone: what a load test sends is made by it, in its process, once."""

from __future__ import annotations

import os

import orjson
import pytest

from mop.errors import UserScriptException
from mop.loadtest.payloads import payload_for
from mop.loadtest.sending import endpoint_of
from mop.serving.config import BatchPolicy
from serving.conftest import MakeModel, StartService

CONVERTER = """
def convert_mop_input_to_model_input(self, mop_input):
    return {returned}
def inference(self, item):
    raise RuntimeError("nothing is inferred")
"""


def converter(returned: str) -> str:
    return CONVERTER.format(returned=returned)


@pytest.mark.parametrize("policy", [BatchPolicy(), BatchPolicy(enabled=False)])
async def test_a_converted_input_is_what_the_model_gets_and_nothing_is_inferred(
    make_model: MakeModel, start: StartService, policy: BatchPolicy
):
    body = converter("{'words': mop_input.text.split(), 'n': 2.5, 'none': None}")
    service = await start(make_model(body), batch=policy)
    converted = await service.model_input({"text": "you are kind"})
    assert converted.body is not None
    assert orjson.loads(converted.body) == {"words": ["you", "are", "kind"], "n": 2.5, "none": None}


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("(mop_input.text, 1)", "JSON changes it"),
        ("{1: mop_input.text}", "JSON changes it"),
        ("mop_input", "not JSON serializable"),
        ("float('nan')", "not JSON compliant"),
        ("'x' * 9_000_000", "the limit is"),
        ("type('Words', (list,), {})([1])", "JSON changes it"),
    ],
)
async def test_what_would_not_be_the_same_as_json_stays_in_mop_format_and_says_why(
    make_model: MakeModel, start: StartService, returned: str, reason: str
):
    service = await start(make_model(converter(returned)))
    converted = await service.model_input({"text": "a"})
    assert converted.body is None
    assert reason in converted.not_json
    endpoint, sent = await endpoint_of(service, "Text")
    assert (sent.form, sent.not_json) == ("mop", converted.not_json)
    assert orjson.loads(endpoint.payload) == payload_for("Text").item
    assert endpoint.headers == (("x-mop-format", "mop"),)


async def test_a_converter_that_raises_is_the_models_fault(make_model: MakeModel, start: StartService):
    service = await start(make_model(converter("1 / 0")))
    with pytest.raises(UserScriptException, match="ZeroDivisionError"):
        await service.model_input({"text": "a"})


@pytest.mark.parametrize(("returned", "body"), [("{'t': 1}", b'{"t":1}'), ("[1, 2]", b"[[1,2]]")])
async def test_a_load_test_sends_one_item_in_the_models_format(
    make_model: MakeModel, start: StartService, returned: str, body: bytes
):
    service = await start(make_model(converter(returned)))
    endpoint, sent = await endpoint_of(service, "Text")
    assert (sent.form, endpoint.payload, endpoint.uds) == ("model", body, service.address.removeprefix("unix:"))


async def test_usage_counts_what_the_model_computes_and_holds_and_not_the_front(
    make_model: MakeModel, start: StartService
):
    body = """
    def inference(self, item):
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        self.held = bytearray(64 << 20)
        return item
    """
    service = await start(make_model(body))
    before = service.usage()
    await service.score({"text": "a"}, mop=False)
    after = service.usage()
    assert before.cpu_s is not None
    assert after.cpu_s is not None
    assert after.cpu_s - before.cpu_s >= 0.25
    assert before.memory_bytes is not None
    assert after.memory_bytes is not None
    assert after.memory_bytes - before.memory_bytes >= 60 << 20
    assert (after.gpu, after.gpu_memory) == (None, None)


async def test_a_service_tells_which_cpus_of_the_host_its_model_may_use(make_model: MakeModel, start: StartService):
    first = min(os.sched_getaffinity(0))
    body = f"""
    def init(self, model_root):
        os.sched_setaffinity(0, {{{first}}})
    """
    service = await start(make_model(body))
    assert service.host_cpus() == {first}
