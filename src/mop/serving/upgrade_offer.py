"""A request that offers to change the protocol (`Upgrade: h2c`) is read to its end in the protocol that it came in.

httptools takes an offer for accepted: it ends the message after the head, and does not read its body. So the head is
given to a parser once more without the offer, and that parser reads on. What delimits the body is what the first
parser accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httptools

if TYPE_CHECKING:
    from mop.serving.exchange import Exchange

FRAMING = (b"content-length", b"transfer-encoding")


def new_parser(protocol: Any) -> Any:
    """A parser of requests that calls the `on_` methods of a protocol."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def offers_another_protocol(parser: Any, exchange: Exchange) -> bool:
    """Whether the parser takes what follows the head for another protocol, though nobody accepted one.

    What follows a CONNECT is another protocol; there is no answer by which the caller would know that it is not.
    """
    return bool(parser.should_upgrade()) and exchange.method != "CONNECT"


class ParserAfterOffer:
    """A protocol between a parser and a connection, which does not tell the connection of the first head again."""

    def __init__(self, connection: Any) -> None:
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete
        self.parser = new_parser(self)
        self._connection = connection
        self._again = True

    def give_head(self, exchange: Exchange, *, version: str) -> None:
        """The head without the offer; the message may end with it."""
        lines = [b"%b / HTTP/%b" % (exchange.method.encode("latin-1"), version.encode("latin-1"))]
        lines += [b"%b: %b" % (name, exchange.headers[name]) for name in FRAMING if name in exchange.headers]
        lines.append(b"connection: keep-alive" if exchange.keep_alive else b"connection: close")
        self.parser.feed_data(b"\r\n".join(lines) + b"\r\n\r\n")

    def on_message_begin(self) -> None:
        if not self._again:
            self._connection.on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Its target, perhaps in parts."""
        if not self._again:
            self._connection.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._again:
            self._connection.on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._again:
            self._again = False
        else:
            self._connection.on_headers_complete()
