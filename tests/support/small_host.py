"""The tools of this host with folders of a test's own, and one environment for models that need no package."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from environments.packages import PackageIndex, pip_wheel
from mop.environments import Environment
from mop.hosting.preparation import build_environment, check_folder
from mop.hosting.tools import HostTools, open_host_tools
from mop.sandbox import SandboxLevel, probe_sandbox
from mop.serving.local_host import LocalServiceHost
from support.model_folders import write_model


def tools_in(root: Path) -> HostTools:
    """The tools of this host with all their folders below `root`, a short path: sockets stand there."""
    tools = open_host_tools()
    config = dataclasses.replace(tools.environments, root=root / "home" / "environments")
    if config.proxy_folder is not None:
        config = dataclasses.replace(config, proxy_folder=root / "indexes")
    return dataclasses.replace(
        tools,
        folder=root / "home" / "models",
        environments=config,
        network_folder=root / "hosts",
        host=LocalServiceHost(root / "services"),
    )


def with_environment(tools: HostTools) -> tuple[HostTools, Environment]:
    """The tools, and the environment of models of `write_model`, built from an index of the test's own."""
    index = PackageIndex()
    index.add(pip_wheel())
    try:
        config = dataclasses.replace(tools.environments, index_url=index.url, index_retries=0)
        tools = dataclasses.replace(tools, environments=config)
        folder = write_model(tools.folder / "any")
        model = asyncio.run(check_folder(folder, tools=tools, log=print))
        return tools, asyncio.run(build_environment(model, tools=tools, log=print))
    finally:
        index.close()


def at_level(tools: HostTools, level: int, root: Path) -> HostTools:
    """The tools with its sandbox forced to a level.

    Raises:
        SandboxUnavailableError: this host cannot give it.
    """
    sandbox = probe_sandbox(runtime_folder=root / f"level-{level}", forced=SandboxLevel(level))
    return dataclasses.replace(tools, sandbox=sandbox)
