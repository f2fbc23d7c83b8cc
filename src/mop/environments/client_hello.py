"""The name that a TLS client asks for, read from its first message (RFC 8446, section 4.1.2; RFC 6066, section 3).

Servers of many names share one address. A tunnel to such an address leads to any of them, so the proxy looks which.
"""

from __future__ import annotations

RECORD_HEADER_BYTES = 5
RECORD_BYTES_MAX = 16 * 1024
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_SERVER_NAME, _ENCRYPTED_CLIENT_HELLO = 0, 0xFE0D
_HOST_NAME = 0


class NoClientHelloError(ValueError):
    """The bytes are not one plain ClientHello; the text says why."""


def record_length(header: bytes) -> int:
    """Bytes that follow the five of a record's header.

    Raises:
        NoClientHelloError: it is no record of a handshake.
    """
    length = int.from_bytes(header[3:5], "big")
    if len(header) != RECORD_HEADER_BYTES or header[0] != _HANDSHAKE or not 0 < length <= RECORD_BYTES_MAX:
        raise NoClientHelloError("something else than TLS")
    return length


def server_name(record: bytes) -> str | None:
    """The name asked for, in lower case; None if none is.

    Args:
        record: the first record, without its header. It must hold the whole message: no client splits it.

    Raises:
        NoClientHelloError: it is not a whole ClientHello, or it hides the name.
    """
    names = []
    for kind, content in _extensions(_Bytes(record)):
        if kind == _ENCRYPTED_CLIENT_HELLO:
            raise NoClientHelloError("a hidden name (encrypted client hello)")
        if kind == _SERVER_NAME:
            entries = _Bytes(content.vector(2))
            while entries.left:
                name_type, name = entries.number(1), entries.vector(2)
                if name_type == _HOST_NAME:
                    names.append(name.decode("ascii", "replace").lower())
    if len(names) > 1:
        raise NoClientHelloError("several names")
    return names[0] if names else None


def _extensions(record: _Bytes) -> list[tuple[int, _Bytes]]:
    if record.number(1) != _CLIENT_HELLO:
        raise NoClientHelloError("something else than a ClientHello")
    hello = _Bytes(record.vector(3))
    hello.take(2 + 32)  # version, random
    hello.vector(1)  # session
    hello.vector(2)  # cipher suites
    hello.vector(1)  # compression
    found = []
    if hello.left:
        extensions = _Bytes(hello.vector(2))
        while extensions.left:
            found.append((extensions.number(2), _Bytes(extensions.vector(2))))
    return found


class _Bytes:
    """Takes pieces from the front."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def left(self) -> int:
        return len(self._content)

    def take(self, count: int) -> bytes:
        if count > len(self._content):
            raise NoClientHelloError("a message that ends too early")
        taken, self._content = self._content[:count], self._content[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """A length of so many bytes, and what follows it."""
        return self.take(self.number(size))
