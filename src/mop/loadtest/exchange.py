"""What the loops of a load test ask of a clock and of a transport, so that both run on a virtual clock as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

NS = 1_000_000_000

# how a request ended, beside the HTTP statuses 100 to 999
TIMEOUT = -1
RESET = -2  # the connection was lost before the answer was whole
UNREACHABLE = -3  # no connection came about
MALFORMED = -4  # not HTTP, or more than the limits
OWN_LIMIT = -5  # the generator lacked a descriptor, a port or memory

NAMES = {
    TIMEOUT: "timeout",
    RESET: "connection lost",
    UNREACHABLE: "not connected",
    MALFORMED: "malformed answer",
    OWN_LIMIT: "generator's own limit",
}


class Ticket:
    """One request on its way. A client of a closed loop uses its ticket again and again.

    Attributes:
        intended: when it was to start, in nanoseconds of the clock.
        open: it is on its way.
        carrier: what the transport carries it by; the transport's own business.
        retried: the transport sent it once more, on a new connection.
    """

    __slots__ = ("carrier", "intended", "open", "retried")

    def __init__(self, intended: int) -> None:
        self.intended = intended
        self.open = False
        self.carrier: Any = None
        self.retried = False


class Clock(Protocol):
    """Time in nanoseconds; it never goes back."""

    def now(self) -> int:
        """The present."""

    def call_at(self, when: int, callback: Callable[[], None]) -> None:
        """Call once at `when`, or as soon as possible after it, never from within this call."""


Finished = Callable[[Ticket, int, int], None]
"""Called with the ticket, a status or one of the codes above, and the time."""


class Transport(Protocol):
    """Carries requests to a service, any number at once."""

    finished: Finished

    def send(self, ticket: Ticket) -> None:
        """Begin a request. `finished` is called once when it ended, never from within this call, unless withdrawn."""

    def withdraw(self, ticket: Ticket) -> None:
        """Give up on a request: nothing more is heard of it."""

    def close(self) -> None:
        """Close every connection."""
