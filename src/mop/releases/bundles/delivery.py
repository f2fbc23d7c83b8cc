"""A made bundle as an answer that can be resumed: ETag, Range and If-Range as RFC 9110 has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from mop.errors import BundleNotReadyError, from_dict
from mop.releases.bundles.file import BundleFile
from mop.releases.bundles.models import Bundle
from mop.storage.artifact_store import ArtifactStore

MEDIA_TYPE = "application/x-tar"
RESPONSES = {
    200: {"description": "The whole file.", "content": {MEDIA_TYPE: {}}},
    206: {"description": "The part that `Range` asks for.", "content": {MEDIA_TYPE: {}}},
    304: {"description": "It is the file of `If-None-Match`."},
    409: {"$ref": "#/components/responses/Problem409"},
    416: {"description": "The file has no such part."},
}
"""What `bundle_response` answers, for the API's description."""
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def bundle_response(request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
    """The file, or the part of it that the request asks for.

    Raises:
        BundleNotReadyError: it is still being made.
        MopError: it could not be made.
    """
    if bundle.error:
        raise from_dict(bundle.error)
    if bundle.size is None:
        raise BundleNotReadyError(f"The {bundle} is being made.")
    etag = f'"{bundle.sha256}"'
    if _matches(request.headers.get("If-None-Match", ""), etag):
        return _with_headers(HttpResponse(status=HTTPStatus.NOT_MODIFIED), bundle, etag)
    asked = _asked_range(request, etag, bundle.size)
    if asked == ():
        response: HttpResponseBase = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        response["Content-Range"] = f"bytes */{bundle.size}"
        return _with_headers(response, bundle, etag)
    begin, end = asked or (0, bundle.size)
    if request.method == "HEAD":
        response = HttpResponse(content_type=MEDIA_TYPE)
    else:
        response = StreamingHttpResponse(_content(bundle, begin, end), content_type=MEDIA_TYPE)
    response["Content-Length"] = str(end - begin)
    if asked:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {begin}-{end - 1}/{bundle.size}"
    return _with_headers(response, bundle, etag)


def open_bundle(bundle: Bundle) -> BundleFile:
    """A made bundle as a file."""
    store = ArtifactStore.local(settings.MOP_HOME / "artifacts")
    return BundleFile(store, async_to_sync(store.get_manifest)(bundle.digest))


def _content(bundle: Bundle, begin: int, end: int) -> Iterator[bytes]:
    with open_bundle(bundle) as file:
        yield from file.chunks(begin, end)


def _with_headers(response: HttpResponseBase, bundle: Bundle, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = f'attachment; filename="{bundle.file_name}"'
    response["Content-Encoding"] = "identity"  # else it would be compressed on its way, and no part of it fit
    response["Cache-Control"] = "private, no-transform"
    return response


def _matches(header: str, etag: str) -> bool:
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in header.split(",") if one.strip())


def _asked_range(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """The first byte and the one behind the last; None: the whole; empty: there is no such part.

    Several ranges at once are answered with the whole, as RFC 9110 allows.
    """
    found = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    condition = request.headers.get("If-Range", "").strip()
    if found is None or not any(found.groups()) or (condition and condition != etag):
        return None
    first, last = found.groups()
    if not first:
        count = min(int(last), size)
        return (size - count, size) if count else ()
    begin, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < int(first):
        return None
    return (begin, end) if begin < size else ()
