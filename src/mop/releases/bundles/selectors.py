"""Reads of bundles."""

from __future__ import annotations

from mop.errors import NotFoundError
from mop.registry.models import Revision
from mop.releases.bundles.models import Bundle
from mop.releases.models import Service


def get_release_bundle(service: Service, number: int) -> Bundle:
    """The bundle of a release of a service.

    Raises:
        NotFoundError: the service has no such release, or it was never approved.
    """
    found = Bundle.objects.select_related("release__service").filter(release=number, release__service=service).first()
    if found is None:
        raise NotFoundError(
            f"{service.name} has no bundle of a release {number}.",
            hint="A release has a bundle from its approval on.",
        )
    return found


def get_version_bundle(revision: Revision) -> Bundle:
    """The bundle of a version without a release.

    Raises:
        NotFoundError: nobody asked for one.
    """
    found = Bundle.objects.filter(revision=revision).first()
    if found is None:
        raise NotFoundError(f"{revision} has no bundle.", hint="An administrator has it made: `mop bundle make`.")
    return found
