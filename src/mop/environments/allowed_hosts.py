"""The hosts that an administrator allows a model to reach, and which addresses are the public internet's."""

from __future__ import annotations

import ipaddress
import re

from mop.environments.index_targets import Target

USUAL_PORT = 443
_PORT_MAX = 65535
_PLACE = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s:\[\]]+))(?::([0-9]{1,5}))?", re.ASCII)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def allowed_host(text: str) -> Target:
    """A host that a model may reach with TLS: a name at public addresses alone, a literal address wherever it is.

    Raises:
        ValueError: it is not `host` or `host:port`; the message says why.
    """
    wanted = text.strip().lower()
    bare = _address(wanted)  # an IPv6 address without brackets
    match = None if bare else _PLACE.fullmatch(wanted)
    host = str(bare) if bare else (match[1] or match[2]) if match else ""
    port = int(match[3]) if match and match[3] else USUAL_PORT
    address = bare or _address(host)
    if "%" in wanted or not 1 <= port <= _PORT_MAX or (address is None and not _NAME.fullmatch(host)):
        raise ValueError(f"{text.strip()[:300]!r} is not a host, such as api.example or api.example:8443.")
    if address is None:
        return Target(host, port, tls=True, public=True)
    if address.is_unspecified or address.is_multicast or _is_link_local(address):
        raise ValueError(f"{host} is no address of a service.")
    return Target(str(address), port, tls=True)


def host_text(target: Target) -> str:
    """A host as it is written: without the usual port."""
    return target.authority.removesuffix(f":{USUAL_PORT}") if target.port == USUAL_PORT else target.authority


def is_public(text: str) -> bool:
    """Whether a numeric address is one of the public internet; one that leads on to another address: both."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _inner(address)
    if inner is not None and not is_public(str(inner)):
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return True
    return address.is_global and not address.is_multicast


def _is_link_local(address: _Address) -> bool:
    """Where clouds keep the credentials of their machines, among others."""
    return address.is_link_local or (_inner(address) or address).is_link_local


def _inner(address: _Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, by 6to4, or by a NAT64 gateway (RFC 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or translated


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
