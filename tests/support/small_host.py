"""The tools of this host with folders of a test's own, and one environment for models that need no package."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from environments.packages import PackageIndex, pip_wheel
from mop.environments import Environment
from mop.onboarding.stages import build_environment, check_folder
from mop.onboarding.workshop import Workshop, open_workshop
from mop.sandbox import SandboxLevel, probe_sandbox
from mop.serving.local_host import LocalServiceHost
from support.model_folders import write_model


def workshop_in(root: Path) -> Workshop:
    """The tools of this host with all their folders below `root`, a short path: sockets stand there."""
    shop = open_workshop()
    config = dataclasses.replace(shop.environments, root=root / "home" / "environments")
    if config.proxy_folder is not None:
        config = dataclasses.replace(config, proxy_folder=root / "indexes")
    return dataclasses.replace(
        shop,
        folder=root / "home" / "models",
        environments=config,
        network_folder=root / "hosts",
        host=LocalServiceHost(root / "services"),
    )


def with_environment(workshop: Workshop) -> tuple[Workshop, Environment]:
    """The workshop, and the environment of models of `write_model`, built from an index of the test's own."""
    index = PackageIndex()
    index.add(pip_wheel())
    try:
        config = dataclasses.replace(workshop.environments, index_url=index.url, index_retries=0)
        workshop = dataclasses.replace(workshop, environments=config)
        folder = write_model(workshop.folder / "any")
        model = asyncio.run(check_folder(folder, workshop=workshop, log=print))
        return workshop, asyncio.run(build_environment(model, workshop=workshop, log=print))
    finally:
        index.close()


def at_level(workshop: Workshop, level: int, root: Path) -> Workshop:
    """The workshop with its sandbox forced to a level.

    Raises:
        SandboxUnavailableError: this host can not give it.
    """
    sandbox = probe_sandbox(runtime_folder=root / f"level-{level}", forced=SandboxLevel(level))
    return dataclasses.replace(workshop, sandbox=sandbox)
