"""A clock that jumps from event to event, and a service on it: the loops' own code, without waiting or noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mop.loadtest.clock import Agenda
from mop.loadtest.exchange import NS, Finished, Ticket
from mop.loadtest.loops import Loop

Answer = Callable[[int], tuple[int, int]]
"""From when a request arrives to when it is answered, and how: nanoseconds and a code."""


class VirtualClock:
    """Time passes only in `run`."""

    def __init__(self) -> None:
        self.time = 0
        self._agenda = Agenda()

    def now(self) -> int:
        return self.time

    def call_at(self, when: int, callback: Callable[[], None]) -> None:
        self._agenda.add(when, callback)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Let everything happen that is due, to the end or until something is so."""
        while not until() and (when := self._agenda.next) is not None:
            self.time = max(self.time, when)
            for callback in self._agenda.pop_due(self.time):
                callback()


@dataclass
class VirtualService:
    """A transport to a service that answers any number of requests at once."""

    clock: VirtualClock
    answer: Answer
    sent: list[int] = field(default_factory=list)
    withdrawn: int = 0
    closed: int = 0
    finished: Finished = field(init=False)

    def send(self, ticket: Ticket) -> None:
        now = self.clock.now()
        self.sent.append(now)
        end, code = self.answer(now)
        mark = ticket.carrier = object()

        def finish() -> None:
            if ticket.carrier is mark:
                self.finished(ticket, code, self.clock.now())

        self.clock.call_at(max(end, now + 1), finish)

    def withdraw(self, ticket: Ticket) -> None:
        ticket.carrier = None
        self.withdrawn += 1

    def close(self) -> None:
        self.closed += 1


def stalls(*, every_s: int = 10, for_s: int = 1, service_ns: int = 0) -> Answer:
    """Stands still for the first second of every ten; what arrives meanwhile is answered when it goes on."""

    def answer(now: int) -> tuple[int, int]:
        phase = now % (every_s * NS)
        wait = max(0, for_s * NS - phase)
        return now + wait + service_ns, 200

    return answer


def constant(service_ns: int, code: int = 200) -> Answer:
    """Always takes as long."""
    return lambda now: (now + service_ns, code)


def never_watch(_loop: Loop) -> None:
    """Ends nothing early."""
