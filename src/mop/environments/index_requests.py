"""Reads the head of a request to the index proxy: strictly, since a build script may have written it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mop.environments.index_targets import Target, authority

HEAD_BYTES_MAX = 16 * 1024
_HEADERS_MAX = 64
_LINE = re.compile(r"([A-Z]{1,16}) ([\x21-\x7e]{1,8000}) HTTP/1\.[01]")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([\x20-\x7e\t]*?)[ \t]*")
_AUTHORITY = re.compile(r"(?:([A-Za-z0-9._-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\])(?::([0-9]{1,5}))?")
_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
# of one connection, or for the proxy itself; the length is that of a body, and no body is taken
_NOT_FORWARDED = frozenset(
    [
        *("connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "upgrade"),
        *("host", "content-length", "expect"),
    ]
)
_ONCE = ("host", "content-length", "transfer-encoding", "authorization")


class BadRequestError(ValueError):
    """A head that the proxy does not take; the text says why."""


@dataclass(frozen=True)
class Request:
    """What is asked for. `path` is "" for a tunnel."""

    method: str
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]

    @property
    def is_tunnel(self) -> bool:
        """Whether it asks for a tunnel, in which the proxy sees nothing more."""
        return self.method == "CONNECT"

    @property
    def authority(self) -> str:
        """`host:port` of what it asks for."""
        return authority(self.host, self.port)

    def forwarded(self, target: Target) -> bytes:
        """The head for the target's server: its path, the connection's end, and the target's credentials."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {_host_header(target)}"]
        credentials = target.authorization(self.path)
        lines += [
            f"{name}: {value}"
            for name, value in self.headers
            if name.lower() not in _NOT_FORWARDED and not (credentials and name.lower() == "authorization")
        ]
        if credentials:
            lines.append(f"Authorization: {credentials}")
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("ascii")


def read_request(head: bytes, *, within: Target | None = None) -> Request:
    """The request of a head that ends in an empty line.

    Args:
        head: all bytes up to and with the empty line.
        within: the target whose tunnel the request came through, if it did: it names a path alone then.

    Raises:
        BadRequestError: it is not a plain CONNECT, GET or HEAD.
    """
    try:
        first, *lines = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    except UnicodeDecodeError:
        raise BadRequestError("bytes that are not ASCII") from None
    match = _LINE.fullmatch(first)
    if match is None:
        raise BadRequestError("no request line of HTTP/1.1")
    headers = _headers(lines)
    method, goal = match[1], match[2]
    if method not in {"CONNECT", "GET", "HEAD"} or (method == "CONNECT" and within):
        raise BadRequestError(f"the method {method}")
    if method == "CONNECT":
        host, port, path = *_read_authority(goal, None), ""
    elif within:
        host, port, path = within.host, within.port, _path(goal)
    else:
        host, port, path = _absolute(goal)
    _check_headers(headers, host, port, 443 if within or method == "CONNECT" else 80)
    return Request(method, host, port, path, headers)


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    if len(lines) > _HEADERS_MAX:
        raise BadRequestError(f"more than {_HEADERS_MAX} headers")
    matches = [_HEADER.fullmatch(line) for line in lines]
    if None in matches:
        raise BadRequestError("a header that is not `Name: value`")
    return tuple((match[1], match[2]) for match in matches if match)


def _check_headers(headers: tuple[tuple[str, str], ...], host: str, port: int, usual_port: int) -> None:
    given: dict[str, str] = {}
    for name, value in headers:
        if name.lower() in _ONCE and name.lower() in given:
            raise BadRequestError(f"two {name} headers")
        given[name.lower()] = value
    if "transfer-encoding" in given or given.get("content-length", "0") != "0":
        raise BadRequestError("a request with a body")
    if "host" in given and _read_authority(given["host"], usual_port) != (host, port):
        raise BadRequestError(f"a Host header that is not {authority(host, port)}")


def _absolute(goal: str) -> tuple[str, int, str]:
    if goal[:7].lower() != "http://":
        raise BadRequestError("an address that is not http://host/path")
    place, slash, path = goal[7:].partition("/")
    host, port = _read_authority(place, 80)
    return host, port, _path(slash + path or "/")


def _path(path: str) -> str:
    if not path.startswith("/") or path.startswith("//") or "\\" in path or "#" in path:
        raise BadRequestError("a path that is not plain")
    if any(_DOTS.fullmatch(part) for part in re.split(r"/|%2f|%5c", path.partition("?")[0], flags=re.IGNORECASE)):
        raise BadRequestError("a path with . or .. in it")
    return path


def _read_authority(text: str, usual_port: int | None) -> tuple[str, int]:
    match = _AUTHORITY.fullmatch(text)
    if match is None or not (match[3] or usual_port):
        raise BadRequestError("an address that is not host:port")
    port = int(match[3]) if match[3] else usual_port or 0
    return (match[1] or match[2]).lower(), port


def _host_header(target: Target) -> str:
    return target.authority.rpartition(":")[0] if target.port == (443 if target.tls else 80) else target.authority
