"""Time budgets of the suites, and the rule that in CI nothing is skipped unseen. A pytest plugin.

A suite is a folder below tests/ (or `mop-client`, `mop-utils`). Its time is the sum of its tests' set-up, call and
tear-down, whatever number of processes runs them. Over budget is printed; in CI (`CI=true`) a suite at many times its
budget, which no busy machine explains, fails the run; so does a skipped test that `ALLOWED_SKIPS` does not list.
In a second try (`TRIED_AGAIN=yes`, see scripts/run-tests.sh) that passes, the tests are named as unsteady.
"""

from __future__ import annotations

import collections
import fnmatch
import os

import pytest

# seconds, on 2 cores with warm caches
BUDGETS = {
    "accounts": 120,
    "advisories": 60,
    "api": 400,
    "areas": 60,
    "audit": 20,
    "backup": 60,
    "browser": 600,
    "catalog": 30,
    "chaos": 600,
    "cli": 420,
    "client": 60,
    "contract_runs": 30,
    "datasets": 90,
    "dsat": 60,
    "engine": 120,
    "environments": 400,
    "evaluation": 120,
    "findings": 90,
    "golden_sets": 60,
    "help": 20,
    "history": 30,
    "hosting": 180,
    "insights": 20,
    "integration": 720,
    "mop-client": 30,
    "mop-utils": 60,
    "loadtest": 60,
    "notifications": 120,
    "onboarding": 480,
    "pipeline": 240,
    "portal": 180,
    "registry": 120,
    "gateway": 60,
    "regression": 60,
    "releases": 100,
    "samples": 60,
    "sandbox": 240,
    "scanning": 120,
    "security": 360,
    "serving": 300,
    "sources": 20,
    "storage": 300,
    "top": 120,
    "trials": 40,
    "ui": 20,
    "worker": 120,
}
UNPLANNED = 60
FAR_OVER = 4.0
FAULTS_EXIT_STATUS = 6  # unlike that of a failed test: a second try fixes none of them

# what some hosts of a CI cannot run: pattern of a test's id → why
_LEVEL_1 = "level 1 needs control groups that the process may write; containers often have none"
_ROOT = "only root has what it needs"
_DISKS = "a small disk can only be mounted by root outside most containers"
_PYTHONS = "the host has only some of the Pythons"
_CPUS = "the host has one CPU"
ALLOWED_SKIPS = {
    "tests/sandbox/test_*.py::*[[]cgroup*": _LEVEL_1,
    "tests/chaos/test_killed_front.py::*cgroup]": _LEVEL_1,
    "tests/datasets/test_cage_levels.py::*[[]cgroup*": _LEVEL_1,
    "tests/onboarding/test_gallery.py::*each_level*cgroup*": _LEVEL_1,
    "tests/sandbox/test_landlock.py::*[[]separate user*": _ROOT,
    "tests/sandbox/test_probe.py::test_jobs_of_root_run_as_nobody_elses_user*": _ROOT,
    "tests/security/test_escape.py::*[[]cgroup*": _LEVEL_1,
    "tests/hosting/test_allowed_network.py::*[[]cgroup*": _LEVEL_1,
    "tests/hosting/test_fresh_service.py::*[[]*cgroup*": _LEVEL_1,
    "tests/hosting/test_tools.py::test_one_of_another_user_is_refused": _ROOT,
    "tests/sandbox/test_probe.py::test_an_ordinary_user_gets_level_2": "needs root, and a Python that others may run",
    "tests/sandbox/test_mounts.py::test_the_systems_python_needs_no_mount_of_its_own": "the host has no system Python",
    "tests/sandbox/test_limits.py::test_a_job_that_widens_its_affinity_is_put_back*": _CPUS,
    "tests/sandbox/test_limits.py::test_jobs_take_different_cpus_while_there_are_enough": _CPUS,
    "tests/storage/test_file_source.py::test_a_device_is_refused": "containers make no device nodes",
    "tests/environments/test_builds.py::test_a_full_disk_is_the_platforms_fault": _DISKS,
    "tests/chaos/test_full_disks.py::test_a_full_disk[[]*": _DISKS,
    "tests/environments/test_with_the_package_index.py::test_python_3_10_as_written_*": _PYTHONS,
    "tests/environments/test_with_the_package_index.py::test_an_old_numpy_on_a_new_python_*": _PYTHONS,
    "tests/environments/test_with_the_package_index.py::test_the_public_mop_utils_2_0_installs": _PYTHONS,
}


