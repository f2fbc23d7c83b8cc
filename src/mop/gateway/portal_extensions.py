"""What the gateway shows on the page of a service."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.gateway.selectors import blob_containers, gateway_keys
from mop.gateway.services import KEY_NUMBERS
from mop.releases.models import Service, ServiceKind


def gateway_of_service(request: HttpRequest, service: Service) -> SafeString:
    """Keys and containers of its gateway, for those who manage them."""
    if service.kind != ServiceKind.AACS or not may(user_of(request), "gateway.manage", service):
        return SafeString("")
    keys = {key.number: key for key in gateway_keys(service)}
    context = {
        "service": service,
        "keys": [(number, keys.get(number)) for number in KEY_NUMBERS],
        "containers": list(blob_containers(service)),
    }
    return render_to_string("gateway/components/service_gateway.html", context, request=request)
