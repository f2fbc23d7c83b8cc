"""Which hosts a build may reach: those of its package indexes, and those that the indexes' pages link to."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

PUBLIC_INDEX_URL = "https://pypi.org/simple"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """A host and port that a job may reach.

    Attributes:
        host: name or address, in lower case, an IPv6 address without brackets.
        port: its port.
        tls: whether it speaks TLS; a job gets a tunnel to it then, else it may send GET and HEAD.
        public: reach it at addresses of the public internet alone, whatever its name leads to.
        credentials: the path below which requests carry this `Authorization` header. The build never sees it.
    """

    host: str
    port: int
    tls: bool
    public: bool = False
    credentials: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def authority(self) -> str:
        """`host:port`, as it stands in requests."""
        return authority(self.host, self.port)

    def authorization(self, path: str) -> str | None:
        """The header for a request of this path, if the index lies there; of several the deepest one's."""
        found = [(prefix, header) for prefix, header in self.credentials if path.startswith(prefix)]
        return max(found, key=lambda one: len(one[0]))[1] if found else None


def index_targets(indexes: Iterable[str], file_hosts: Iterable[str]) -> tuple[Target, ...]:
    """What may be reached.

    Args:
        indexes: urls of package indexes, with credentials where they need some.
        file_hosts: `host` or `host:port`, reached with TLS; the port is 443 if not given.

    Raises:
        ValueError: one cannot be read; the message shows no credentials.
    """
    found: dict[tuple[str, int], Target] = {}
    for url in indexes:
        target = _of_index(url)
        same = found.get((target.host, target.port), target)
        if same.tls != target.tls:
            raise ValueError(f"{target.authority} is listed with http and with https")
        credentials = tuple(dict.fromkeys((*same.credentials, *target.credentials)))
        found[target.host, target.port] = Target(target.host, target.port, target.tls, credentials=credentials)
    for text in file_hosts:
        target = file_host(text)
        found.setdefault((target.host, target.port), target)
    return tuple(found.values())


def file_host(text: str) -> Target:
    """A host that files are fetched from.

    Raises:
        ValueError: it is not `host` or `host:port`.
    """
    parts = urlsplit(f"//{text.strip()}")
    if not parts.hostname or parts.username is not None or parts.path or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not a host, such as files.example or files.example:8443")
    return Target(parts.hostname, parts.port or _PORTS["https"], tls=True)


def authority(host: str, port: int) -> str:
    """`host:port`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def without_credentials(url: str) -> str:
    """The url without its user part."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _of_index(url: str) -> Target:
    parts = urlsplit(url.strip())
    if parts.scheme.lower() not in _PORTS or not parts.hostname:
        raise ValueError(f"{without_credentials(url)!r} is not the http or https address of a package index")
    tls = parts.scheme.lower() == "https"
    credentials: tuple[tuple[str, str], ...] = ()
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        # files stand beside the pages of the index: /pypi/simple/... and /pypi/packages/...
        above = parts.path.rstrip("/").rpartition("/")[0]
        credentials = ((f"{above}/", f"Basic {base64.b64encode(pair.encode()).decode()}"),)
    return Target(parts.hostname, parts.port or _PORTS[parts.scheme.lower()], tls, credentials=credentials)
