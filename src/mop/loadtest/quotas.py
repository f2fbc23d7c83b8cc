"""How long a team's load tests may have hosts to themselves."""

from __future__ import annotations

import datetime as dt
import math

from django.db.models import Q, Sum
from django.utils import timezone

from mop.accounts.models import Team
from mop.accounts.quotas import Quota
from mop.areas.references import Setting
from mop.loadtest.models import LoadTest
from mop.loadtest.plan import Plan
from mop.loadtest.states import LOAD_TEST_LIFECYCLE

DAY = dt.timedelta(days=1)


def seconds_of(plan: Plan) -> int:
    """What a load test takes at most."""
    return math.ceil(min(plan.budget_s, len(plan.targets) * plan.step_s))


def _measured(team: Team) -> int:
    """What was measured of load tests that began within a day, and what those that wait or run may still take."""
    is_live = Q(state__in=LOAD_TEST_LIFECYCLE.live)
    tests = LoadTest.objects.filter(is_live | Q(created_at__gte=timezone.now() - DAY), revision__model__team=team)
    total = 0.0
    for test in tests.annotate(measured=Sum("steps__seconds")).only("state", "plan"):
        measured = getattr(test, "measured") or 0.0  # noqa: B009 - annotated
        total += max(measured, seconds_of(test.get_plan())) if test.get_state().is_live else measured
    return math.ceil(total)


LOAD_TESTS = Quota(
    name="load-tests",
    label="Load-test time within 24 hours",
    unit="seconds",
    setting=Setting("MOP_TEAM_LOAD_TEST_SECONDS_MAX"),
    used=_measured,
    hint="Wait, or ask for fewer or shorter steps, or a smaller budget.",
)
