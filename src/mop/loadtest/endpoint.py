"""Where a load test sends its one request, and what the request is."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import re
from dataclasses import dataclass
from typing import Any, Self

MIB = 1 << 20
LARGEST_PAYLOAD_BYTES = 64 * MIB
LARGEST_PATH = 2048
LONGEST_SOCKET_PATH = 107
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"})
_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True)
class Endpoint:
    """One request and where it goes.

    Attributes:
        host: name for the Host header, TLS, and, without a socket, the address.
        port: of TCP; unused with a socket.
        path: path and query, as they are sent.
        tls: speak TLS, verified by the system's authorities or those of `ca_file`.
        uds: path of a unix socket to connect to instead.
        payload: the body; empty together with the method GET.
    """

    host: str
    port: int = 80
    path: str = "/"
    tls: bool = False
    uds: str | None = None
    ca_file: str | None = None
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    payload: bytes = b""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._:-]{1,255}", self.host) or not 0 < self.port < 1 << 16:
            raise ValueError(f"host {self.host!r} or port {self.port} cannot be used")
        if not _PATH.fullmatch(self.path) or len(self.path) > LARGEST_PATH:
            raise ValueError("a path begins with / and holds printable ASCII without spaces, 2,048 characters at most")
        if self.uds is not None and not 0 < len(os.fsencode(self.uds)) <= LONGEST_SOCKET_PATH:
            raise ValueError(f"a unix socket's path has at most {LONGEST_SOCKET_PATH} bytes")
        if not _TOKEN.fullmatch(self.method):
            raise ValueError(f"method {self.method!r} cannot be used")
        if len(self.payload) > LARGEST_PAYLOAD_BYTES:
            raise ValueError(f"the payload has more than {LARGEST_PAYLOAD_BYTES // MIB} MiB")
        for name, value in self.headers:
            if not _TOKEN.fullmatch(name) or name.lower() in _OWN_HEADERS or not re.fullmatch(r"[ -~\t]*", value):
                raise ValueError(f"header {name!r} cannot be used")

    @property
    def address(self) -> str:
        """For people: `unix:/path` or the url."""
        if self.uds is not None:
            return f"unix:{self.uds}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"

    @property
    def payload_sha256(self) -> str:
        """What was sent, for comparison of runs."""
        return hashlib.sha256(self.payload).hexdigest()

    def request(self) -> bytes:
        """The bytes of the request, the same every time."""
        standard = 443 if self.tls else 80
        name = f"[{self.host}]" if ":" in self.host else self.host
        host = name if self.uds is not None or self.port == standard else f"{name}:{self.port}"
        lines = [f"{self.method} {self.path} HTTP/1.1", f"host: {host}", "user-agent: mop-load-test"]
        given = {name.lower() for name, _ in self.headers}
        if self.payload or self.method not in {"GET", "HEAD"}:
            lines.append(f"content-length: {len(self.payload)}")
            if "content-type" not in given:
                lines.append("content-type: application/json")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + self.payload

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; the payload in base64."""
        return {**dataclasses.asdict(self), "payload": base64.b64encode(self.payload).decode("ascii")}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The endpoint that `to_dict` described."""
        headers = tuple((str(name), str(value)) for name, value in data["headers"])
        return cls(**{**data, "headers": headers, "payload": base64.b64decode(data["payload"], validate=True)})
