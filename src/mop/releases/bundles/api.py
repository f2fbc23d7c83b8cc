"""API of bundles: services pull those of their releases, administrators have them made of any verified version."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router, Status

from mop.accounts.access import caller_of
from mop.accounts.rules import authorise
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.releases.bundles.delivery import RESPONSES, bundle_response
from mop.releases.bundles.models import Bundle
from mop.releases.bundles.schemas import BundleOut
from mop.releases.bundles.selectors import get_release_bundle, get_version_bundle
from mop.releases.bundles.services import begin_version_bundle, make_again
from mop.releases.models import Service
from mop.releases.release_models import ServiceScope
from mop.releases.requests.access import calling_service, service_of, service_or_person
from mop.releases.selectors import get_service

router = Router(tags=["bundles"])

_VERSION = "/models/{name}/revisions/{version}/bundle"
_RELEASE = "/services/{service}/releases/{int:number}/bundle"
_READERS = service_or_person(ServiceScope.READ_BUNDLE)


@router.get(_RELEASE, auth=_READERS, openapi_extra={"responses": RESPONSES})
def get_bundle(request: HttpRequest, service: str, number: int) -> HttpResponseBase:
    """The signed bundle of an approved release: one tar file. The service by its token, its admins, administrators.

    `Range` and `If-Range` resume a download; the ETag is the SHA-256 of the file.
    """
    return bundle_response(request, get_release_bundle(_service(request, service), number))


@router.get(f"{_RELEASE}/status", response=BundleOut, auth=_READERS)
def get_bundle_status(request: HttpRequest, service: str, number: int) -> Bundle:
    """Whether the bundle of a release is ready, its size and digest. As for the bundle itself."""
    return get_release_bundle(_service(request, service), number)


@router.post(_RELEASE, response={202: BundleOut})
def post_release_bundle(request: HttpRequest, service: str, number: int) -> Status[Bundle]:
    """Make the bundle of a release again from the same evidence. Admins of the service and administrators.

    After a failure, or to sign it with a new key; the bytes are the same for the same key.
    """
    caller = caller_of(request)
    found = get_service(service)
    authorise(caller.user, "releases.take_bundle", found, what="make bundles of this service")
    return Status(202, make_again(actor=caller.actor, bundle=get_release_bundle(found, number)))


@router.post(_VERSION, response={202: BundleOut})
def post_version_bundle(request: HttpRequest, name: str, version: str) -> Status[Bundle]:
    """Make a bundle of a verified version without a release. Administrators only."""
    caller = caller_of(request)
    revision = _revision(request, name, version)
    return Status(202, begin_version_bundle(actor=caller.actor, user=caller.user, revision=revision))


@router.get(f"{_VERSION}/status", response=BundleOut)
def get_version_bundle_status(request: HttpRequest, name: str, version: str) -> Bundle:
    """Whether that bundle is ready. Administrators only."""
    return get_version_bundle(_revision(request, name, version))


@router.get(_VERSION, openapi_extra={"responses": RESPONSES})
def get_version_bundle_file(request: HttpRequest, name: str, version: str) -> HttpResponseBase:
    """That bundle, as the bundle of a release is given out. Administrators only."""
    return bundle_response(request, get_version_bundle(_revision(request, name, version)))


def _service(request: HttpRequest, name: str) -> Service:
    if calling_service(request) is not None:
        return service_of(request, name).service
    found = get_service(name)
    authorise(caller_of(request).user, "releases.take_bundle", found, what="take bundles of this service")
    return found


def _revision(request: HttpRequest, name: str, version: str) -> Revision:
    user = caller_of(request).user
    revision = get_revision(user, name, version)
    authorise(user, "releases.make_version_bundle", what="make bundles without a release")
    return revision
