"""Changing a try's state. With its end goes what was sent."""

from __future__ import annotations

from mop.audit.transitions import Change, Entity
from mop.trials.actions import Action
from mop.trials.models import Trial
from mop.trials.states import TRIAL_LIFECYCLE, TrialState


def _set_fields(change: Change[Trial, TrialState]) -> None:
    if change.to.is_final:
        trial = change.row
        trial.ended_at = change.at
        trial.note = ""
        trial.public_key = trial.sealed_input = None


TRIAL = Entity(
    model=Trial,
    lifecycle=TRIAL_LIFECYCLE,
    name="trial",
    object_type="trial",
    action=Action.STATE,
    field="state",
    related=("revision__model",),
    set_fields=_set_fields,
    audit_data=lambda trial: {"revision": str(trial.revision_id)},
)
