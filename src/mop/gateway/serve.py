"""`mop serve-release`: the gateway of a service, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import uuid
from collections.abc import Callable

from django.conf import settings

from mop.engine.database import in_database
from mop.errors import ValidationFailedError
from mop.gateway.canary import CanaryLimits
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.models import GatewayKey
from mop.gateway.released_models import ReleasedModels
from mop.gateway.running import open_gateway
from mop.gateway.running_versions import HostedVersion, RunningVersion
from mop.gateway.service_releases import ServiceReleases
from mop.releases.models import Service, ServiceKind
from mop.releases.selectors import get_service


def keep_what_is_loaded() -> None:
    """Take everything that is loaded out of garbage collections: one of all of it would stop the answers for 60 ms."""
    gc.collect()
    gc.freeze()


async def serve_release(
    name: str, *, host: str, port: int, stop: asyncio.Event, listening: Callable[[str], object]
) -> None:
    """Serve what is live for a service; requests that are in flight when `stop` is set are answered first.

    Args:
        name: of the service.
        host: address to bind to.
        port: 0 takes any free one.
        stop: ends it.
        listening: told the address, before anything of a model runs: `/ready` tells when what is live does.

    Raises:
        NotFoundError: there is no such service.
        ValidationFailedError: the service is none of Content Safety, or has no key.
    """
    service = await in_database(_servable)(name)

    def start(revision_id: uuid.UUID, label: str) -> RunningVersion:
        return HostedVersion(revision_id, label, owner=f"gateway of {service.name}")

    metrics = GatewayMetrics(service.name)
    limits = CanaryLimits(settings.MOP_GATEWAY_CANARY_ERRORS, settings.MOP_GATEWAY_CANARY_LATENCY)
    models = ReleasedModels(ServiceReleases(service), start, limits, metrics)
    async with models.following(), open_gateway(service, models, metrics, host=host, port=port) as gateway:
        listening(gateway.address)
        await stop.wait()


def _servable(name: str) -> Service:
    service = get_service(name)
    if service.kind != ServiceKind.AACS:
        raise ValidationFailedError(
            f"{service.name} is a service of kind {service.kind}; the gateway serves those of kind {ServiceKind.AACS}.",
            hint="Other services take releases as bundles.",
        )
    if not GatewayKey.objects.filter(service=service).exists():
        raise ValidationFailedError(
            f"{service.name} has no key, so nobody could call its gateway.",
            hint=f"Make one first: mop gateway key rotate '{service.name}' 1",
        )
    return service
