"""A plugin of pytest that writes how each test ended, and its tier, into the file that FAULTS_RECORD names.

Of a test with parameters the rest is left out as soon as one of them has failed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

SECOND_TIER = "second_tier"


class Recorder:
    """Keeps `passed`, `failed` or `skipped`, and the tier, of every test."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: dict[str, str] = {}
        self._tiers: dict[str, int] = {}
        self._failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            self._tiers[item.nodeid] = 2 if item.get_closest_marker(SECOND_TIER) else 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if _function(item.nodeid) in self._failed:
            pytest.skip("it has failed already")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(report.nodeid, "failed")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._note(report.nodeid, report.outcome)

    def pytest_sessionfinish(self) -> None:
        record = {name: [outcome, self._tiers.get(name, 1)] for name, outcome in self._outcomes.items()}
        self._path.write_text(json.dumps(record))

    def _note(self, name: str, outcome: str) -> None:
        if outcome == "failed":
            self._failed.add(_function(name))
        if self._outcomes.get(name) != "failed":
            self._outcomes[name] = outcome


def _function(name: str) -> str:
    return name.partition("[")[0]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(Path(os.environ["FAULTS_RECORD"])), "mop-faults")
