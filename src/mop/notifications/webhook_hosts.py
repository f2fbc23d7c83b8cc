"""Where webhooks may be sent: the hosts and the networks that the operator listed, and nothing else.

    MOP_WEBHOOK_HOSTS = hooks.example.com, *.partner.example, build.internal:8443, http://relay.internal:8080
    MOP_WEBHOOK_NETWORKS = 10.20.0.0/16

A host that is not listed is refused before anything is looked up. A listed one is reached at addresses of the public
internet, and at those of the listed networks. The addresses at which clouds keep the credentials of their machines are
refused whatever is listed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from mop.environments.allowed_hosts import is_public

ANY = "*"
URL_MAX = 500
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?", re.ASCII)
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128")
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RefusedTargetError(Exception):
    """A webhook may not be sent there; the text says why, and what the operator can do."""


@dataclass(frozen=True)
class Target:
    """Where a webhook's url leads."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """`host`, with the port where it is not the usual one; an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Host:
    """An entry of MOP_WEBHOOK_HOSTS: a name, `*.name` for the names below it, or `*`; with scheme and port."""

    scheme: str
    name: str
    port: int

    def covers(self, target: Target) -> bool:
        if (self.scheme, self.port) != (target.scheme, target.port):
            return False
        if self.name == ANY:
            return True
        return target.host.endswith(self.name[1:]) if self.name.startswith("*.") else target.host == self.name


@dataclass(frozen=True)
class Allowed:
    """What the operator listed."""

    hosts: tuple[Host, ...] = ()
    networks: tuple[Network, ...] = ()

    def target(self, url: str) -> Target:
        """Where a url leads.

        Raises:
            RefusedTargetError: it cannot be read, or its host is not listed.
        """
        target = read_url(url)
        if not self.hosts:
            raise RefusedTargetError("This installation sends no webhooks: the operator set no MOP_WEBHOOK_HOSTS.")
        if not any(host.covers(target) for host in self.hosts):
            raise RefusedTargetError(
                f"{target.scheme}://{target.authority} is not among the hosts that the operator allowed in "
                "MOP_WEBHOOK_HOSTS."
            )
        return target

    def check_address(self, text: str) -> None:
        """Let an address pass that a host's name led to.

        Raises:
            RefusedTargetError: it is none that may be reached.
        """
        address = ipaddress.ip_address(text.partition("%")[0])
        plain = getattr(address, "ipv4_mapped", None) or address
        if any(plain in network for network in _NEVER):
            raise RefusedTargetError(f"{text} is an address of this machine's own network, which is never reached.")
        if any(plain in network for network in self.networks) or is_public(text):
            return
        raise RefusedTargetError(
            f"{text} is no address of the public internet, and no network of MOP_WEBHOOK_NETWORKS holds it."
        )


def read_url(url: str) -> Target:
    """The parts of a url.

    Raises:
        RefusedTargetError: it is not an http or https url, or holds a user, a password or a fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedTargetError("The url cannot be read.") from None
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > URL_MAX:
        raise RefusedTargetError(f"A url has at most {URL_MAX} printable ASCII characters and no blanks.")
    if parts.scheme not in _PORTS or not parts.hostname:
        raise RefusedTargetError("Write the url like https://hooks.example.com/mop.")
    if "@" in parts.netloc or parts.fragment:
        raise RefusedTargetError("The url must hold no user, no password and no fragment.")
    path = parts.path or "/"
    host = parts.hostname.rstrip(".")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], f"{path}?{parts.query}" if parts.query else path)


def read_hosts(words: Iterable[str]) -> tuple[Host, ...]:
    """The entries of MOP_WEBHOOK_HOSTS.

    Raises:
        ValueError: one is no host.
    """
    return tuple(_host(word) for word in words)


def read_networks(words: Iterable[str]) -> tuple[Network, ...]:
    """The entries of MOP_WEBHOOK_NETWORKS.

    Raises:
        ValueError: one is no network.
    """
    return tuple(ipaddress.ip_network(word) for word in words)


def _host(word: str) -> Host:
    text = word.lower() if "://" in word else f"https://{word.lower()}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    name = parts.hostname or ""
    bare = name.removeprefix("*.")
    is_name = name == ANY or ":" in name or bool(_NAME.fullmatch(bare))
    if parts.scheme not in _PORTS or not is_name or parts.path or parts.query or "@" in parts.netloc:
        raise ValueError(f"{word!r} is no host such as hooks.example.com, *.example.com or http://relay.internal:8080")
    return Host(parts.scheme, name, port or _PORTS[parts.scheme])
