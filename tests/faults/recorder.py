"""A plugin of pytest that writes how each test ended, and its tier, into the file that FAULTS_RECORD names."""

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

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            self._tiers[item.nodeid] = 2 if item.get_closest_marker(SECOND_TIER) else 1

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
        if self._outcomes.get(name) != "failed":
            self._outcomes[name] = outcome


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(Path(os.environ["FAULTS_RECORD"])), "mop-faults")