class Ledger:
    """What the suites took, and what was skipped."""

    def __init__(self) -> None:
        self.seconds: collections.Counter[str] = collections.Counter()
        self.tests: dict[str, set[str]] = collections.defaultdict(set)
        self.skipped: dict[str, str] = {}

    @property
    def unsteady(self) -> list[str]:
        """Tests of a second try."""
        return sorted(test for tests in self.tests.values() for test in tests) if os.environ.get("TRIED_AGAIN") else []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        suite = suite_of(report.nodeid)
        self.seconds[suite] += report.duration
        self.tests[suite].add(report.nodeid)
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped[report.nodeid] = _reason(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped[report.nodeid] = _reason(report)

    def faults(self) -> list[str]:
        """What must not happen in CI."""
        over = [
            f"the suite {suite} took {seconds:.0f} s, far over its budget of {budget_of(suite)} s"
            for suite, seconds in sorted(self.seconds.items())
            if seconds > FAR_OVER * budget_of(suite)
        ]
        return over + [f"skipped: {name}: {why}" for name, why in self.skipped.items() if not allowed_skip(name)]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if in_ci() and self.faults():
            session.exitstatus = FAULTS_EXIT_STATUS

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        if not self.seconds:
            return
        write = terminalreporter.write_line
        terminalreporter.section("suites: seconds of their budgets")
        for suite, seconds in sorted(self.seconds.items()):
            budget = budget_of(suite)
            mark = "  OVER BUDGET" if seconds > budget else ""
            write(f"{suite:<14}{len(self.tests[suite]):>5} tests {seconds:>8.1f} of {budget} s{mark}")
        for fault in self.faults():
            write(f"{'FAILS' if in_ci() else 'would fail in CI'}: {fault}")
        for test in self.unsteady if exitstatus == pytest.ExitCode.OK else ():
            write(f"UNSTEADY: {test} failed, and passed when it ran again alone; find out why")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest first: at the end no process waits for a long test of another.

    By the budget of its suite, or by its own timeout if that is larger and longer than the usual one. Tests that kill
    processes wait for the most part, and stay with their suite.
    """
    usual = float(config.getini("timeout") or 0)
    items.sort(key=lambda item: -max(budget_of(suite_of(item.nodeid)), _longer_than(usual, item)))


def _longer_than(usual: float, item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    seconds = float(marker.args[0]) if marker and marker.args else 0.0
    return seconds if seconds > usual and not item.get_closest_marker("chaos") else 0.0


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # an xdist worker's reports reach the controller
        config.pluginmanager.register(Ledger(), "mop-budgets")


def suite_of(nodeid: str) -> str:
    """The suite that a test belongs to."""
    parts = nodeid.split("::", maxsplit=1)[0].split("/")
    if parts[0] == "packages":
        return parts[1]
    return parts[1] if len(parts) > 2 else "top"


def budget_of(suite: str) -> int:
    """Seconds that a suite may take."""
    return BUDGETS.get(suite, UNPLANNED)


def allowed_skip(nodeid: str) -> bool:
    """Whether a test may be skipped on some hosts."""
    return any(fnmatch.fnmatch(nodeid, pattern) for pattern in ALLOWED_SKIPS)


def in_ci() -> bool:
    """Whether this run decides about a change."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
