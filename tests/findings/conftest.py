"""People and a model whose versions are scanned."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from django.utils import timezone

from mop.registry.models import Revision
from support.people import administrator, model, owner, revision, stranger  # noqa: F401 - fixtures
from support.scans import verify


@dataclass
class Calendar:
    """The day that MOP takes for today."""

    today: dt.date

    def go_on(self, days: int) -> dt.date:
        """Let days pass.

        Returns:
            The new day.
        """
        self.today += dt.timedelta(days=days)
        return self.today


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """A calendar that only the test turns over."""
    found = Calendar(timezone.localdate())
    monkeypatch.setattr(timezone, "localdate", lambda: found.today)
    return found


@pytest.fixture
def verified(revision: Revision) -> Revision:  # noqa: F811 - the fixture
    """The same revision, verified; a warning of its environment stands beside those of the scan."""
    return verify(revision, warnings=["Python 3.11.4 is not installed here."])
