"""Reads of load tests. Who may see a revision may see its load tests, so the registry's selectors come first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from mop.accounts.models import User
from mop.errors import NotFoundError
from mop.loadtest.models import LoadTest
from mop.loadtest.states import LOAD_TEST_LIFECYCLE, LoadTestState, state_of_run
from mop.registry.models import Revision
from mop.registry.selectors import visible_revisions
from mop.registry.statuses import RevisionStatus
from mop.serving_options import LoadTestOption

OVERLAYS_MAX = 3
CANDIDATES_MAX = 50
FOLLOWS_WITHIN = dt.timedelta(minutes=2)


@dataclass(frozen=True)
class Run:
    """One run of a revision: a load test for each modality, with their steps."""

    revision: Revision
    number: int
    tests: Sequence[LoadTest]

    @property
    def state(self) -> LoadTestState:
        """The run's one state."""
        return state_of_run([test.get_state() for test in self.tests])

    @property
    def option(self) -> str:
        """PerRPS or PerConcurrency."""
        return self.tests[0].option


def state_without_run(revision: Revision) -> LoadTestState:
    if revision.get_status() == RevisionStatus.VERIFIED:
        return LoadTestState.NOT_STARTED
    return LoadTestState.NOT_AVAILABLE


def follows_by_itself(revision: Revision, state: LoadTestState) -> bool:
    """Whether the pipeline still has to start the load test that the revision asks for; `state` is its newest run's.

    The status and the runs are two transactions apart: `verified` is written first.
    """
    is_asked_for = revision.load_test_option != LoadTestOption.OFF
    return is_asked_for and state == LoadTestState.NOT_STARTED


def unfinished_revisions() -> QuerySet[Revision, Any]:
    """Ids of revisions whose load test waits or runs, or that the pipeline is about to start.

    Of the latter for a while alone: nothing may wait for ever for a pipeline that ended without starting it.
    """
    live = LoadTest.objects.filter(revision=OuterRef("pk"), state__in=sorted(LOAD_TEST_LIFECYCLE.live))
    follows = (
        ~Q(load_test_option=LoadTestOption.OFF)
        & Q(load_tests=None, status=RevisionStatus.VERIFIED)
        & Q(status_changed_at__gte=timezone.now() - FOLLOWS_WITHIN)
    )
    return Revision.objects.filter(Exists(live) | follows).order_by().values("pk")


def is_held_off(revision: Revision) -> bool:
    """Whether the revision's steps wait because a load test has their host to itself."""
    if not revision.host or not revision.get_status().is_live:
        return False
    return LoadTest.objects.filter(host=revision.host, state=LoadTestState.RUNNING).exists()


def runs_of(revision: Revision) -> list[int]:
    """Numbers of a revision's runs, newest first."""
    return list(revision.load_tests.order_by("-run").values_list("run", flat=True).distinct())


def get_run(revision: Revision, number: int | None = None) -> Run | None:
    """A revision's run with its steps; the newest without a number. None when it has none.

    Raises:
        NotFoundError: it has none of this number.
    """
    tests = revision.load_tests.all()
    if number is None:
        number = tests.aggregate(last=Max("run"))["last"]
    found = list(tests.filter(run=number).order_by("modality").prefetch_related("steps")) if number else []
    if found:
        return Run(revision, found[0].run, found)
    if number is not None:
        raise NotFoundError(f"{revision} has no load test run {number}.", hint="The version's page lists its runs.")
    return None


def comparable_revisions(user: User, revision: Revision, option: str) -> list[Revision]:
    """Other revisions of the model that the user may see and that have steps of the same kind of load test."""
    measured = LoadTest.objects.filter(option=option).exclude(steps=None).values("revision")
    others = visible_revisions(user).filter(Q(model=revision.model) & Q(pk__in=measured)).exclude(pk=revision.pk)
    return list(others.order_by("-created_at")[:CANDIDATES_MAX])


def overlaid_runs(user: User, revision: Revision, option: str, versions: Sequence[str]) -> list[Run]:
    """The newest runs of that kind of these other versions of the model, as far as the user may see them."""
    chosen = [other for other in comparable_revisions(user, revision, option) if other.version in set(versions)]
    runs = [_newest_run_of_kind(other, option) for other in chosen[:OVERLAYS_MAX]]
    return [run for run in runs if run is not None]


def _newest_run_of_kind(revision: Revision, option: str) -> Run | None:
    last = revision.load_tests.filter(option=option).exclude(steps=None).aggregate(last=Max("run"))["last"]
    return get_run(revision, last) if last else None
