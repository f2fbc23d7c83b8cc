"""The clients of benchmarks/serving.py count what they should, so that its figures mean something."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from serving.conftest import MakeModel, StartService
from serving.probes import metric

CLOSED_LOOP = Path(__file__).parents[2] / "benchmarks" / "closed_loop.py"


async def run(address: str, default: Path, **order: float | str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, CLOSED_LOOP, default, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps({"address": address, **order}).encode())
    answer: dict[str, Any] = json.loads(output)
    return answer


async def test_every_answer_is_counted_and_only_errors_as_such(
    make_model: MakeModel, start: StartService, tmp_path: Path
):
    service = await start(make_model("def inference(self, item): return item['n'] / item['n']"), port=0)
    bodies = tmp_path / "bodies"
    bodies.write_text('{"n": 1}\n{"n": 2}')
    found = await run(service.address, bodies, clients=3, seconds=0.5, warm=0)
    answered = await metric(service, 'requests_total{code="200"}')
    assert found["errors"] == 0
    assert answered - 3 <= found["rps"] * 0.5 <= answered
    assert 0 < found["p50"] <= found["p99"]
    bodies.write_text('{"n": 0}')
    found = await run(service.address, bodies, clients=3, seconds=0.2, warm=0)
    assert found["errors"] == await metric(service, 'requests_total{code="500"}') > 0


async def test_an_order_may_name_another_path_and_other_bodies(
    make_model: MakeModel, start: StartService, tmp_path: Path
):
    service = await start(make_model("def inference(self, item): return 1 / item['n']"), port=0)
    bodies, others = tmp_path / "bodies", tmp_path / "others"
    bodies.write_text('{"n": 0}')
    others.write_text('{"n": 1}')
    found = await run(service.address, bodies, clients=2, seconds=0.2, warm=0, bodies=str(others))
    assert found["errors"] == 0 < found["rps"]
    found = await run(service.address, bodies, clients=2, seconds=0.2, warm=0, bodies=str(others), path="/nowhere")
    assert found["errors"] > 0


async def test_a_service_that_is_gone_is_an_error_for_each_client(
    make_model: MakeModel, start: StartService, tmp_path: Path
):
    service = await start(make_model())
    await service.stop()
    bodies = tmp_path / "bodies"
    bodies.write_text("{}")
    found = await run(service.address, bodies, clients=3, seconds=0.2, warm=0)
    assert (found["errors"], found["rps"]) == (3, 0)
