"""`mop run` with 32 clients at once: every request is answered, what is in flight is bounded, the rest gets 429."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from mop.serving.http_client import request

MOP = Path(sys.executable).with_name("mop")
NEAR_ZERO = Path(__file__).parents[2] / "samples" / "variants" / "base-class-and-leaf"
CLIENTS, REQUESTS = 32, 100
QUEUE = 256  # of one worker
CROWD = 700

SLOW = """
import time
from mop_utils.base_model_wrapper import BaseModelWrapper


class Slow(BaseModelWrapper):
    def init(self, model_root):
        pass

    def inference(self, item):
        return self.inference_batch([item])[0]

    def inference_batch(self, items):
        time.sleep(0.2)
        return items

    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        return output
"""

pytestmark = [pytest.mark.sandbox, pytest.mark.index, pytest.mark.timeout(180), pytest.mark.second_tier]


@contextlib.asynccontextmanager
async def running(folder: Path, socket: Path) -> AsyncIterator[str]:
    """`mop run` of the folder; gives its address."""
    process = await asyncio.create_subprocess_exec(
        MOP,
        *("run", folder, "--uds", socket),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "mop.conf.settings"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert str(socket) in line
        yield f"unix:{socket}"
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


async def test_32_clients_of_a_near_zero_model_see_no_error(tmp_path: Path) -> None:
    body = orjson.dumps({"text": "a kind word"})
    async with running(NEAR_ZERO, tmp_path / "s") as address:

        async def client() -> Counter[int]:
            seen: Counter[int] = Counter()
            for _ in range(REQUESTS):
                seen[(await request(address, "POST", "/score", body=body, headers={"x-mop-format": "mop"})).status] += 1
            return seen

        answers = sum(await asyncio.gather(*(client() for _ in range(CLIENTS))), Counter())
    assert answers == {200: CLIENTS * REQUESTS}


async def test_over_the_queue_callers_are_sent_away_and_the_rest_are_answered(tmp_path: Path) -> None:
    folder = tmp_path / "slow"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "weights").write_text("0")
    (folder / "src").mkdir()
    for name in ("settings.yml", "requirements.txt"):
        (folder / "src" / name).write_bytes((NEAR_ZERO / "src" / name).read_bytes())
    (folder / "src" / "inference.py").write_text(SLOW)
    async with running(folder, tmp_path / "s") as address:
        crowd = [request(address, "POST", "/score", body=b'{"text": "x"}') for _ in range(CROWD)]
        responses = await asyncio.gather(*crowd)
        metrics = (await request(address, "GET", "/metrics")).body.decode()
    answers = Counter(response.status for response in responses)
    assert set(answers) == {200, 429}
    assert answers[200] >= QUEUE
    assert answers[429] > 0
    assert all(b"QueueFullError" in response.body for response in responses if response.status == 429)
    assert re.search(rf'requests_total\{{code="429"\}} {answers[429]}\b', metrics)
