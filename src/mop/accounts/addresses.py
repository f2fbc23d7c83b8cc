"""The network address that a request came from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

LOCAL = "local"  # a unix socket has no address


def client_address(request: HttpRequest) -> str:
    """The caller's address, for the audit log and for limits.

    Anybody can send an X-Forwarded-For. Behind `MOP_TRUSTED_PROXIES` proxies, each of which adds the address that it
    saw, the entry so far from the end was written by the outermost of them. A request with fewer entries came past
    them: then, as without proxies, the connection's own address counts.
    """
    connection = str(request.META.get("REMOTE_ADDR", "")) or LOCAL
    proxies = settings.MOP_TRUSTED_PROXIES
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    if not proxies or len(hops) < proxies:
        return connection
    try:
        return str(ipaddress.ip_address(hops[-proxies]))
    except ValueError:
        return connection
