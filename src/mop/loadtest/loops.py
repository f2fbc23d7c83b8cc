"""The two loops that make requests. They ask a clock and a transport only, so a test can run them on virtual time.

Open loop (PerRPS): every request has an instant at which it is to start, whatever became of those before it. Closed
loop (PerConcurrency): each client sends its next request when its last one ended. Latency counts from the intended
start.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mop.loadtest.exchange import NS, TIMEOUT, Clock, Ticket, Transport
from mop.loadtest.samples import Samples
from mop.loadtest.steps import Phase, StepEnded

TICK_NS = NS // 20
BURST = 64  # requests sent in a row when the generator is behind, before answers are read again
PAUSE_NS = NS // 10

Watch = Callable[["Loop"], StepEnded | None]


@dataclass(frozen=True)
class Times:
    """When a step begins, counts and stops sending, in nanoseconds of the clock, and when it gives up on an answer."""

    warm: int
    begin: int
    end: int
    timeout: int


class Loop:
    """What both loops share: record, time-outs, the step's end.

    Args:
        clock: of all times.
        transport: of this step alone.
        times: of the step.
        on_end: called once, when nothing is on its way any more.
        watch: asked twenty times a second; an answer ends the step.
    """

    def __init__(
        self, clock: Clock, transport: Transport, times: Times, *, on_end: Callable[[], None], watch: Watch
    ) -> None:
        self.clock = clock
        self.times = times
        self.samples = Samples()
        self.in_flight = 0
        self.ended: StepEnded | None = None
        self.counted_until = times.end
        self._transport = transport
        self._on_end = on_end
        self._watch = watch
        self._sending = True
        self._over = False

    @property
    def phase(self) -> Phase:
        """What it does now: `warm-up`, `counting` or `waiting`."""
        if not self._sending:
            return "waiting"
        return "warm-up" if self.clock.now() < self.times.begin else "counting"

    def begin(self) -> None:
        """Start the step."""
        self._transport.finished = self._finished
        self._tick()

    def cancel(self) -> None:
        """End now; requests on their way are withdrawn and leave no trace."""
        self._end_early("cancelled")
        if not self._over:
            self.ended = "cancelled"
            for ticket in self._tickets():
                if ticket.open:
                    ticket.open = False
                    self.in_flight -= 1
                    self._transport.withdraw(ticket)
            self._end_if_done()

    def _finished(self, ticket: Ticket, code: int, now: int) -> None:
        raise NotImplementedError

    def _tickets(self) -> Iterable[Ticket]:
        """All that may be on their way."""
        raise NotImplementedError

    def _expire(self, now: int) -> None:
        """Give up on those that took too long."""
        raise NotImplementedError

    def _late(self, ticket: Ticket, now: int) -> bool:
        return ticket.open and now - ticket.intended >= self.times.timeout

    def _give_up(self, ticket: Ticket, now: int) -> None:
        self._transport.withdraw(ticket)
        self._finished(ticket, TIMEOUT, now)

    def _send(self, ticket: Ticket) -> None:
        ticket.open = True
        ticket.retried = False
        self.in_flight += 1
        self._transport.send(ticket)

    def _record(self, ticket: Ticket, code: int, now: int) -> None:
        ticket.open = False
        self.in_flight -= 1
        samples = self.samples
        samples.starts.append(ticket.intended)
        samples.latencies.append(now - ticket.intended)
        samples.codes.append(code)
        if ticket.retried:
            samples.retried.append(ticket.intended)

    def _tick(self) -> None:
        if self._over:
            return
        now = self.clock.now()
        self._expire(now)
        if self._sending:
            if now >= self.times.end:
                self._stop_sending("complete")
            elif (reason := self._watch(self)) is not None:
                self._end_early(reason)
        self._end_if_done()
        self.clock.call_at(now + TICK_NS, self._tick)

    def _end_early(self, reason: StepEnded) -> None:
        if self._sending:
            self.counted_until = max(self.times.begin, min(self.clock.now(), self.times.end))
            self._stop_sending(reason)

    def _stop_sending(self, reason: StepEnded) -> None:
        self._sending = False
        self.ended = reason

    def _end_if_done(self) -> None:
        if not self._sending and not self.in_flight and not self._over:
            self._over = True
            self._on_end()


class OpenLoop(Loop):
    """PerRPS.

    Args:
        warm_up: intended starts from `times.warm` on, in nanoseconds after it; ascending.
        counted: intended starts in nanoseconds after `times.begin`; ascending.
    """

    def __init__(
        self,
        clock: Clock,
        transport: Transport,
        times: Times,
        *,
        warm_up: array[int],
        counted: array[int],
        on_end: Callable[[], None],
        watch: Watch,
    ) -> None:
        super().__init__(clock, transport, times, on_end=on_end, watch=watch)
        self._parts = [(times.warm, warm_up), (times.begin, counted)]
        self._starts = (base + instant for base, instants in self._parts for instant in instants)
        self._next = next(self._starts, None)
        self._on_the_way: deque[Ticket] = deque()
        self._armed: int | None = None

    def begin(self) -> None:
        """Start the step."""
        super().begin()
        self._send_due()

    def _send_due(self) -> None:
        """Send what is due, at most a burst, and come back for the next."""
        clock, samples = self.clock, self.samples
        for _ in range(BURST):
            now, intended = clock.now(), self._next
            if intended is None or intended > now or not self._sending:
                break
            samples.due.append(intended)
            samples.lags.append(now - intended)
            ticket = Ticket(intended)
            self._on_the_way.append(ticket)
            self._send(ticket)
            self._next = next(self._starts, None)
        following = self._next
        if following is not None and self._sending and self._armed != following:
            self._armed = following
            clock.call_at(following, self._send_due)

    def _expire(self, now: int) -> None:
        tickets = self._on_the_way  # the oldest first: behind one that may wait on, none is late
        while tickets and (not tickets[0].open or self._late(tickets[0], now)):
            ticket = tickets.popleft()
            if ticket.open:
                self._give_up(ticket, now)

    def _stop_sending(self, reason: StepEnded) -> None:
        # what was due before the end is sent, however late; nothing else is
        if reason == "complete" and self._next is not None:
            self._send_due()
            return
        super()._stop_sending(reason)

    def _finished(self, ticket: Ticket, code: int, now: int) -> None:
        self._record(ticket, code, now)
        following = self._next
        if following is not None and following <= now:  # who is awake anyway sends what is due
            self._send_due()

    def _tickets(self) -> Iterable[Ticket]:
        return self._on_the_way


class ClosedLoop(Loop):
    """PerConcurrency.

    Args:
        clients: how many.
        probes: instants in nanoseconds after `times.warm` at which it only looks how late it wakes up: an answer that
            came at such an instant would have been seen as late.
    """

    def __init__(
        self,
        clock: Clock,
        transport: Transport,
        times: Times,
        *,
        clients: int,
        probes: array[int],
        on_end: Callable[[], None],
        watch: Watch,
    ) -> None:
        super().__init__(clock, transport, times, on_end=on_end, watch=watch)
        self._clients = [Ticket(times.warm) for _ in range(clients)]
        self._probes = (times.warm + instant for instant in probes)

    def begin(self) -> None:
        """Start the step."""
        super().begin()
        for client in self._clients:
            client.intended = self.clock.now()
            self._send(client)
        self._await_probe()

    def _await_probe(self) -> None:
        due = next(self._probes, None)
        if due is not None and self._sending:
            self.clock.call_at(due, lambda: self._probe(due))

    def _probe(self, due: int) -> None:
        self.samples.due.append(due)
        self.samples.lags.append(self.clock.now() - due)
        self._await_probe()

    def _finished(self, ticket: Ticket, code: int, now: int) -> None:
        self._record(ticket, code, now)
        if code < 0:
            # without an answer there is nothing to follow at once: no client hammers a service that is not there
            self.clock.call_at(now + PAUSE_NS, lambda: self._again(ticket))
        elif self._sending and now < self.times.end:
            ticket.intended = now
            self._send(ticket)

    def _expire(self, now: int) -> None:
        for client in self._clients:
            if self._late(client, now):
                self._give_up(client, now)

    def _again(self, ticket: Ticket) -> None:
        now = self.clock.now()
        if self._sending and now < self.times.end:
            ticket.intended = now
            self._send(ticket)

    def _tickets(self) -> Iterable[Ticket]:
        return self._clients
