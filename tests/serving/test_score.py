from __future__ import annotations

from serving.conftest import MakeModel, StartService


async def test_an_item_and_a_list_are_answered_in_model_format(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    assert await service.score({"text": "a"}, mop=False) == {"echo": {"text": "a"}}
    assert await service.score([{"n": 1}, {"n": 2}], mop=False) == [{"echo": {"n": 1}}, {"echo": {"n": 2}}]


async def test_mop_format_goes_through_the_models_converters(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    output = await service.score({"text": "a"}, mop=True)
    assert output["predicted_labels"] == {"hate": {"no": 0, "yes": 1}}
