"""Load tests on Home: those of a person's own models that run or ended lately."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.loadtest.models import LoadTest
from mop.loadtest.states import LOAD_TEST_LIFECYCLE, LoadTestState, state_of_run
from mop.ui.extensions import HOME_DAYS, HOME_ITEMS_MAX, HomeItem, HomeList
from mop.ui.newest import newest_of_kinds

_ENDED = (LoadTestState.FINISHED, LoadTestState.FAILED)
_MODALITIES = 3


def load_tests(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """Runs of load tests, one item for all modalities of a run: those that run, and those that ended lately."""
    lately = timezone.now() - dt.timedelta(days=HOME_DAYS)
    own = (
        LoadTest.objects.filter(revision__model__owners=user)
        .select_related("revision__model")
        .defer("plan", "conditions", "progress", "revision__sample_post_data")
    )
    running = Q(state__in=sorted(LOAD_TEST_LIFECYCLE.live))
    ended = Q(state__in=_ENDED, ended_at__gte=lately)
    at = Coalesce("ended_at", "created_at")
    runs: dict[tuple[object, int], list[LoadTest]] = {}
    for test in newest_of_kinds(own, (running, ended), by=at, most=HOME_ITEMS_MAX * _MODALITIES):
        runs.setdefault((test.revision_id, test.run), []).append(test)
    return [_item(tests) for tests in runs.values()]


def _item(tests: Sequence[LoadTest]) -> HomeItem:
    test = tests[0]
    state = state_of_run([one.get_state() for one in tests])
    name, version = test.revision.model.name, test.revision.version
    failed = next((one for one in tests if one.get_state() == LoadTestState.FAILED), None)
    place, text, icon = HomeList.RUNS, "is load-tested", "busy"
    reason = test.note or state.meaning
    if state == LoadTestState.FAILED and failed:
        place, text, icon = HomeList.NEEDS, "could not be load-tested", "bad"
        reason = str((failed.error or {}).get("message", ""))
    elif state == LoadTestState.FINISHED:
        place, text, icon, reason = HomeList.ENDED, "was load-tested", "ok", ""
    return HomeItem(
        place=place,
        what=f"{name} {version}",
        url=reverse("registry:revision", kwargs={"name": name, "version": version}),
        text=text,
        reason=reason,
        at=test.ended_at or test.started_at or test.created_at,
        action="See result" if place is not HomeList.RUNS else "See steps",
        action_url=reverse("loadtest:result", kwargs={"name": name, "version": version}),
        is_fault=place is HomeList.NEEDS,
        icon=icon,
    )
