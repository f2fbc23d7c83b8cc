"""What the front of a service is told: above all, the command that starts a model process in the cage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mop.environments import Environment
from mop.hosting.allowed_network import AllowedNetwork
from mop.hosting.configuration import Configuration, limits_of
from mop.hosting.structure import ModelFolder
from mop.hosting.tools import HostTools
from mop.sandbox import Job, Mount, python_mounts
from mop.serving.config import MODEL_CAUSES, MODEL_PROCESS, ServiceConfig, model_process_argv
from mop.serving.disclosure import Disclosure

QUEUE_PER_WORKER = 256
LEASE_SECONDS = 60.0
_INSIDE = "/mop"


def service_config(
    name: str,
    *,
    model: ModelFolder,
    environment: Environment,
    configuration: Configuration,
    tools: HostTools,
    network: AllowedNetwork | None = None,
    uds: Path | None = None,
    port: int | None = None,
    disclosure: Disclosure = Disclosure.FULL,
    sample: Any = None,
) -> ServiceConfig:
    """The caged command of a model process, batching, deadlines, bounds.

    Raises:
        HostLostError: this host lacks the GPUs of the configuration.
    """
    workers = configuration.workers
    return ServiceConfig(
        command=tuple(_command(model, environment, configuration, tools, network)),
        name=name,
        server=configuration.server,
        workers=workers,
        threads=configuration.threads,
        batch=configuration.batch,
        uds=uds,
        port=port,
        init_deadline_s=tools.init_deadline_s,
        request_deadline_s=tools.request_deadline_s,
        queue_limit=QUEUE_PER_WORKER * workers,
        lease_ttl_s=LEASE_SECONDS,
        reads_from=model.model,
        disclosure=disclosure,
        sample=sample,
    )


def _command(
    model: ModelFolder,
    environment: Environment,
    configuration: Configuration,
    tools: HostTools,
    network: AllowedNetwork | None,
) -> list[str]:
    script, src, root = (
        (f"{_INSIDE}/model_process.py", f"{_INSIDE}/src", f"{_INSIDE}/model")
        if tools.sandbox.moves_mounts
        else (str(MODEL_PROCESS), str(model.src), str(model.model))
    )
    argv = model_process_argv(
        environment.python,
        script=script,
        src=src,
        model=root,
        threads=configuration.threads,
        batch=configuration.batch.enabled,
    )
    job = Job(
        argv=network.forwarded(environment.python, argv) if network else tuple(argv),
        mounts=(
            *python_mounts(environment.interpreter),
            Mount(environment.path, str(environment.path)),
            Mount(MODEL_PROCESS, script),
            Mount(MODEL_CAUSES, script.replace(MODEL_PROCESS.name, MODEL_CAUSES.name)),
            Mount(model.src, src),
            Mount(model.model, root),
            *(network.mounts if network else ()),
        ),
        env={"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", **(network.environment if network else {})},
        cwd=src,
        limits=limits_of(configuration, workers=configuration.workers),
        gpus=configuration.gpus,
        label="model",
    )
    return tools.sandbox.command(job)
