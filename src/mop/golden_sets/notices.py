"""What people are told of runs on golden sets: numbers, and never a row."""

from __future__ import annotations

from django.urls import reverse

from mop.audit.services import Actor
from mop.errors import MopError
from mop.evaluation.case_runs.states import CaseRunState
from mop.evaluation.notices import is_news
from mop.golden_sets.kinds import Kind
from mop.golden_sets.models import GoldenRun
from mop.notifications.scopes import Scope
from mop.notifications.services import News, notify
from mop.registry.notices import MODEL_SCOPE


def notify_end(run: GoldenRun, *, actor: Actor, error: MopError | None) -> None:
    """Tell the model's owners how a run ended. Call it in the transaction that ends it."""
    state = run.get_state()
    name = run.version.golden_set.name
    if state == CaseRunState.FINISHED:
        kind = Kind.FAILED if run.failed else Kind.PASSED
        count = f"failed {run.failed:,} of" if run.failed else "passed all"
        ending = f"{count} {run.cases:,} rows of the golden set {name}"
        _tell(run, actor, kind, ending, f"Task {run.version.golden_set.task}.")
    elif is_news(error):
        _tell(run, actor, Kind.FAILED, f"could not be run on the golden set {name}", error.message, error.hint)


def _tell(run: GoldenRun, actor: Actor, kind: Kind, ending: str, reason: str, hint: str = "") -> None:
    revision = run.revision
    notify(
        actor=actor,
        people=revision.model.owners.order_by("pk"),
        news=News(
            kind=kind,
            event=f"revision:{revision.pk}:golden:{run.pk}:{run.attempt}",  # goes with the revision
            title=f"{revision} {ending}",
            reason=reason,
            hint=hint,
            link=reverse("golden_sets:results", args=(revision.model.name, revision.version)),
            scope=Scope(MODEL_SCOPE, revision.model_id),
        ),
    )
