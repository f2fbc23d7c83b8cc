"""What people are told of regression tests: numbers, and nothing of a case."""

from __future__ import annotations

from django.urls import reverse

from mop.audit.services import Actor
from mop.errors import MopError
from mop.evaluation.case_runs.states import CaseRunState
from mop.evaluation.notices import is_news
from mop.notifications.scopes import Scope
from mop.notifications.services import News, notify
from mop.registry.notices import MODEL_SCOPE
from mop.regression.comparison import comparison_of, previous_run
from mop.regression.kinds import Kind
from mop.regression.models import RegressionRun


def notify_end(run: RegressionRun, *, actor: Actor, error: MopError | None) -> None:
    """Tell the model's owners how a test ended. Call it in the transaction that ends it.

    Of one that ran again by itself, because cases came or changed, they are told when it could not be done.
    """
    if run.get_state() == CaseRunState.FINISHED:
        if run.asks_all:
            _tell_result(run, actor)
    elif is_news(error):
        _tell(run, actor, Kind.FAILED, "could not be run on DSAT cases", error.message, error.hint)


def _tell_result(run: RegressionRun, actor: Actor) -> None:
    passed = f"passed {run.passed or 0:,} of {run.cases:,} DSAT cases" if run.cases else "has no DSAT case to pass yet"
    before = previous_run(run)
    found = comparison_of(run, before) if before else None
    if before is not None and found is not None and found.broken:
        reason = f"{found.broken:,} newly broken and {found.fixed:,} newly fixed against {before.revision.version}."
        _tell(run, actor, Kind.BROKEN, passed, reason)
    else:
        reason = f"{found.fixed:,} newly fixed against {before.revision.version}." if before and found else ""
        _tell(run, actor, Kind.FINISHED, passed, reason or "There is no version before to compare with.")


def _tell(run: RegressionRun, actor: Actor, kind: Kind, ending: str, reason: str, hint: str = "") -> None:
    revision = run.revision
    address = reverse("regression:model", args=(revision.model.name,))
    notify(
        actor=actor,
        people=revision.model.owners.order_by("pk"),
        news=News(
            kind=kind,
            event=f"revision:{revision.pk}:regression:{run.pk}:{run.attempt}",  # goes with the revision
            title=f"{revision} {ending}",
            reason=reason,
            hint=hint,
            link=f"{address}?version={revision.version}",
            scope=Scope(MODEL_SCOPE, revision.model_id),
        ),
    )
