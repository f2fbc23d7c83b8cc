"""Runs the steps of a load test one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from mop.loadtest import samples as of
from mop.loadtest.exchange import NS, Clock, Transport
from mop.loadtest.loops import ClosedLoop, Loop, OpenLoop, Times
from mop.loadtest.plan import Plan, Strategy
from mop.loadtest.results import Listener, Progress, StepResult
from mop.loadtest.schedule import Stream, arrivals
from mop.loadtest.statistics import PERCENTILES, interval, percentile, precise
from mop.loadtest.steps import Ending, Measured, Outcome, StepEnded, run_steps, surely_failing
from mop.loadtest.summary import MS, summed_up

PROBES_A_SECOND = 100
PROGRESS_NS = NS
PROGRESS_SAMPLES = 2000  # a look at more would itself make the generator late
PRECISION_LOOKS = 10  # in a step: each look is a chance to stop by luck


class LoadGenerator:
    """Makes the requests of one load test and measures them.

    Args:
        plan: what to do.
        clock: of all times.
        open_transport: gives a new transport for each step.
        listener: hears progress and results.
        cpu_time: seconds of CPU that this process took so far.
        precedence: what to be in while a step runs.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        clock: Clock,
        open_transport: Callable[[], Transport],
        listener: Listener,
        cpu_time: Callable[[], float] = time.process_time,
        precedence: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._open_transport = open_transport
        self._listener = listener
        self._cpu_time = cpu_time
        self._precedence = precedence
        self._loop: Loop | None = None
        self._cancelled = False
        self._outcomes: list[Outcome] = []
        self._began = 0

    def cancel(self) -> None:
        """End the step that runs at once; its result so far is told; no other follows."""
        self._cancelled = True
        if self._loop is not None:
            self._loop.cancel()

    async def run(self) -> Ending:
        """Run step after step until a rule ends the test; says which."""
        self._began = self._clock.now()
        return await run_steps(self._plan, self)

    async def measured(self) -> Measured:
        """The steps of this process so far."""
        return Measured(self._outcomes, (self._clock.now() - self._began) / NS)

    async def measure(self, place: int, target: int) -> bool:
        """Measure a step and tell its result."""
        if self._cancelled:
            return False
        result = await self._step(place, target)
        self._listener.step(result)
        self._outcomes.append(result.outcome)
        return result.ended != "cancelled"

    async def _step(self, place: int, target: int) -> StepResult:
        plan = self._plan
        over = asyncio.get_running_loop().create_future()
        transport = self._open_transport()
        start = _Starts(plan, target)
        warm = self._clock.now()
        begin = warm + round(plan.warm_up_s * NS)
        times = Times(warm, begin, begin + round(plan.duration_s * NS), round(plan.timeout_s * NS))
        watch = _Watch(plan, place, target, start.due, self._listener)
        cpu = self._cpu_time()
        loop = start.loop(self._clock, transport, times, on_end=lambda: over.set_result(None), watch=watch)
        self._loop = loop
        try:
            with self._precedence():
                loop.begin()
                await over
        finally:
            self._loop = None
            transport.close()
        seconds = (self._clock.now() - warm) / NS
        return summed_up(loop, plan.strategy, target, cpu=(self._cpu_time() - cpu) / seconds)


class _Starts:
    """The instants of one step, made before its clock starts."""

    def __init__(self, plan: Plan, target: int) -> None:
        self._target = target
        self._open = plan.strategy is Strategy.PER_RPS
        if self._open:
            # a warm-up of whole seconds ends where the counted seconds begin
            self._warm_up = arrivals(target, plan.warm_up_s, seed=plan.seed, kind=plan.arrivals, stream=Stream.WARM_UP)
            self._counted = arrivals(target, plan.duration_s, seed=plan.seed, kind=plan.arrivals)
        else:
            self._probes = arrivals(PROBES_A_SECOND, plan.step_s, seed=plan.seed, stream=Stream.PROBES)
        self.due = len(self._counted) if self._open else None

    def loop(
        self, clock: Clock, transport: Transport, times: Times, *, on_end: Callable[[], None], watch: _Watch
    ) -> Loop:
        if self._open:
            return OpenLoop(
                clock, transport, times, warm_up=self._warm_up, counted=self._counted, on_end=on_end, watch=watch
            )
        return ClosedLoop(
            clock, transport, times, clients=self._target, probes=self._probes, on_end=on_end, watch=watch
        )


class _Watch:
    """Looks at a step while it runs: tells progress, and ends it early where nothing more can come of it."""

    def __init__(self, plan: Plan, place: int, target: int, due: int | None, listener: Listener) -> None:
        self._plan = plan
        self._place = place
        self._target = target
        self._due = due
        self._listener = listener
        self._seen = 0
        self._failed = 0
        self._failed_counted = 0
        self._told: int | None = None
        self._looks = 1

    def __call__(self, loop: Loop) -> StepEnded | None:
        now = loop.clock.now()
        if self._told is None:
            self._told = now
        elif now - self._told >= PROGRESS_NS:
            self._look(loop, now, self._told)
            if self._due is not None and surely_failing(self._failed_counted, self._due):
                return "failing"
        if self._plan.precision is not None and self._precise(loop, now, self._plan.precision):
            return "precise"
        return None

    def _look(self, loop: Loop, now: int, since: int) -> None:
        samples, seen = loop.samples, self._seen
        codes = np.array(samples.codes[seen:], dtype=np.int16)
        starts = np.array(samples.starts[seen:], dtype=np.int64)
        success = of.is_success(codes)
        latest = np.sort(np.array(samples.latencies[seen:], dtype=np.int64)[success][-PROGRESS_SAMPLES:])
        self._failed += int(np.count_nonzero(~success))
        self._failed_counted += int(np.count_nonzero(~success & (starts >= loop.times.begin)))
        self._seen, self._told = seen + len(codes), now
        self._listener.progress(
            Progress(
                target=self._target,
                step=self._place + 1,
                steps=len(self._plan.targets),
                phase=loop.phase,
                elapsed_s=max(0.0, (min(now, loop.times.end) - loop.times.begin) / NS),
                requests=self._seen,
                failed=self._failed,
                in_flight=loop.in_flight,
                rps=int(np.count_nonzero(success)) * NS / (now - since),
                p50_ms=percentile(latest, 50) / MS if len(latest) else None,
                p99_ms=percentile(latest, 99) / MS if len(latest) else None,
            )
        )

    def _precise(self, loop: Loop, now: int, precision: float) -> bool:
        times = loop.times
        if now < times.begin + self._looks * (times.end - times.begin) // PRECISION_LOOKS:
            return False
        self._looks += 1
        in_time = loop.samples.window(times.begin, now).successes()
        if not len(in_time):
            return False
        ordered = np.sort(in_time)
        intervals = [interval(ordered, in_time, percent) for percent in PERCENTILES]
        return precise(intervals, [percentile(ordered, percent) for percent in PERCENTILES], precision)
