"""A service while a block runs: `revision_service` for workers, `fresh_service` for hidden data, `model_service` below.

prepare ─► scan if rebuilt ─► room ─► network ─► signature, fence ─► front in its lease ─► ready ─► your block
revision_service │             model_service                                           │
└──────────── everything is ended and given back, whatever happens ◄──┘
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from mop.engine.database import in_database
from mop.engine.fence import hold_fence
from mop.errors import SandboxUnavailableError
from mop.hosting.allowed_network import allowed_network
from mop.hosting.command import service_config
from mop.hosting.configuration import describe_grant, granted
from mop.hosting.jobs import RevisionJob, ServiceSpec
from mop.hosting.preparation import Log, PreparedModel, in_use, prepare
from mop.hosting.running import held, reserve, running_service, wait_ready
from mop.hosting.scan_gate import rescan_if_rebuilt
from mop.hosting.signing import check_signature
from mop.hosting.this_host import host_tools
from mop.hosting.tools import HostTools
from mop.sandbox import Granted
from mop.serving.disclosure import Disclosure
from mop.serving.service import Service


@dataclass(frozen=True)
class HostedService:
    """A service that is ready, and what this host gives it."""

    service: Service
    given: Granted


class ServiceObserver:
    """Follows a service on its way up. Each step waits for it, and what it raises ends the way.

    This one ignores everything; override what you need.
    """

    def waits_for_room(self, line: str) -> None:
        """Other services hold the room on this host: who, and how much is free."""

    async def endpoint_creating(self) -> None:
        """The model is prepared; room is sought."""

    async def endpoint_created(self, given: Granted, description: str) -> None:
        """Room, lease, network and limits are held, and the artifact's signature holds."""

    async def deployment_creating(self) -> None:
        """The service starts."""

    async def deployment_created(self, seconds: float) -> None:
        """It is ready, so many seconds after its start."""


async def _nothing() -> None:
    pass


@contextlib.asynccontextmanager
async def model_service(
    spec: ServiceSpec,
    model: PreparedModel,
    *,
    tools: HostTools,
    log: Log,
    observer: ServiceObserver | None = None,
    before_start: Callable[[], Awaitable[None]] = _nothing,
) -> AsyncIterator[HostedService]:
    """A ready service of a prepared model; needs no database.

    Args:
        spec: of the service.
        model: what it is started from.
        tools: of this host.
        log: takes one line, of MOP or of the model.
        observer: follows it on its way up.
        before_start: the last look, when everything is held and before anything of the model runs.

    Raises:
        HostLostError: no room for half an hour, or the service could not be started here.
        SandboxUnavailableError: this host's cage is too weak for what `spec` asks.
        ModelFault: why the model will never be ready.
    """
    _require_cage(spec, tools)
    observer = observer or ServiceObserver()
    configuration = spec.configuration

    def wait(line: str) -> None:
        log(line)
        observer.waits_for_room(line)

    with in_use(model):
        await observer.endpoint_creating()
        given = granted(configuration, tools)
        reservation = await reserve(spec.name, owner=spec.owner, configuration=configuration, tools=tools, log=wait)
        description = describe_grant(given, configuration)
        log(description)
        async with (
            held(reservation, tools),
            allowed_network(spec.allowed_hosts, tools=tools, log=log) as network,
        ):
            config = service_config(
                spec.name,
                model=model.parts,
                environment=model.environment,
                configuration=configuration,
                tools=tools,
                network=network,
                uds=spec.uds,
                port=spec.port,
                disclosure=spec.disclosure,
                sample=spec.sample,
            )
            await before_start()
            await observer.endpoint_created(given, description)
            await observer.deployment_creating()
            began = time.monotonic()
            async with running_service(reservation, config, tools=tools, log=log) as service:
                await wait_ready(service, tools)
                await observer.deployment_created(time.monotonic() - began)
                yield HostedService(service, given)


@contextlib.asynccontextmanager
async def revision_service(
    job: RevisionJob, *, log: Log, observer: ServiceObserver | None = None
) -> AsyncIterator[HostedService]:
    """A ready service of a revision on this host, from its snapshot and its environment.

    Both are made again where they are missing. An environment that was made anew since the revision's scan is scanned
    before anything of it runs; where signing is on, the unpacked folder is proved to be what was signed; and a worker
    whose work was given to another starts nothing.

    Raises:
        BlockingFindingsError: the policy blocks what an environment made anew holds.
        ArtifactSignatureError, SigningKeyError, ArtifactDamagedError: by `check_signature`.
        WorkerLostError: this worker's work was given to another.
        MopError: by `prepare` and `model_service`.
    """
    tools = await host_tools()
    model = await prepare(job.artifact_digest, tools=tools, log=_logged_before)
    with in_use(model):
        await rescan_if_rebuilt(job, model, tools, log)

    async def before_start() -> None:
        await check_signature(tools.artifacts, job.artifact_digest, model.folder, log=log)
        await in_database(hold_fence)()

    async with model_service(
        job.spec, model, tools=tools, log=log, observer=observer, before_start=before_start
    ) as hosted:
        yield hosted


@contextlib.asynccontextmanager
async def fresh_service(
    job: RevisionJob, *, log: Log, observer: ServiceObserver | None = None
) -> AsyncIterator[HostedService]:
    """A service of a revision for data that nobody may read back: it serves this block, is killed, and leaves nothing.

    What its model prints is thrown away; of its errors and its end only the catalogue's names are told, and its files
    lie in memory that goes with it. It reaches no host, allowed or not. Its answers are the caller's to keep secret.

    Raises:
        SandboxUnavailableError: in this host's cage a model can leave something behind.
        MopError: by `revision_service`.
    """
    spec = replace(job.spec, allowed_hosts=(), disclosure=Disclosure.NAMES)
    async with revision_service(replace(job, spec=spec), log=log, observer=observer) as hosted:
        yield hosted


def _require_cage(spec: ServiceSpec, tools: HostTools) -> None:
    if spec.disclosure is not Disclosure.FULL and not tools.sandbox.own_files:
        raise SandboxUnavailableError(
            f"{spec.name} may not be given hidden data: at sandbox level {int(tools.sandbox.level)} of this host what "
            "a model writes can outlive it.",
            hint="Give the host level 1 or 2; `mop doctor` says how.",
        )


def _logged_before(_line: str) -> None:
    """Drop what the log of the revision's build has."""
