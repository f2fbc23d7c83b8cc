"""Evaluations on Home: of a person's own models those that failed, that wait or run, and new results."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.evaluation.models import Evaluation
from mop.evaluation.standing import evaluations
from mop.evaluation.states import EVALUATION_LIFECYCLE, EvaluationState
from mop.evaluation.views.rows import details_url
from mop.registry.statuses import RevisionStatus
from mop.ui.extensions import HOME_DAYS, HOME_ITEMS_MAX, HomeItem, HomeList
from mop.ui.newest import newest_of_kinds

FAILED = (EvaluationState.FAILED, EvaluationState.MAPPING_ERROR)
_OF_ONE_VERSION = 10
_NAMES_MAX = 3


def evaluated(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """One item for all evaluations of a version that stand alike: failed, on their way, ended lately."""
    lately = timezone.now() - dt.timedelta(days=HOME_DAYS)
    own = evaluations().filter(revision__model__owners=user).defer("failed_rows", "revision__sample_post_data")
    failed = Q(state__in=FAILED, revision__status=RevisionStatus.VERIFIED)
    running = Q(state__in=sorted(EVALUATION_LIFECYCLE.live))
    ended = Q(state=EvaluationState.FINISHED, measured_at__gte=lately)
    at = Coalesce("ended_at", "queued_at")
    found: dict[tuple[HomeList, uuid.UUID], list[Evaluation]] = {}
    for row in newest_of_kinds(own, (failed, running, ended), by=at, most=HOME_ITEMS_MAX * _OF_ONE_VERSION):
        found.setdefault((_place(row), row.revision_id), []).append(row)
    return [_item(place, rows) for (place, _), rows in found.items()]


def _place(row: Evaluation) -> HomeList:
    state = row.get_state()
    if state in FAILED:
        return HomeList.NEEDS
    return HomeList.ENDED if state == EvaluationState.FINISHED else HomeList.RUNS


def _item(place: HomeList, rows: Sequence[Evaluation]) -> HomeItem:
    newest = rows[0]
    name, version = newest.revision.model.name, newest.revision.version
    where = newest.dataset.name if len(rows) == 1 else f"{len(rows)} datasets"
    text, action, icon, reason = f"was evaluated on {where}", "See results", "ok", _numbers(rows)
    if place is HomeList.NEEDS:
        text, action, icon = f"could not be evaluated on {where}", "See why", "bad"
        reason = str((newest.error or {}).get("message", ""))
    elif place is HomeList.RUNS:
        text, action, icon, reason = f"is evaluated on {where}", "See progress", "busy", _progress(newest)
    return HomeItem(
        place=place,
        what=f"{name} {version}",
        url=reverse("registry:revision", kwargs={"name": name, "version": version}),
        text=text,
        reason=reason,
        at=newest.ended_at or newest.started_at or newest.queued_at,
        action=action,
        action_url=details_url(newest) if len(rows) == 1 else reverse("evaluation:model", args=[name]),
        is_fault=place is HomeList.NEEDS,
        icon=icon,
    )


def _progress(row: Evaluation) -> str:
    if row.retry_at is not None:
        return f"It is tried again: {(row.error or {}).get('message', '')}"
    return row.note or row.get_state().meaning


def _numbers(rows: Sequence[Evaluation]) -> str:
    shown = [
        f"F1 {'undefined' if row.headline is None else f'{row.headline:.3f}'} on {row.dataset.name}"
        for row in rows[:_NAMES_MAX]
    ]
    more = f" and {len(rows) - _NAMES_MAX} more" if len(rows) > _NAMES_MAX else ""
    return f"{', '.join(shown)}{more}."
