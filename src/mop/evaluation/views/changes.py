"""Cancel, run again, publish, withdraw: pages that ask first and say what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.evaluation import services
from mop.evaluation.budget import budgets_of
from mop.evaluation.models import Evaluation
from mop.evaluation.standing import get_evaluation
from mop.registry.selectors import get_revision
from mop.registry.trails import below_model
from mop.ui.pages import Done, confirm_page


@dataclass(frozen=True)
class _Change:
    """What one of the pages asks and does."""

    title: str
    lead: Callable[[Evaluation], str]
    submit: str
    done: str
    act: Callable[..., Any]


CHANGES = {
    "cancel": _Change(
        title="Cancel the evaluation",
        lead=lambda _row: "The run ends. A result that stands already stays. It can be run again, from the first row.",
        submit="Cancel evaluation",
        done="The evaluation is cancelled.",
        act=services.cancel,
    ),
    "rerun": _Change(
        title="Run the evaluation again",
        lead=lambda row: f"Every row is answered anew. {_standing(row)}It counts as a measurement: {_left(row)}.",
        submit="Run again",
        done="The evaluation waits for a host.",
        act=services.rerun,
    ),
    "publish": _Change(
        title="Publish this result",
        lead=lambda row: (
            f"Everybody sees the model's name, {row.revision.version} and the metrics on the pages of the task and of "
            "the dataset. The entry has no links; the version stays private. You can withdraw it."
        ),
        submit="Publish result",
        done="The result is shown on the pages of the task and of the dataset.",
        act=services.publish,
    ),
    "withdraw": _Change(
        title="Withdraw this result",
        lead=lambda _row: "The pages of the task and of the dataset show it no longer. Who saw it remembers it.",
        submit="Withdraw result",
        done="The result is withdrawn.",
        act=services.withdraw,
    ),
}


def _standing(row: Evaluation) -> str:
    return "The result that stands stays until the run ends well. " if row.is_measured else ""


def _left(row: Evaluation) -> str:
    return ", ".join(
        f"{one.left} of {one.most} left for the {one.whose}" for one in budgets_of(row.revision, row.dataset)
    )


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, name: str, version: str, task_id: int, dataset: str, what: str) -> HttpResponse:
    """Ask, then do it."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    evaluation = get_evaluation(user, revision, task=task_id, dataset=dataset)
    authorise(user, "evaluation.change", revision, what="change the evaluations of this version")
    asked = CHANGES[what]
    here = reverse("evaluation:details", args=[name, version, task_id, dataset])

    def act() -> Done:
        asked.act(actor=actor_in(request), evaluation=evaluation)
        return Done(asked.done, here)

    trail = below_model(
        name,
        ("Evaluation by datasets", reverse("evaluation:model", args=[name])),
        (f"{dataset}, {version}", here),
        (asked.title, ""),
    )
    return confirm_page(
        request,
        act,
        title=f"{asked.title}?",
        trail=trail,
        lead=f"{dataset}, {version}. {asked.lead(evaluation)}",
        submit=asked.submit,
        cancel_url=here,
    )
