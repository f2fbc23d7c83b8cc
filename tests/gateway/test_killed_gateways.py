"""Two gateway processes of one service, real versions, and kill -9 of one of them in the middle of a switch."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from environments.packages import PackageIndex, pip_wheel
from support.installation import Installation, free_port, running_installation
from support.served_versions import LEVELS, SERVICE
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.second_tier]
EVERY_SECONDS = 0.02
BESIDE_SECONDS = 2.0
ANSWERS_MIN = 20
FRONT = "mop.serving.front"
PATH = "/contentsafety/text:analyze?api-version=2023-10-01"
SLOTS = (
    "select t.name, s.modality, r.version from releases_liveslot s join releases_release r on r.id = s.live_id"
    " join catalog_taxonomy t on t.id = s.taxonomy_id order by t.name"
)
OPEN_PERIODS = (
    "select t.name, p.modality, r.version from releases_slotperiod p join releases_release r on r.id = p.release_id"
    " join catalog_taxonomy t on t.id = p.taxonomy_id where p.ended_at is null order by t.name"
)
CATEGORIES = ("Hate", "Self-harm", "Sexual", "Violence")


@dataclass
class Caller:
    """Asks one gateway again and again, each time on a connection that is kept, and never twice for one answer.

    Attributes:
        answers: the severities of an answer and when its request was sent, oldest first.
        failures: what came instead of an answer.
    """

    address: str
    key: str
    answers: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            while not self._over.wait(EVERY_SECONDS):
                sent = time.monotonic()
                try:
                    found = ask(client, self.address, self.key)
                except (httpx.HTTPError, AssertionError) as error:
                    self.failures.append((sent, f"{type(error).__name__}: {error}"))
                else:
                    self.answers.append((sent, found))

    def close(self) -> None:
        """Ask no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()


def ask(client: httpx.Client, address: str, key: str) -> tuple[int, ...]:
    """The severities of a text that both versions find."""
    answer = client.post(
        f"{address}{PATH}",
        json={"text": "darn", "outputType": "EightSeverityLevels"},
        headers={"ocp-apim-subscription-key": key},
    )
    assert answer.status_code == 200, answer.text
    return tuple(row["severity"] for row in answer.json()["categoriesAnalysis"])


class Pair:
    """An installation with two gateways of one service."""

    def __init__(self, mop: Installation) -> None:
        self.mop = mop
        self.key = self.run("prepare")
        self.ports = (free_port(), free_port())
        self.processes: list[subprocess.Popen[bytes]] = [self._start(0), self._start(1)]

    def run(self, *words: str) -> str:
        """What `support.served_versions` prints."""
        done = self.mop.run("-m", "support.served_versions", *words, seconds=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def address(self, place: int) -> str:
        return f"http://127.0.0.1:{self.ports[place]}"

    def _start(self, place: int) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "mop.cli", "serve-release", SERVICE, "--port", str(self.ports[place])]
        return self.mop.start(f"gateway-{place}", argv)

    def start_again(self, place: int) -> None:
        """The gateway that died, on its port, which another one still answers on in no case."""
        self.processes[place].wait(20)
        self.processes[place] = self._start(place)

    def wait_ready(self, place: int, version: str) -> None:
        """It says that what is live answers, and it is this version."""

        def is_ready() -> bool:
            try:
                if httpx.get(f"{self.address(place)}/ready", trust_env=False).status_code != 200:
                    return False
                with httpx.Client(trust_env=False) as client:
                    return ask(client, self.address(place), self.key) == (LEVELS[version],) * 4
            except httpx.TransportError:
                return False

        wait_for(is_ready, seconds=90, what=f"gateway {place} answers by {version}", note=self.told, every=0.2)

    def dead(self) -> list[int]:
        return [place for place, process in enumerate(self.processes) if process.poll() is not None]

    def told(self) -> str:
        return "\n".join(self.mop.output(f"gateway-{place}")[-3000:] for place in (0, 1))

    def slots(self) -> list[tuple[Any, ...]]:
        return self.mop.rows(SLOTS)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    index = PackageIndex()
    index.add(pip_wheel())
    try:
        with running_installation(portal=False, package_index=index.url, advisories="imported", chaos=True) as mop:
            yield Pair(mop)
    finally:
        index.close()


@pytest.mark.parametrize(
    ("how", "before", "after"),
    [
        ("before release retired", "v2.0.0", "v6.0.0"),
        ("after release retired", "v6.0.0", "v2.0.0"),
        ("while the new version comes up", "v2.0.0", "v6.0.0"),
    ],
)
def test_one_of_two_gateways_is_killed_in_a_switch_and_the_other_answers_on(
    pair: Pair, how: str, before: str, after: str
):
    """The gateway that is first to switch dies at a failpoint around the commit; then the first one, at any place."""
    mop = pair.mop
    if before not in {version for _, _, version in pair.slots()}:
        pair.run("release", before)
    for place in (0, 1):
        pair.wait_ready(place, before)
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(contextlib.closing(Caller(pair.address(place), pair.key))) for place in (0, 1)]
        number = _switch(pair, how, after)
        wait_for(pair.dead, seconds=60, what=f"a gateway dies {how}", note=pair.told)
        died = time.monotonic()
        [dead] = pair.dead()
        pair.wait_ready(1 - dead, after)
        pair.start_again(dead)
        pair.wait_ready(dead, after)
    _answered_on(callers[1 - dead], LEVELS[before], LEVELS[after], died)
    # the other one was away; what it answered, before and afterwards, came from one release too
    assert {len(set(found)) for _, found in callers[dead].answers} == {1}
    assert pair.slots() == [(one, "Text", after) for one in CATEGORIES]
    assert mop.rows(OPEN_PERIODS) == pair.slots()
    assert mop.rows("select id from releases_release where state = 'released'") == [(int(number),)]
    assert mop.rows("select count(*) from releases_release where state = 'approved'") == [(0,)]


def _switch(pair: Pair, how: str, after: str) -> str:
    """Release a version, and see that a gateway dies while it switches; the number of the release."""
    mop = pair.mop
    if how.endswith("retired"):
        mop.arm(how)
        return pair.run("release", after)
    # what was live before may still run; one that goes on would be taken for one that comes up
    wait_for(lambda: len(mop.processes(FRONT)) == len(pair.ports), seconds=60, what="one version runs in each gateway")
    # a quick gateway has switched before the process that released it has ended
    with ThreadPoolExecutor(1) as beside:
        released = beside.submit(pair.run, "release", after)
        wait_for(
            lambda: len(mop.processes(FRONT)) > len(pair.ports),
            seconds=60,
            what="a version comes up",
            note=pair.told,
            every=0.01,
        )
        pair.processes[0].send_signal(signal.SIGKILL)
        return released.result()


def _answered_on(caller: Caller, before: int, after: int, died: float) -> None:
    """No request failed, each answer is one release's, and after the first new answer no old one was begun."""
    assert caller.failures == []
    assert {len(found) for _, found in caller.answers} == {len(CATEGORIES)}
    assert {len(set(found)) for _, found in caller.answers} == {1}, "an answer of two releases"
    levels = [(sent, found[0]) for sent, found in sorted(caller.answers)]
    assert {level for _, level in levels} == {before, after}
    switched = min(sent for sent, level in levels if level == after)
    # two threads ask: one may have asked just before the switch, and have been answered after the other asked
    assert [sent - switched for sent, level in levels if level == before and sent > switched + BESIDE_SECONDS] == []
    assert sum(sent > died for sent, _ in levels) > ANSWERS_MIN
