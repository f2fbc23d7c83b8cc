"""One evaluation: its run, and everything that its result tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.errors import MopError, ValidationFailedError
from mop.evaluation.comparisons import comparison, obstacle, previous_result
from mop.evaluation.exports import FORMATS
from mop.evaluation.models import Evaluation
from mop.evaluation.ranking import standing_of
from mop.evaluation.reading import report_for
from mop.evaluation.reports.comparison import ComparisonOut
from mop.evaluation.reports.names import WORDS
from mop.evaluation.results import NOT_MEASURED_SHARE, document_of
from mop.evaluation.standing import evaluations_of_model, get_evaluation
from mop.evaluation.states import EvaluationState
from mop.evaluation.views.drawing import (
    explorer_of,
    facts_of,
    further_of,
    lines_of,
    maps_of,
    partitions_of,
    plots_of,
    slices_of,
    span_of_report,
)
from mop.registry.selectors import get_revision
from mop.registry.statuses import PublishStatus
from mop.registry.trails import below_model
from mop.ui.fragments import Action, Live, live_answer

COMPARED_METRICS = ("macro_f1", "macro_precision", "macro_recall", "weighted_f1", "micro_f1", "accuracy")
CANDIDATES_MAX = 100


@require_GET
def details(request: HttpRequest, name: str, version: str, task_id: int, dataset: str) -> HttpResponse:
    """The page; `?merge=LABEL&merge=LABEL` puts labels together, `?with=VERSION` compares with another version."""
    return render(request, "evaluation/details.html", _context(request, name, version, task_id, dataset))


@require_GET
def live_details(request: HttpRequest, name: str, version: str, task_id: int, dataset: str) -> HttpResponse:
    """The page's live part again while the evaluation waits or runs."""
    context = _context(request, name, version, task_id, dataset)
    return live_answer(request, context["live"], context)


def _context(request: HttpRequest, name: str, version: str, task_id: int, dataset: str) -> dict[str, Any]:
    user = user_of(request)
    revision = get_revision(user, name, version)
    evaluation = get_evaluation(user, revision, task=task_id, dataset=dataset)
    state = evaluation.get_state()
    may_change = may(user, "evaluation.change", revision)
    trail = below_model(
        name, ("Evaluation by datasets", reverse("evaluation:model", args=[name])), (f"{dataset}, {version}", "")
    )
    where = [name, version, task_id, dataset]
    context: dict[str, Any] = {
        "evaluation": evaluation,
        "revision": revision,
        "trail": trail,
        "state": state,
        "download_kinds": tuple(FORMATS),
        "is_run_shown": state != EvaluationState.FINISHED or evaluation.is_stale,
        "publishing": _publishing(evaluation, may_change=may_change),
        "sees_rows": may(user, "evaluation.view_places", evaluation.dataset),
        "live": Live(
            id="evaluation-live",
            url=reverse("evaluation:live_details", args=where),
            query=request.GET.urlencode(),
            seconds=5,
            is_final=state.is_final,
            state=[
                [evaluation.state, evaluation.attempt, evaluation.tries, evaluation.progress, evaluation.note],
                [evaluation.ends_about, evaluation.retry_at],
                [evaluation.measured_at, evaluation.is_stale, evaluation.error, evaluation.error_counts],
            ],
            progress="evaluation/components/progress.html",
            actions=_actions(evaluation, where) if may_change else (),
            announce=f"Evaluation of {version} on {dataset} is {state.value}",
            moving="The evaluation goes on",
        ),
    }
    if evaluation.is_measured:
        context |= _result(request, evaluation)
    return context


def _actions(evaluation: Evaluation, where: Sequence[Any]) -> list[Action]:
    if not evaluation.get_state().is_final:
        return [Action("cancel", "Cancel…", reverse("evaluation:cancel", args=where), "danger")]
    label = "Run it again…" if evaluation.is_measured else "Try again…"
    return [Action("rerun", label, reverse("evaluation:rerun", args=where))]


def _publishing(evaluation: Evaluation, *, may_change: bool) -> str:
    """What an owner may do about the visibility of the single result: publish, withdraw, or nothing."""
    is_public = evaluation.revision.publish_status == PublishStatus.PUBLIC
    if not may_change or not evaluation.is_measured:
        return ""
    if evaluation.is_published:
        return "withdraw"
    return "" if is_public else "publish"


def _result(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    merge = list(dict.fromkeys(request.GET.getlist("merge")))
    problem = ""
    try:
        report = report_for(evaluation, merge)
    except ValidationFailedError as error:
        problem, report = error.message, report_for(evaluation)
    names = document_of(evaluation).matrix.labels
    span = span_of_report(report)
    return {
        "report": report,
        "maps": maps_of(report),
        "span": span,
        "lines": lines_of(report, span),
        "facts": facts_of(report),
        "further": further_of(report),
        "partitions": partitions_of(report),
        "plots": plots_of(report),
        "explorer": explorer_of(request.GET, report),
        "slices": slices_of(report),
        "labels": [(label, label in merge) for label in names] if len(names) > 2 and not report.levels else [],  # noqa: PLR2004
        "merge_problem": problem,
        "standing": None if merge else standing_of(evaluation.revision, evaluation.task, average="macro", metric="f1"),
        "no_answer_share": report.no_answer / report.rows if report.rows else 0.0,
        "is_for_gates": report.no_answer <= NOT_MEASURED_SHARE * report.rows,
        "errors": sorted(evaluation.error_counts.items(), key=lambda one: -one[1]),
        **_compared(request, evaluation),
    }


def _compared(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """Against the version before, or the one that `with` names."""
    user = user_of(request)
    others = (
        evaluations_of_model(user, evaluation.revision.model)
        .filter(dataset=evaluation.dataset_id, task=evaluation.task_id, measured_at__isnull=False)
        .exclude(pk=evaluation.pk)
        .order_by("-revision__created_at")
    )
    candidates = dict(others.values_list("revision__version", "pk")[:CANDIDATES_MAX])
    chosen = candidates.get(request.GET.get("with", ""))
    if chosen is None:
        before = previous_result(evaluation)
        chosen = before.pk if before is not None and before.pk in candidates.values() else None
    first = None if chosen is None else evaluations_of_model(user, evaluation.revision.model).get(pk=chosen)
    found, reason = _comparison(first, evaluation) if first is not None else (None, "")
    headline = "positive_f1" if found and "positive_f1" in found.metrics else "macro_f1"
    names = [name for name in (headline, *COMPARED_METRICS) if found and name in found.metrics]
    return {
        "candidates": list(candidates),
        "against": first.revision if first else None,
        "compared": found,
        "not_compared": reason,
        "compared_headline": found.metrics[headline] if found else None,
        "compared_metrics": [(WORDS[name], found.metrics[name]) for name in dict.fromkeys(names)] if found else [],
    }


def _comparison(first: Evaluation, second: Evaluation) -> tuple[ComparisonOut | None, str]:
    if reason := obstacle(first, second):
        return None, reason
    try:
        return comparison(first, second), ""
    except MopError as error:
        return None, error.message
