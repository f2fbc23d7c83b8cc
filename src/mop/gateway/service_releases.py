"""The releases of a service: read by its gateways, and moved by them."""

from __future__ import annotations

import logging

from mop.audit.services import Actor
from mop.errors import ConflictError
from mop.gateway.categories import BY_TAXONOMY, Kind
from mop.gateway.wanted import Wanted, WantedRelease, WantedSlot
from mop.releases.models import Service
from mop.releases.release_models import Release
from mop.releases.release_states import WentLive
from mop.releases.requests.selectors import live_releases, releases, releases_to_take, version_of
from mop.releases.requests.switching import end_canary, mark_released

GATEWAY = Actor.system("gateway")
KINDS = {kind.value: kind for kind in Kind}

logger = logging.getLogger(__name__)


class ServiceReleases:
    """The interface `Releases` over the database."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def wanted(self) -> Wanted:
        """What should be live now. What Content Safety has no category or no route for is left out."""
        slots = {}
        for (taxonomy, modality), live in live_releases(self._service).items():
            if taxonomy in BY_TAXONOMY and modality in KINDS:
                canary = None if live.canary is None else _wanted(live.canary)
                place = (KINDS[modality], BY_TAXONOMY[taxonomy])
                slots[place] = WantedSlot(_wanted(live.release), canary, live.canary_share)
        return Wanted(slots, tuple(_wanted(one) for one in releases_to_take(self._service)))

    def take(self, number: int) -> bool:
        """Write that an approved release is live; False where it may not be any more."""
        try:
            mark_released(actor=GATEWAY, release=_release(number), how=WentLive.GATEWAY)
        except ConflictError as error:
            logger.warning("release %d does not go live: %s", number, error.message)
            return False
        return True

    def end_canary(self, number: int, reason: str) -> None:
        """Write that a canary broke its gate; nothing where another gateway did."""
        try:
            end_canary(actor=GATEWAY, release=_release(number), reason=reason)
        except ConflictError:
            logger.info("release %d is no longer a canary", number)


def _release(number: int) -> Release:
    return releases().get(pk=number)


def _wanted(release: Release) -> WantedRelease:
    revision = version_of(release)
    return WantedRelease(release.pk, revision.pk, f"{revision.model.name} {revision.version}")
