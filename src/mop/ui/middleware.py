"""What holds for every page: headers, expected failures become a page, pages of people stay out of caches."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from mop.engine.full_disks import full_disk
from mop.errors import DiskFullError, MopError, NotAuthenticatedError

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
API_PREFIX = "/api/"
UNUSED_FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)


class SecurityHeadersMiddleware:
    """Headers that Django and django-csp do not set, on every answer; what says nothing else is kept by no cache."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._headers = {
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES),
            "Cache-Control": "no-store",
        }
        if settings.SECURE_HSTS_SECONDS:
            # Django sends it only when the proxy says that the browser came by https; over http browsers ignore it
            self._headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on and add what the answer lacks."""
        response = self._get_response(request)
        for name, value in self._headers.items():
            response.setdefault(name, value)
        return response


class FaultMiddleware:
    """Turns a MopError of a view into a page, or into a fragment for htmx. The API has its own handler."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; failures arrive in `process_exception`."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to an expected failure; None leaves a bug to Django."""
        if request.path.startswith(API_PREFIX):
            return None
        if not isinstance(exception, MopError):
            disk = full_disk(exception)
            return None if disk is None else render_full_disk(request, disk)
        if isinstance(exception, NotAuthenticatedError):
            return _to_sign_in(request)
        return render_fault(request, exception)


def render_fault(request: HttpRequest, fault: MopError) -> HttpResponse:
    """The fault as a whole page; for htmx as a notice above the page's content."""
    if not is_fragment(request):
        return render(request, "fault.html", {"fault": fault}, status=fault.http_status)
    return _above_the_page(render_to_string("components/fault.html", {"fault": fault}, request), fault)


def render_full_disk(request: HttpRequest, fault: DiskFullError) -> HttpResponse:
    """The fault without navigation and user menu: to draw them the portal would need the database."""
    logger.error("%s %s: %s", request.method, request.path, fault.message)
    if is_fragment(request):
        return _above_the_page(render_to_string("components/fault.html", {"fault": fault}), fault)
    return HttpResponse(render_to_string("full_disk.html", {"fault": fault}), status=fault.http_status)


def _above_the_page(html: str, fault: MopError) -> HttpResponse:
    response = HttpResponse(html, status=fault.http_status)
    response["HX-Retarget"] = "#faults"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Push-Url"] = "false"
    return response


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asked and will put the answer into a page that stands."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-History-Restore-Request")


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    fragment = is_fragment(request)
    here = _path_of(request.headers.get("HX-Current-URL", "")) if fragment else request.get_full_path()
    url = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': here})}"
    if not fragment:
        return HttpResponseRedirect(url)
    response = HttpResponse(status=401)
    response["HX-Redirect"] = url
    return response


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


class FormAddressMiddleware:
    """Leads who opens the address of a form's action (a bookmark, the browser's history) to the page it belongs to."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; an address that takes no GET leads to the nearest one above it."""
        response = self._get_response(request)
        if (
            not isinstance(response, HttpResponseNotAllowed)
            or request.method not in {"GET", "HEAD"}
            or request.path.startswith(API_PREFIX)
            or is_fragment(request)
        ):
            return response
        return HttpResponseRedirect(_address_above(request.path))


def _address_above(path: str) -> str:
    """The nearest address above a path; where it takes no GET either, its own answer leads further up."""
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        with contextlib.suppress(Resolver404):
            resolve(path)
            break
    return path


class PrivatePageMiddleware:
    """Keeps HTML out of every cache: it shows what one person may see, and one url answers page or fragment."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on and mark an HTML answer."""
        response = self._get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            add_never_cache_headers(response)
            patch_vary_headers(response, ("HX-Request", "HX-Target"))
        return response
