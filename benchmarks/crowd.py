"""Many onboardings submitted at once: how they end, how the portal answers meanwhile, what memory it takes.

    .venv/bin/python benchmarks/crowd.py [--models 50] [--readers 0] [--json FILE]

Every tenth model is broken. A browser's request for the Models list is sent five times a second while they run, and
as often for a while before, so that the ratio of the two is from one run. Claims: each revision ends as it must, every
waiting one shows a place in the queue, the list answers within 300 ms for 95 of 100 requests, and the memory of all
of MOP's processes together stays bounded (it is that of the onboardings that run at once, not of those that wait).

With `--readers` as many people read the portal meanwhile, side by side: list, models and their Details, Home, groups,
each a page a second. Claim: none of their requests fails. The 300 ms are then not asked for: the readers are the load.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from environments.packages import PackageIndex, pip_wheel  # noqa: E402 - the harness of the tests
from support.installation import Installation, Submitted, running_installation  # noqa: E402
from support.model_folders import write_model  # noqa: E402

BROKEN_EACH = 10
LIST_P95_MS = 300.0
QUIET_SECONDS = 10.0
PATIENCE_SECONDS = 900.0
READER_SECONDS = 1.0
# what readers look at; the number is a model's
MODEL_PAGES = ("/models/model-{}/", "/models/model-{}/?details=v1.0.0")
READ = (*MODEL_PAGES, "/models/", "/models/?search=model-{}", "/home/", "/groups/")
MIB = 1024**2


@dataclass
class Figures:
    """What one run showed; times in ms unless named otherwise."""

    models: int
    submitted_seconds: float = 0.0
    all_ended_seconds: float = 0.0
    ended_wrong: list[str] = field(default_factory=list)
    waiting_without_place: int = 0
    places_seen: int = 0
    quiet_p50: float = 0.0
    quiet_p95: float = 0.0
    busy_p50: float = 0.0
    busy_p95: float = 0.0
    busy_max: float = 0.0
    list_requests: int = 0
    memory_idle_mib: float = 0.0
    memory_peak_mib: float = 0.0
    readers: int = 0
    pages_read: int = 0
    pages_p50: float = 0.0
    pages_p95: float = 0.0
    pages_failed: list[str] = field(default_factory=list)


def main() -> None:
    """Run it and print the figures; ends with 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--readers", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    index = PackageIndex()
    index.add(pip_wheel())
    try:
        with running_installation(package_index=index.url) as mop:
            figures = measure(mop, arguments.models, arguments.readers)
    finally:
        index.close()
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(figures), indent=1), encoding="utf-8")
    claims = (
        not figures.ended_wrong,
        figures.waiting_without_place == 0,
        figures.busy_p95 < LIST_P95_MS or figures.readers > 0,
        not figures.pages_failed,
        figures.pages_read > 0 or not figures.readers,
    )
    raise SystemExit(0 if all(claims) else 1)


def measure(mop: Installation, models: int, readers: int) -> Figures:
    """One run on a fresh installation."""
    figures = Figures(models, readers=readers)
    mop.start_worker()
    browser = sign_in(mop)
    folders = [
        write_model(mop.folders / f"m{number}", init="raise OSError('broken')" if broken(number) else "pass")
        for number in range(models)
    ]
    with sampled(lambda: requested_list(browser)) as quiet, sampled(lambda: memory_mib(mop)) as idle:
        time.sleep(QUIET_SECONDS)
    with (
        sampled(lambda: requested_list(browser)) as busy,
        sampled(lambda: memory_mib(mop)) as memory,
        reading(browser, models, figures),
    ):
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            revisions = list(pool.map(mop.submit, folders))
        figures.submitted_seconds = time.monotonic() - began
        follow(mop, revisions, figures)
        figures.all_ended_seconds = time.monotonic() - began
    figures.ended_wrong = [
        f"{revision.model}: {shown['status']} {shown['error']}"
        for number, revision in enumerate(revisions)
        if (shown := mop.show(revision))["status"] != ("verifyFailed" if broken(number) else "verified")
    ]
    figures.quiet_p50, figures.quiet_p95 = percentile(quiet, 50), percentile(quiet, 95)
    figures.busy_p50, figures.busy_p95, figures.busy_max = percentile(busy, 50), percentile(busy, 95), max(busy)
    figures.list_requests = len(busy)
    figures.memory_idle_mib, figures.memory_peak_mib = statistics.median(idle), max(memory)
    return figures


def broken(number: int) -> bool:
    """Whether this model raises in init."""
    return number % BROKEN_EACH == BROKEN_EACH - 1


def follow(mop: Installation, revisions: list[Submitted], figures: Figures) -> None:
    """Look at every revision in turn until all have ended."""
    running = dict.fromkeys(revisions)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while running and time.monotonic() < deadline:
        for revision in list(running):
            shown = mop.show(revision)
            if shown["is_final"]:
                del running[revision]
            elif shown["queue"]:
                figures.places_seen += 1
            elif shown["status"] == "created" and waits_for_a_host(mop, revision):
                figures.waiting_without_place += 1
            time.sleep(0.05)


