"""An OSV service (api.osv.dev, or one that speaks as it does), asked as seldom as possible.

    packages ──► POST /v1/querybatch ──► identifiers ──► GET /v1/vulns/<id>, some at once ──► records
                 kept for an hour                        kept until their next change

A service that cannot be asked is left alone for some minutes, so that an installation without a way to it does not
wait at every model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from mop.advisories.osv_requests import QUERIES_MAX, Key, OsvRequests, RecordError, ServiceError
from mop.scanning.dependencies.advisory_matching import Match, match
from mop.scanning.dependencies.packages import Package, read_version
from mop.scanning.dependencies.records import Advisory

SECONDS = 60.0
"""For all requests of one audit."""
QUIET_SECONDS = 300.0
KEPT_SECONDS = 3600.0
_AT_ONCE = 8
_RECORDS_MAX = 5000
_KEPT_MAX = 20_000
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Answers:
    """What the service said.

    Attributes:
        advisories: records by canonical package name, each named for a version that was asked for.
        unanswered: packages that it could not tell all of, each with the reason.
    """

    advisories: Mapping[str, Sequence[Advisory]]
    unanswered: Mapping[Package, str]


@dataclass
class OsvService:
    """One service with what it has answered before. Threads may share it.

    Attributes:
        url: its address, without `/v1`.
        clock: seconds that only rise.
    """

    url: str
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _named: dict[Package, tuple[float, frozenset[Key]]] = field(default_factory=dict)
    _records: dict[Key, Advisory] = field(default_factory=dict)
    _quiet_until: float = float("-inf")
    _fault: str = ""

    def ask(self, packages: Iterable[Package]) -> Answers:
        """What is known of these packages. What the service does wrong is a reason in the answer, never an error.

        Names and versions that are none are not sent: the service might refuse all of a request for one of them.
        """
        asked = sorted({one for one in packages if one.has_name and read_version(one.version) is not None})
        with OsvRequests(self.url, until=self.clock() + SECONDS, clock=self.clock) as requests:
            named, unanswered = self._name(requests, asked)
            records, lost = self._fetch(requests, sorted(frozenset[Key]().union(*named.values())))
        advisories: dict[str, dict[str, Advisory]] = {}
        for package, keys in named.items():
            for key in sorted(keys):
                if key in lost:
                    unanswered[package] = lost[key]
                    continue
                advisory = records[key]
                advisories.setdefault(package.name, {})[advisory.identifier] = advisory
                if not advisory.withdrawn and match(package, advisory) == Match.NOT_AFFECTED:
                    unanswered[package] = f"the service names {advisory.identifier}, which does not speak of it"
        return Answers({name: tuple(held.values()) for name, held in advisories.items()}, unanswered)

    def _name(
        self, requests: OsvRequests, asked: Sequence[Package]
    ) -> tuple[dict[Package, frozenset[Key]], dict[Package, str]]:
        """Identifiers of each package's advisories, and the reasons for packages without them."""
        now = self.clock()
        with self._lock:
            kept = {package: self._named[package] for package in asked if package in self._named}
        named = {package: keys for package, (until, keys) in kept.items() if until > now}
        unanswered: dict[Package, str] = {}
        for some in _in_parts([package for package in asked if package not in named]):
            try:
                answer = self._attempt(partial(requests.name, some))
            except ServiceError as error:
                unanswered |= dict.fromkeys(some, str(error))
                continue
            named |= answer.keys
            unanswered |= dict.fromkeys(answer.cut, "the service names more advisories than are read")
            with self._lock:
                _make_room(self._named)
                self._named |= {
                    package: (now + KEPT_SECONDS, keys)
                    for package, keys in answer.keys.items()
                    if package not in answer.cut
                }
        return named, unanswered

    def _fetch(self, requests: OsvRequests, keys: Sequence[Key]) -> tuple[dict[Key, Advisory], dict[Key, str]]:
        """The records, and the reasons for those that could not be had."""
        with self._lock:
            records = {key: self._records[key] for key in keys if key in self._records}
        missing = [key for key in keys if key not in records]
        lost = dict.fromkeys(missing[_RECORDS_MAX:], f"the service names more than {_RECORDS_MAX:,} advisories")

        def fetch(key: Key) -> Advisory | str:
            try:
                return self._attempt(partial(requests.record, key[0]))
            except (ServiceError, RecordError) as error:
                return str(error)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            wanted = missing[:_RECORDS_MAX]
            for key, answer in zip(wanted, pool.map(fetch, wanted), strict=True):
                if isinstance(answer, Advisory):
                    records[key] = answer
                else:
                    lost[key] = answer
        with self._lock:
            _make_room(self._records)
            self._records |= records
        return records, lost

    def _attempt(self, request: Callable[[], _Answer]) -> _Answer:
        """Make a request, unless one failed a short while ago."""
        with self._lock:
            if self.clock() < self._quiet_until:
                raise ServiceError(self._fault)
        try:
            return request()
        except ServiceError as error:
            with self._lock:
                self._quiet_until = self.clock() + QUIET_SECONDS
                self._fault = str(error)
            raise


def _in_parts(packages: Sequence[Package]) -> Iterable[Sequence[Package]]:
    return (packages[start : start + QUERIES_MAX] for start in range(0, len(packages), QUERIES_MAX))


def _make_room(kept: dict[Any, Any]) -> None:
    """Forget what was kept first, before there is too much."""
    while len(kept) > _KEPT_MAX:
        del kept[next(iter(kept))]
