"""What a step records: raw, whole, in nanoseconds; statistics come after it."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

import numpy as np
from numpy.typing import NDArray

from mop.loadtest.exchange import NAMES


@dataclass
class Samples:
    """One entry for each request that ended, in the order of their ends; those of the warm-up too.

    Attributes:
        starts: intended starts, in nanoseconds of the clock.
        latencies: from the intended start to the end.
        codes: HTTP statuses, or the codes of `exchange`.
        lags: how late the generator was: when a request was sent, or a probe woke it; one for each of `due`.
        due: when that was to happen.
        retried: intended starts of the requests that were sent once more.
    """

    starts: array[int] = field(default_factory=lambda: array("q"))
    latencies: array[int] = field(default_factory=lambda: array("q"))
    codes: array[int] = field(default_factory=lambda: array("h"))
    lags: array[int] = field(default_factory=lambda: array("q"))
    due: array[int] = field(default_factory=lambda: array("q"))
    retried: array[int] = field(default_factory=lambda: array("q"))

    def window(self, begin: int, end: int) -> Window:
        """What belongs to the time from `begin` to before `end`."""
        # copies: an array that numpy looks into cannot grow
        starts, latencies = _copy(self.starts), _copy(self.latencies)
        codes = np.array(self.codes, dtype=np.int16)
        inside = (starts >= begin) & (starts < end)
        ends = starts + latencies
        due = _copy(self.due)
        return Window(
            starts=starts[inside],
            latencies=latencies[inside],
            codes=codes[inside],
            answered=int(np.count_nonzero(is_success(codes) & (ends > begin) & (ends <= end))),
            lags=_copy(self.lags)[(due >= begin) & (due < end)],
            retried=sum(begin <= start < end for start in self.retried),
        )


@dataclass(frozen=True)
class Window:
    """The counted part of a step.

    Attributes:
        starts: intended starts of its requests; `latencies` and `codes` beside them.
        answered: successful answers that came within it, whenever their requests started.
        lags: of what was due within it.
        retried: of its requests those that were sent once more.
    """

    starts: NDArray[np.int64]
    latencies: NDArray[np.int64]
    codes: NDArray[np.int16]
    answered: int
    lags: NDArray[np.int64]
    retried: int

    def successes(self) -> NDArray[np.int64]:
        """Latencies of the successful requests in the order of their intended starts."""
        success = is_success(self.codes)
        order = np.argsort(self.starts[success], kind="stable")
        found: NDArray[np.int64] = self.latencies[success][order]
        return found

    def failures(self) -> dict[str, int]:
        """How many requests failed in which way: `status 503`, `timeout` ..."""
        failed = Counter(self.codes[~is_success(self.codes)].tolist())
        return {NAMES.get(code, f"status {code}"): count for code, count in sorted(failed.items())}


def is_success(codes: NDArray[np.int16]) -> NDArray[np.bool_]:
    """A 2xx; a service of MOP answers with 200 only."""
    found: NDArray[np.bool_] = (codes >= HTTPStatus.OK) & (codes < HTTPStatus.MULTIPLE_CHOICES)
    return found


def is_user_failure(codes: NDArray[np.int16]) -> NDArray[np.bool_]:
    """A 4xx: the service refused the request."""
    found: NDArray[np.bool_] = (codes >= HTTPStatus.BAD_REQUEST) & (codes < HTTPStatus.INTERNAL_SERVER_ERROR)
    return found


def _copy(values: array[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
