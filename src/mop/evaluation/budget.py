"""How often a model, a person and a team were measured on a dataset, and how often they may be.

Each evaluation tells something about the rows: its numbers are a channel that no rule closes. What limits it is how
many there are.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from mop.accounts.actions import Action
from mop.accounts.models import Team
from mop.audit.models import AuditEvent
from mop.datasets.models import Dataset
from mop.errors import EvaluationBudgetError
from mop.evaluation.models import Evaluation, Measurement
from mop.registry.models import Revision


@dataclass(frozen=True)
class Used:
    """How much of one budget is used.

    Attributes:
        whose: `model`, `person` or `team`.
        name: of it.
        used: measurements in the last `days` days.
        most: that there may be.
    """

    whose: str
    name: str
    used: int
    most: int
    days: int

    @property
    def left(self) -> int:
        """Measurements that are left."""
        return max(0, self.most - self.used)


def budgets_of(revision: Revision, dataset: Dataset) -> tuple[Used, ...]:
    """The budgets that a measurement of this revision on this dataset counts in. Four queries."""
    days = settings.MOP_EVALUATION_BUDGET_DAYS
    since = timezone.now() - dt.timedelta(days=days)
    recent = Measurement.objects.filter(dataset=dataset, at__gte=since)
    whose = _whose(revision)
    names = {field: {name} for field, name in whose.items()}
    names["team_name"] |= _former_names(revision.model.team)  # a team that is renamed has no new budget
    limits = {
        "model_name": settings.MOP_EVALUATION_BUDGET_MODEL,
        "person_name": settings.MOP_EVALUATION_BUDGET_PERSON,
        "team_name": settings.MOP_EVALUATION_BUDGET_TEAM,
    }
    return tuple(
        Used(
            field.removesuffix("_name"),
            whose[field],
            recent.filter(**{f"{field}__in": names[field]}).count(),
            most,
            days,
        )
        for field, most in limits.items()
    )


def check_budget(revision: Revision, dataset: Dataset) -> None:
    """Refuse a measurement that no budget is left for.

    Raises:
        EvaluationBudgetError: the message says whose.
    """
    for one in budgets_of(revision, dataset):
        if not one.left:
            raise EvaluationBudgetError(
                f"The {one.whose} {one.name} was measured {_times(one.used)} on {dataset} in {one.days} days; "
                f"the budget is {one.most}."
            )


def _former_names(team: Team) -> set[str]:
    renamed = AuditEvent.objects.filter(object_type="team", object_id=str(team.pk), action=Action.TEAM_CHANGED)
    return {name for name in renamed.values_list("data__former_name", flat=True) if name}


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def count_measurement(evaluation: Evaluation) -> None:
    """Note a run before its first row, once however often it resumes. The caller holds the dataset locked.

    Raises:
        EvaluationBudgetError: there is no budget for it.
    """
    if Measurement.objects.filter(run=evaluation.run_name).exists():
        return
    check_budget(evaluation.revision, evaluation.dataset)
    Measurement.objects.create(dataset=evaluation.dataset, run=evaluation.run_name, **_whose(evaluation.revision))


def _whose(revision: Revision) -> dict[str, str]:
    return {
        "model_name": revision.model.name,
        "person_name": revision.created_by.username,
        "team_name": revision.model.team.name,
    }
