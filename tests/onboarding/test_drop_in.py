"""What was written for a public mop-utils 2.x runs unchanged with ours, and answers the same byte for byte."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from pathlib import Path

import pytest

from mop.hosting.preparation import build_environment, check_folder
from mop.hosting.tools import HostTools
from mop.onboarding.contract import TaskInput, prove_contract
from mop.onboarding.probes import probes_for
from mop.onboarding.verification import serve_folder
from mop.serving.http_client import request

from .conftest import SAMPLES, Recorder

MODELS = SAMPLES / "drop-in"
CALLS = Path(__file__).with_name("drop_in_calls.py")
OURS = "mop-utils>=3.0"
SETTINGS = 'env:\n  python: "3.11"\n  pip: "24.3.1"\n'
HATE = TaskInput("Hate", "bad words", "Text", "Categorical", ("no", "yes"))
TASKS = {
    "text": HATE,
    "image": TaskInput("Violence", "bad words", "Image", "Categorical", ("no", "yes")),
    "image-and-text": TaskInput("Violence", "level", "ImageAndText", "Ordinal", ("low", "medium", "high")),
    "content-safety": HATE,
    "wrong-types": HATE,
}
# The first and the last of them in every run; the environments of the others take as long again.
RELEASES = [
    "2.0",
    pytest.param("2.1", marks=pytest.mark.slow),
    pytest.param("2.4", marks=pytest.mark.slow),
    "2.6",
]

# one xdist worker builds the environments that all tests of this file share
pytestmark = [pytest.mark.sandbox, pytest.mark.index, pytest.mark.xdist_group("gallery"), pytest.mark.timeout(600)]


def folder_of(name: str, requirement: str, target: Path) -> Path:
    """The model with what it requires and nothing else."""
    shutil.copytree(MODELS / name, target)
    (target / "src" / "requirements.txt").write_text(f"{requirement}\n", encoding="utf-8")
    (target / "src" / "settings.yml").write_text(SETTINGS, encoding="utf-8")
    return target


async def answers(folder: Path, task: TaskInput, tools: HostTools) -> list[bytes]:
    """The bytes of the answers to MOP's own inputs, through environment, cage, service and contract."""
    items = [probe.item for probe in probes_for(task.modality)]
    found = []
    async with serve_folder(folder, tools=tools, listener=Recorder()) as service:
        assert await prove_contract(service, tasks=[task], log=lambda _: None) == ()
        for payload, form in itertools.product([items, *items], ["mop", "model"]):
            body = json.dumps(payload).encode()
            response = await request(service.address, "POST", "/score", body=body, headers={"x-mop-format": form})
            assert response.status == 200, response.body
            found.append(response.body)
    return found


@pytest.fixture(scope="session")
def our_answers() -> dict[str, list[bytes]]:
    """What our mop-utils answered, by model; they are asked once."""
    return {}


@pytest.mark.parametrize("name", sorted(TASKS))
@pytest.mark.parametrize("release", RELEASES)
async def test_a_model_written_for_2x_answers_the_same_with_ours(
    release: str, name: str, host_tools: HostTools, our_answers: dict[str, list[bytes]], tmp_path: Path
) -> None:
    if name not in our_answers:
        our_answers[name] = await answers(folder_of(name, OURS, tmp_path / "ours"), TASKS[name], host_tools)
    folder = folder_of(name, f"mop-utils=={release}", tmp_path / "theirs")
    assert await answers(folder, TASKS[name], host_tools) == our_answers[name]
    assert len(our_answers[name]) >= 6


@pytest.mark.parametrize("release", RELEASES)
async def test_every_call_gives_what_it_gave(release: str, host_tools: HostTools, tmp_path: Path) -> None:
    theirs = await calls(f"mop-utils=={release}", host_tools, tmp_path / "theirs")
    ours = await calls(OURS, host_tools, tmp_path / "ours")
    assert theirs.keys() == ours.keys()
    assert len(ours) > 2000
    differ = {name: (theirs[name], ours[name]) for name in ours if theirs[name] != ours[name]}
    # where 2.x stumbles over a wrong type, ours says so
    assert set(differ.values()) == {("AttributeError", "TypeError")}
    assert len(differ) < len(ours) / 10


async def calls(requirement: str, tools: HostTools, folder: Path) -> dict[str, str]:
    """What drop_in_calls.py prints in the environment of that requirement."""
    folder_of("text", requirement, folder)
    model = await check_folder(folder, tools=tools, log=lambda _: None)
    environment = await build_environment(model, tools=tools, log=lambda _: None)
    process = await asyncio.create_subprocess_exec(
        environment.python,
        "-B",
        str(CALLS),
        str(folder / "model"),
        cwd=folder / "src",
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return dict(json.loads(printed))
