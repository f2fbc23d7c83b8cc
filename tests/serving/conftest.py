from __future__ import annotations

import shutil
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mop.serving.config import BatchPolicy, ServiceConfig, model_process_argv
from mop.serving.local_host import LocalServiceHost
from mop.serving.local_service import LocalService
from mop.serving.service import ServiceRequest
from serving.gate import Gate

HEADER = """
import itertools, os, sys, time, threading
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput

class Complete(BaseModelWrapper):
    def init(self, model_root):
        self.model_root = model_root
    def inference(self, item):
        return {"echo": item}
    def inference_batch(self, items):
        return [self.inference(item) for item in items]
    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}
    def convert_model_output_to_mop_output(self, output):
        return MopInferenceOutput({
            "predicted_labels": {"hate": {"no": 0, "yes": 1}},
            "confidence_scores": {"hate": {"no": 0.25, "yes": 0.75}},
        })
"""

MakeModel = Callable[..., Path]
StartService = Callable[..., Awaitable[LocalService]]
MakeGate = Callable[[Path], Gate]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Writes a model folder whose wrapper is the given class body on top of an echo model."""

    def make(body: str = "pass", *, whole: str | None = None, files: dict[str, str] | None = None) -> Path:
        folder = tmp_path / "m"
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "model").mkdir(exist_ok=True)
        (folder / "model" / "weights.txt").write_text("weights")
        wrapper = f"{HEADER}\nclass Wrapper(Complete):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        (folder / "src" / "inference.py").write_text(wrapper if whole is None else textwrap.dedent(whole))
        for name, text in (files or {}).items():
            (folder / "src" / name).write_text(textwrap.dedent(text))
        return folder

    return make


@pytest.fixture
def runtime_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mop-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def host(runtime_folder: Path) -> LocalServiceHost:
    return LocalServiceHost(runtime_folder, cpus=8, memory_bytes=8 << 30)


def service_config(folder: Path, **changes: object) -> ServiceConfig:
    threads = int(str(changes.get("threads", 8)))
    batch = changes.get("batch", BatchPolicy())
    assert isinstance(batch, BatchPolicy)
    argv = model_process_argv(
        sys.executable, src=folder / "src", model=folder / "model", threads=threads, batch=batch.enabled
    )
    return replace(ServiceConfig(command=tuple(argv), init_deadline_s=30, request_deadline_s=20), **changes)  # type: ignore[arg-type]


@pytest.fixture
async def start(host: LocalServiceHost) -> AsyncIterator[StartService]:
    """Starts services that end with the test."""
    services: list[LocalService] = []

    async def start_service(folder: Path, *, ready: bool = True, **changes: object) -> LocalService:
        request = ServiceRequest("model", "test", 1, 1 << 20)
        service = await host.start(await host.reserve(request), service_config(folder, **changes))
        services.append(service)
        if ready:
            await service.wait_ready(30)
        return service

    yield start_service
    for service in services:
        await service.stop()


@pytest.fixture
async def make_gate() -> AsyncIterator[MakeGate]:
    """Puts a gate into a model folder."""
    gates: list[Gate] = []

    def make(folder: Path) -> Gate:
        gates.append(Gate(folder))
        return gates[-1]

    yield make
    for gate in gates:
        gate.close()
