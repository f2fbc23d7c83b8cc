"""From the digest of an artifact to what can be started: unpacked, checked, its environment built.

Each part is found by its content: what stands on this host is used again, what is missing is made, also when another
host takes the work over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mop.environments import Environment, ensure_environment, environment_in_use
from mop.hosting.structure import ModelFolder, check_structure
from mop.hosting.tools import HostTools
from mop.storage import folder_in_use, unpack

Log = Callable[[str], None]


@dataclass(frozen=True)
class PreparedModel:
    """What a service is started from.

    Attributes:
        folder: the unpacked artifact.
        parts: of that folder.
        environment: built for it.
    """

    folder: Path
    parts: ModelFolder
    environment: Environment


async def unpack_artifact(digest: str, *, tools: HostTools, log: Log) -> Path:
    """The folder of an artifact, as it was snapshot.

    Raises:
        ArtifactDamagedError: the artifact store does not hold it whole.
    """
    folder = tools.folder / digest
    await unpack(digest, tools.artifacts, folder, log=log)
    return folder


async def check_folder(folder: Path, *, tools: HostTools, log: Log) -> ModelFolder:
    """The parts of an unpacked model folder.

    Raises:
        ModelStructureError: the folder breaks a rule of its structure.
    """
    model = await asyncio.to_thread(check_structure, folder, wheel_bytes_max=tools.environments.wheel_bytes_max)
    for warning in model.warnings:
        log(f"warning: {warning}")
    return model


async def build_environment(model: ModelFolder, *, tools: HostTools, log: Log) -> Environment:
    """Make the environment of a model folder.

    Raises:
        SettingsFileError, RequirementsFileError, EnvironmentBuildError: by `ensure_environment`.
        OutsideFault: a cause outside the model.
    """
    return await ensure_environment(
        model.src,
        model.private_packages,
        config=tools.environments,
        cage=tools.cage,
        prepare_writable=tools.prepare_writable,
        log=log,
    )


async def prepare(digest: str, *, tools: HostTools, log: Log) -> PreparedModel:
    """All three at once, of an artifact that was unpacked, checked and built before.

    Raises:
        MopError: by `unpack_artifact`, `check_folder` and `build_environment`.
    """
    folder = await unpack_artifact(digest, tools=tools, log=log)
    parts = await check_folder(folder, tools=tools, log=log)
    return PreparedModel(folder, parts, await build_environment(parts, tools=tools, log=log))


@contextlib.contextmanager
def in_use(model: PreparedModel) -> Iterator[None]:
    """Garbage collection leaves the unpacked folder and the environment alone while the block runs."""
    with folder_in_use(model.folder), environment_in_use(model.environment):
        yield