def waits_for_a_host(mop: Installation, revision: Submitted) -> bool:
    """Whether no worker has taken it yet; once taken, it stays so."""
    query = "select host from registry_revision where id = ?"
    ((host,),) = mop.rows(query, revision.id.replace("-", ""))
    return host == ""


def sign_in(mop: Installation) -> httpx.Client:
    """A browser's session on the portal."""
    browser = httpx.Client(base_url=f"http://127.0.0.1:{mop.port}", timeout=60, trust_env=False, follow_redirects=True)
    browser.get("/accounts/login/").raise_for_status()
    answer = browser.post(
        "/accounts/login/",
        data={"login": mop.username, "password": mop.password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]},
    )
    answer.raise_for_status()
    assert "Sign out" in answer.text, "sign-in failed"
    return browser


def requested_list(browser: httpx.Client) -> float:
    """Milliseconds until the Models list was there whole."""
    began = time.perf_counter()
    browser.get("/models/").raise_for_status()
    return (time.perf_counter() - began) * 1000


@contextmanager
def reading(browser: httpx.Client, models: int, figures: Figures) -> Iterator[None]:
    """Readers who are signed in as the browser is, until the block ends; what they met comes into the figures."""
    over = threading.Event()
    times: list[float] = []

    def read(number: int) -> None:
        chosen = random.Random(number)  # noqa: S311 - no secret
        with httpx.Client(base_url=browser.base_url, cookies=browser.cookies, timeout=60, trust_env=False) as client:
            while not over.wait(chosen.uniform(0.5, 1.5) * READER_SECONDS):
                # before all are submitted there are the pages without a number
                pages = READ if figures.submitted_seconds else READ[len(MODEL_PAGES) :]
                address = chosen.choice(pages).format(chosen.randint(1, models))
                began = time.perf_counter()
                try:
                    status = client.get(address).status_code
                except httpx.HTTPError as error:
                    figures.pages_failed.append(f"{address}: {error!r}")
                    continue
                times.append((time.perf_counter() - began) * 1000)
                if status != httpx.codes.OK:
                    figures.pages_failed.append(f"{address}: {status}")

    threads = [threading.Thread(target=read, args=(number,)) for number in range(figures.readers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if times:
        figures.pages_read = len(times)
        figures.pages_p50, figures.pages_p95 = percentile(times, 50), percentile(times, 95)


def memory_mib(mop: Installation) -> float:
    """Proportional memory of every process of the installation."""
    total = 0
    for process in mop.processes():
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total / MIB


@contextmanager
def sampled(measure_once: Callable[[], float], *, every: float = 0.2) -> Iterator[list[float]]:
    """The values that a function gave every so many seconds while the block ran."""
    values: list[float] = []
    faults: list[BaseException] = []
    over = threading.Event()

    def run() -> None:
        try:
            while not over.is_set():
                values.append(measure_once())
                over.wait(every)
        except BaseException as error:  # noqa: BLE001 - raised again where the values are used
            faults.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield values
    finally:
        over.set()
        thread.join()
    if faults:
        raise faults[0]


def percentile(values: list[float], part: int) -> float:
    """A percentile by linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1]


def report(figures: Figures) -> None:
    """Print it for people."""
    write = sys.stdout.write
    write(f"{figures.models} models, all submitted after {figures.submitted_seconds:.1f} s, ")
    write(f"all ended after {figures.all_ended_seconds:.1f} s ")
    write(f"({figures.all_ended_seconds / figures.models:.2f} s each)\n")
    write(f"ended otherwise than they must: {figures.ended_wrong or 'none'}\n")
    write(f"queue: {figures.places_seen} places seen, {figures.waiting_without_place} waiting ones without a place\n")
    write(f"Models list, quiet: p50 {figures.quiet_p50:.0f} ms, p95 {figures.quiet_p95:.0f} ms\n")
    write(
        f"Models list, meanwhile: p50 {figures.busy_p50:.0f} ms, p95 {figures.busy_p95:.0f} ms, max "
        f"{figures.busy_max:.0f} ms of {figures.list_requests} requests; ratio of the p95 "
        f"{figures.busy_p95 / figures.quiet_p95:.1f}\n"
    )
    if figures.readers:
        write(
            f"{figures.readers} readers: {figures.pages_read} pages, p50 {figures.pages_p50:.0f} ms, p95 "
            f"{figures.pages_p95:.0f} ms, failed: {figures.pages_failed or 'none'}\n"
        )
    write(
        f"memory of all processes: {figures.memory_idle_mib:.0f} MiB idle, {figures.memory_peak_mib:.0f} MiB at most\n"
    )


if __name__ == "__main__":
    main()
