"""Put each fault of this folder into a copy of MOP, and see which tests notice.

    .venv/bin/python tests/faults/run.py                        every fault, with the tests that it lists
    .venv/bin/python tests/faults/run.py --only 04 17           the faults whose names begin so
    .venv/bin/python tests/faults/run.py --suites tests/engine  with other tests than the listed ones
    .venv/bin/python tests/faults/run.py --check                only whether every fault fits the code

The listed tests run once without any fault at first: a test that fails anyway notices nothing. A fault is noticed if
each of its tests fails; its row in README.md is written then. With `--suites` it is enough that any test fails, and
nothing is written. The exit status is 1 if a fault does not fit or is not noticed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fault import DATABASES, FOLDER, REPOSITORY, Fault, FaultError, read_faults, troubles_of
from scratch import Outcomes, Scratch, scratch

README = FOLDER / "README.md"
RUN_SECONDS = 400
CONTROL_SECONDS = 1200
HEAD = """\
# Faults that the tests must notice

Each fault makes MOP wrong in one place. `.venv/bin/python tests/faults/run.py` puts it into a copy of MOP and writes
its row here when the tests beside it fail with the fault and pass without it. Before tests are made cheaper, and
after, that command proves that none of these faults slips. Tier 1 is `make test`; tier 2 are the tests marked
`second_tier`, which CI runs too.

| fault | what it breaks | noticed by | tier |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Result:
    """What became of one fault."""

    fault: Fault
    caught: tuple[tuple[str, int], ...] = ()
    passed: tuple[str, ...] = ()
    trouble: str = ""
    seconds: float = 0.0

    @property
    def is_noticed(self) -> bool:
        """Whether every test that was run on it to notice it did; of other suites: whether any did."""
        return not self.trouble and bool(self.caught)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; the exit status."""
    options = _options(arguments)
    try:
        faults = _chosen(options.only or [""])
        if options.check:
            return _check(faults)
        with scratch(REPOSITORY) as copy:
            return _run_all(faults, copy, options.suites)
    except FaultError as error:
        print(error, file=sys.stderr)
        return 1


def _chosen(beginnings: Sequence[str]) -> list[Fault]:
    faults = [fault for fault in read_faults() if fault.name.startswith(tuple(beginnings))]
    if not faults:
        raise FaultError(f"no fault has a name that begins with {' or '.join(beginnings)}")
    return faults


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Which tests notice which faults.")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="beginnings of the names of faults")
    parser.add_argument("--suites", nargs="+", default=[], metavar="PATH", help="run these, not the listed tests")
    parser.add_argument("--check", action="store_true", help="see whether every fault fits the code; run nothing")
    return parser.parse_args(arguments)


def _check(faults: Iterable[Fault]) -> int:
    troubles = [trouble for fault in faults for trouble in troubles_of(fault)]
    print("\n".join(troubles) or "every fault fits the code")
    return bool(troubles)


def _run_all(faults: Sequence[Fault], copy: Scratch, suites: Sequence[str]) -> int:
    began = time.monotonic()
    unfit = {} if suites else _control(faults, copy)
    results = []
    for fault in faults:
        result = _run(fault, copy, suites or fault.tests, unfit)
        results.append(result)
        print(_line(result), flush=True)
    noticed = [result for result in results if result.is_noticed]
    print(f"{len(noticed)} of {len(results)} faults were noticed; {time.monotonic() - began:.0f} s")
    if not suites:
        _write_rows({result.fault.name: _row(result) for result in noticed})
    return len(noticed) != len(results)


def _write_rows(new: dict[str, str]) -> None:
    """Replace the rows of these faults in the table; those of faults that are gone go too."""
    lines = README.read_text().splitlines(keepends=True) if README.exists() else []
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")} | new
    README.write_text(HEAD + "".join(rows[fault.name] for fault in read_faults() if fault.name in rows))


def _control(faults: Iterable[Fault], copy: Scratch) -> dict[str, str]:
    """Run all listed tests without a fault; those that do not pass, with how they ended."""
    unfit: dict[str, str] = {}
    # the browser's driver keeps an event loop running, beside which no asynchronous test can run
    for database, browser in itertools.product(sorted(DATABASES), (False, True)):
        listed = {test for fault in faults if fault.database == database for test in fault.tests}
        tests = sorted(test for test in listed if test.startswith("tests/browser/") == browser)
        if tests:
            outcomes = copy.run(tests, database=database, seconds=CONTROL_SECONDS)
            found = {name: outcome for name, (outcome, _) in outcomes.items() if outcome != "passed"}
            if found:
                print(copy.last_lines())
            unfit |= found
    return unfit


def _run(fault: Fault, copy: Scratch, tests: Sequence[str], unfit: dict[str, str]) -> Result:
    began = time.monotonic()
    try:
        with copy.broken_by(fault):
            outcomes = copy.run(tests, database=fault.database, seconds=RUN_SECONDS)
    except FaultError as error:
        return Result(fault, trouble=str(error))
    caught = tuple((name, tier) for name, (outcome, tier) in outcomes.items() if outcome == "failed")
    passed = tuple(name for name, (outcome, _) in outcomes.items() if outcome != "failed")
    return Result(fault, caught, passed, _trouble(fault, tests, outcomes, unfit), time.monotonic() - began)


def _trouble(fault: Fault, tests: Sequence[str], outcomes: Outcomes, unfit: dict[str, str]) -> str:
    """Why the result does not count; of listed tests each must fail with the fault, and with it alone."""
    if tuple(tests) != fault.tests:
        return ""
    broken = [f"{name} {outcome} without the fault" for name, outcome in unfit.items() if _covers(tests, name)]
    silent = [
        f"{test} does not notice it"
        for test in tests
        if not any(outcome == "failed" and _covers([test], name) for name, (outcome, _) in outcomes.items())
    ]
    return "; ".join([*broken, *silent])


def _covers(tests: Iterable[str], name: str) -> bool:
    """Whether one of pytest's arguments asks for this test."""
    return any(name == test or name.startswith((f"{test}[", f"{test}::", f"{test}/")) for test in tests)


def _line(result: Result) -> str:
    told = result.trouble or ("noticed by" if result.caught else "SLIPPED through")
    counts = f"{len(result.caught)} of {len(result.caught) + len(result.passed)} tests"
    names = "".join(f"\n    {name} (tier {tier})" for name, tier in result.caught)
    return f"{result.fault.name}: {told} {counts}, {result.seconds:.0f} s{names}"


def _row(result: Result) -> str:
    by: dict[str, int] = {name.partition("[")[0]: tier for name, tier in result.caught}
    tests = "<br>".join(f"`{name.removeprefix('tests/')}`" for name in by)
    tiers = "<br>".join(str(tier) for tier in by.values())
    database = " (on PostgreSQL)" if result.fault.database == "postgresql" else ""
    return f"| `{result.fault.name}` | {result.fault.breaks} | {tests}{database} | {tiers} |\n"


if __name__ == "__main__":
    sys.exit(main())
