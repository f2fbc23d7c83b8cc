"""The result of one step from what was recorded."""

from __future__ import annotations

import numpy as np

from mop.loadtest import samples as of
from mop.loadtest.exchange import NAMES, NS, OWN_LIMIT
from mop.loadtest.histogram import histogram
from mop.loadtest.loops import Loop
from mop.loadtest.plan import Strategy
from mop.loadtest.results import Confidence, Lag, Latency, Requests, StepResult
from mop.loadtest.statistics import PERCENTILES, Values, interval, percentile, stalled_share
from mop.loadtest.trust import SelfCheck, doubts

MS = 1_000_000


def summed_up(loop: Loop, strategy: Strategy, target: int, *, cpu: float) -> StepResult:
    begin, end = loop.times.begin, loop.counted_until
    seconds = (end - begin) / NS
    window = loop.samples.window(begin, end)
    in_time = window.successes()
    ordered = np.sort(in_time)
    lags = np.sort(window.lags)
    failures = window.failures()
    lag = (percentile(lags, 50), percentile(lags, 99)) if len(lags) else (0, 0)
    check = SelfCheck(
        lag_ns=lag,
        latency_ns=(percentile(ordered, 50), percentile(ordered, 99)) if len(ordered) else None,
        cpu=cpu,
        achieved=_achieved(loop, begin, end) if strategy is Strategy.PER_RPS else None,
        own_failures=failures.get(NAMES[OWN_LIMIT], 0),
    )
    user_failed = int(np.count_nonzero(of.is_user_failure(window.codes)))
    total = len(window.codes)
    return StepResult(
        target=target,
        duration_s=seconds,
        # a backlog that is answered after the end does not count; neither does one that the warm-up left
        rps=min(len(ordered), window.answered) / seconds if seconds else 0.0,
        latency_ms=_latency(ordered),
        confidence_ms=_confidence(ordered, in_time),
        requests=Requests(total, len(ordered), user_failed, total - len(ordered) - user_failed),
        failures=failures,
        retries=window.retried,
        lag_ms=Lag(lag[0] / MS, lag[1] / MS),
        generator_cpu=cpu,
        untrusted_because=doubts(check),
        warnings=_warnings(ordered, strategy),
        histogram=tuple((low / MS, count) for low, count in histogram(ordered)),
        ended=loop.ended or "complete",
        began_ns=begin,
    )


def _achieved(loop: Loop, begin: int, end: int) -> float | None:
    """The share of what was due between `begin` and `end` that was sent before `end`; None where nothing was due."""
    due = np.array(loop.samples.due, dtype=np.int64)
    sent = due + np.array(loop.samples.lags, dtype=np.int64)
    inside = (due >= begin) & (due < end)
    if not inside.any():
        return None
    return int(np.count_nonzero(inside & (sent < end))) / int(np.count_nonzero(inside))


def _latency(ordered: Values) -> Latency:
    if not len(ordered):
        return Latency()
    p50, p90, p95, p99 = (percentile(ordered, percent) / MS for percent in PERCENTILES)
    return Latency(float(ordered.mean()) / MS, p50, p90, p95, p99, int(ordered[-1]) / MS)


def _confidence(ordered: Values, in_time: Values) -> Confidence:
    if not len(ordered):
        return Confidence()
    found = (interval(ordered, in_time, percent) for percent in PERCENTILES)
    return Confidence(*(None if ends is None else (ends[0] / MS, ends[1] / MS) for ends in found))


def _warnings(ordered: Values, strategy: Strategy) -> tuple[str, ...]:
    share = stalled_share(ordered) if strategy is Strategy.PER_CONCURRENCY else 0.0
    if not share:
        return ()
    text = (
        f"stalls: {share:.0%} of the clients' time went by in requests slower than ten times P99, of which P99 shows "
        "nothing, because waiting clients do not send (coordinated omission); PerRPS measures them"
    )
    return (text,)
