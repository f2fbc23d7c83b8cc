"""The loops on a virtual clock: what theory gives is found to the nanosecond."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import numpy as np
import pytest

from loadtest.virtual import Answer, VirtualClock, VirtualService, constant, never_watch, stalls
from mop.loadtest.exchange import NS, TIMEOUT, UNREACHABLE
from mop.loadtest.loops import BURST, PAUSE_NS, TICK_NS, ClosedLoop, Loop, OpenLoop, Times
from mop.loadtest.plan import Strategy
from mop.loadtest.schedule import arrivals
from mop.loadtest.statistics import percentile
from mop.loadtest.summary import summed_up

MS = NS // 1000


NONE = array("q")


class Bench:
    """One step on virtual time."""

    def __init__(self, answer: Answer, *, seconds: float, timeout_s: float = 30, warm_s: float = 0) -> None:
        self.clock = VirtualClock()
        self.service = VirtualService(self.clock, answer)
        begin = round(warm_s * NS)
        self.times = Times(0, begin, begin + round(seconds * NS), round(timeout_s * NS))
        self.ends = 0

    def open(self, counted: array[int], warm_up: array[int] = NONE, watch: Callable = never_watch) -> OpenLoop:
        return OpenLoop(
            self.clock, self.service, self.times, warm_up=warm_up, counted=counted, on_end=self.end, watch=watch
        )

    def closed(self, clients: int, probes: array[int] = NONE, watch: Callable = never_watch) -> ClosedLoop:
        return ClosedLoop(
            self.clock, self.service, self.times, clients=clients, probes=probes, on_end=self.end, watch=watch
        )

    def end(self) -> None:
        self.ends += 1

    def run(self, loop: Loop) -> Loop:
        loop.begin()
        self.clock.run()
        assert self.ends == 1
        assert loop.in_flight == 0
        return loop


def grid(rate: int, seconds: int) -> array[int]:
    return array("q", (place * NS // rate for place in range(rate * seconds)))


@pytest.mark.parametrize("service_ms", [0, 5])
def test_a_service_that_stands_still_for_one_second_in_ten_has_the_p99_of_theory(service_ms: int):
    # P(latency > x + service) = (1 s - x) / 10 s, which is 1 % at x = 0.9 s; at 200 requests a second evenly spaced
    # the ranks fall on it exactly
    bench = Bench(stalls(service_ns=service_ms * MS), seconds=100)
    result = summed_up(bench.run(bench.open(grid(200, 100))), Strategy.PER_RPS, 200, cpu=0)
    assert result.latency_ms.p99 == 900 + service_ms
    assert result.latency_ms.p90 == pytest.approx(service_ms, abs=1e-5)
    assert result.latency_ms.max == 1000 + service_ms
    assert result.rps == pytest.approx(200, rel=0.01)
    assert result.trusted


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_instants_give_the_latencies_that_follow_from_them_and_the_p99_of_theory(seed: int):
    bench = Bench(stalls(), seconds=100)
    starts = arrivals(200, 100, seed=seed)
    loop = bench.run(bench.open(starts))
    expected = [max(1, stalls()(start)[0] - start) for start in starts]
    assert sorted(loop.samples.latencies) == sorted(expected)
    # 2,000 requests meet a stall; the 0.9 quantile of so many uniform ones, five standard errors
    p99 = percentile(np.sort(np.array(loop.samples.latencies)), 99)
    assert p99 / NS == pytest.approx(0.9, abs=5 * (0.9 * 0.1 / 2000) ** 0.5)


def test_the_same_stall_shows_in_the_maximum_of_a_closed_loop_and_is_flagged():
    bench = Bench(stalls(service_ns=5 * MS), seconds=100, warm_s=5)
    result = summed_up(bench.run(bench.closed(10)), Strategy.PER_CONCURRENCY, 10, cpu=0)
    assert result.latency_ms.p99 == 5
    assert result.latency_ms.max == pytest.approx(1005, abs=5)
    (warning,) = result.warnings
    assert warning.startswith("stalls: 10% of the clients' time")


def test_a_steady_service_is_not_flagged():
    bench = Bench(constant(5 * MS), seconds=10)
    result = summed_up(bench.run(bench.closed(10)), Strategy.PER_CONCURRENCY, 10, cpu=0)
    assert (result.warnings, result.latency_ms.max, result.rps) == ((), 5, 2000)


def test_an_open_loop_sends_at_its_instants_whatever_the_service_does():
    for answer in (constant(NS * 3600, 200), constant(MS, 500), stalls()):
        bench = Bench(answer, seconds=5, timeout_s=2)
        starts = arrivals(50, 5, seed=9)
        bench.run(bench.open(starts))
        assert bench.service.sent == starts.tolist()


def test_latency_counts_from_the_intended_start_when_the_generator_is_late():
    bench = Bench(constant(10 * MS), seconds=2)
    loop = bench.open(grid(10, 2))
    loop.begin()
    bench.clock.run(until=lambda: bench.clock.time >= NS)
    bench.clock.time += NS // 2  # the process was not run for half a second
    bench.clock.run()
    late = dict(zip(loop.samples.starts, loop.samples.latencies, strict=True))
    assert late[12 * NS // 10] == pytest.approx(0.31 * NS, abs=TICK_NS)
    assert max(loop.samples.lags) >= 0.4 * NS - TICK_NS
    result = summed_up(loop, Strategy.PER_RPS, 10, cpu=0)
    assert not result.trusted
    assert result.requests.total == 20


def test_a_generator_that_is_far_behind_reads_answers_between_its_bursts():
    bench = Bench(constant(5 * NS), seconds=2)
    loop = bench.open(grid(1000, 1))
    loop.begin()
    bench.clock.time = 3 * NS // 2
    bench.clock.run(until=lambda: len(bench.service.sent) > 1)
    assert len(bench.service.sent) == 1 + BURST
    bench.clock.run()
    assert len(bench.service.sent) == 1000


def test_what_was_sent_after_the_end_of_the_step_makes_it_untrusted():
    bench = Bench(constant(MS), seconds=1)
    loop = bench.open(grid(1000, 1))
    loop.begin()
    bench.clock.time = 3 * NS
    bench.clock.run()
    result = summed_up(loop, Strategy.PER_RPS, 1000, cpu=0)
    assert result.requests.total == 1000
    assert any(doubt.startswith("rate: 0.1%") for doubt in result.untrusted_because)


def test_what_is_not_answered_in_time_is_a_system_failure_of_that_latency():
    bench = Bench(constant(3600 * NS), seconds=1, timeout_s=2)
    loop = bench.run(bench.open(grid(10, 1)))
    assert set(loop.samples.codes) == {TIMEOUT}
    assert all(2 * NS <= latency <= 2 * NS + TICK_NS for latency in loop.samples.latencies)
    assert bench.service.withdrawn == 10
    result = summed_up(loop, Strategy.PER_RPS, 10, cpu=0)
    assert (result.requests.total, result.requests.system_failed, result.failures) == (10, 10, {"timeout": 10})
    assert (result.latency_ms.p99, result.rps) == (None, 0)


def test_clients_send_again_at_once_and_only_one_request_each():
    bench = Bench(constant(100 * MS), seconds=2)
    loop = bench.run(bench.closed(3))
    assert bench.service.sent == [start for start in range(0, 2 * NS, 100 * MS) for _ in range(3)]
    assert sorted(loop.samples.starts) == bench.service.sent


def test_clients_wait_a_moment_when_nobody_takes_their_connections():
    bench = Bench(constant(1, UNREACHABLE), seconds=1)
    bench.run(bench.closed(1))
    assert len(bench.service.sent) <= NS // PAUSE_NS + 1


def test_clients_stop_waiting_for_an_answer_and_go_on():
    bench = Bench(constant(3600 * NS), seconds=5, timeout_s=1)
    loop = bench.run(bench.closed(2))
    assert set(loop.samples.codes) == {TIMEOUT}
    assert 8 <= len(loop.samples.codes) <= 10


def test_the_warm_up_is_sent_and_not_counted():
    bench = Bench(constant(5 * MS), seconds=2, warm_s=1)
    loop = bench.run(bench.open(grid(10, 2), warm_up=grid(10, 1)))
    assert len(bench.service.sent) == 30
    assert summed_up(loop, Strategy.PER_RPS, 10, cpu=0).requests.total == 20


def test_a_cancelled_step_ends_at_once_with_what_was_answered():
    for make in (lambda b: b.open(grid(10, 10)), lambda b: b.closed(2)):
        bench = Bench(constant(400 * MS), seconds=10)
        loop = make(bench)
        loop.begin()
        bench.clock.run(until=lambda at=bench: at.clock.time >= 3 * NS)
        loop.cancel()
        assert bench.ends == 1
        assert loop.in_flight == 0
        result = summed_up(loop, Strategy.PER_RPS, 10, cpu=0)
        assert result.ended == "cancelled"
        assert result.duration_s == pytest.approx(3, abs=0.2)
        assert 0 < result.requests.total == result.requests.successful
        loop.cancel()
        bench.clock.run()
        assert bench.ends == 1


def test_answers_that_are_waited_for_after_the_end_can_be_cancelled_too():
    bench = Bench(constant(3600 * NS), seconds=1)
    loop = bench.open(grid(10, 1))
    loop.begin()
    bench.clock.run(until=lambda: loop.phase == "waiting")
    loop.cancel()
    assert (bench.ends, loop.ended, loop.in_flight) == (1, "cancelled", 0)


def test_probes_tell_how_late_a_closed_loop_wakes_up():
    bench = Bench(constant(5 * MS), seconds=2)
    loop = bench.closed(1, probes=grid(100, 2))
    loop.begin()
    bench.clock.run(until=lambda: bench.clock.time >= NS)
    assert set(loop.samples.lags) == {0}
    bench.clock.time += 200 * MS
    bench.clock.run()
    assert max(loop.samples.lags) >= 100 * MS
    assert not summed_up(loop, Strategy.PER_CONCURRENCY, 1, cpu=0).trusted


def test_throughput_of_a_service_at_its_limit_is_its_limit():
    free = [0]

    def one_at_a_time(now: int) -> tuple[int, int]:
        free[0] = max(now, free[0]) + 10 * MS
        return free[0], 200

    bench = Bench(one_at_a_time, seconds=10)
    result = summed_up(bench.run(bench.open(grid(200, 10))), Strategy.PER_RPS, 200, cpu=0)
    assert result.rps == pytest.approx(100, rel=0.01)
    assert result.requests.successful == 2000
    # the queue grows by 100 a second: the last waits ten seconds
    assert result.latency_ms.max == pytest.approx(10_000, rel=0.01)
