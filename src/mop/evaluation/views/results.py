"""Results by dataset on the pages of models, tasks and datasets, and the rank percentiles of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.areas.work import StagePosition
from mop.catalog.models import LabelType
from mop.catalog.selectors import get_task_by_id
from mop.datasets.selectors import get_dataset
from mop.evaluation.listing import PINS_MAX, Query, best_by_dataset, choices_of, query_of, results_page
from mop.evaluation.models import Evaluation
from mop.evaluation.ranking import leaderboard, rank_of
from mop.evaluation.reports.names import AVERAGES, METRICS
from mop.evaluation.standing import best_of, evaluations_of_model, shown_to_everybody
from mop.evaluation.views.rows import details_url, shown_results
from mop.registry.models import Model, Revision
from mop.registry.selectors import get_model, visible_revisions
from mop.registry.stage_order import held_by_earlier
from mop.registry.statuses import PublishStatus, RevisionStatus
from mop.registry.trails import below_model
from mop.registry.views.context import facts_context
from mop.ui.extensions import MODEL_TABS
from mop.ui.figures import interval_figure, span_of

HELD_MAX = 5
EMPTY = {
    "model": (
        "Verified versions are evaluated by themselves, after their load test, on every dataset that is approved for a "
        "connected task."
    ),
    "task": "Results appear when a public version was evaluated on an approved dataset of the task.",
    "dataset": "Results appear when a public version was evaluated on the dataset.",
}


@require_GET
def of_model(request: HttpRequest, name: str) -> HttpResponse:
    """The results of a model's versions, by dataset."""
    user = user_of(request)
    model = get_model(user, name)
    rows = evaluations_of_model(user, model)
    context = {
        **_head(request, model, "evaluation:model", "Evaluation by datasets"),
        **_list(request, rows, scope="model", links_all=True),
        "download": reverse("evaluation:download", args=[name, "csv"]),
        "after_load_test": _after_load_test(user, model),
    }
    return render(request, "evaluation/model.html", context)


def _after_load_test(user: User, model: Model) -> list[str]:
    """Verified versions whose evaluations begin when their load test has ended. One query."""
    usable = visible_revisions(user).filter(model=model, status=RevisionStatus.VERIFIED)
    held = held_by_earlier(StagePosition.EVALUATION, usable).order_by("-created_at", "-id")
    return list(held.values_list("version", flat=True)[:HELD_MAX])


@require_GET
def of_task(request: HttpRequest, task_id: int) -> HttpResponse:
    """The results of all public versions for a task, and single ones that were published."""
    user_of(request)
    task = get_task_by_id(task_id)
    rows = shown_to_everybody().filter(task=task)
    query = query_of(request.GET)
    board = leaderboard(task, average=query.average, metric=query.metric, label=query.label)
    context = {
        "task": task,
        "trail": [
            ("Tasks", reverse("catalog:tasks")),
            (task.name, reverse("catalog:task", args=[task.pk])),
            ("Results", ""),
        ],
        "best": [
            (row, getattr(row, query.metric_field(query.metric)), details_link(row))
            for row in best_by_dataset(best_of(task), query)
        ],
        **board_context(user_of(request), board),
        "board_words": _metric_words(query),
        **_list(request, rows, scope="task", links_all=False),
    }
    return render(request, "evaluation/task.html", context)


@require_GET
def of_dataset(request: HttpRequest, name: str) -> HttpResponse:
    """The results of all public versions on a dataset, and single ones that were published."""
    user_of(request)
    dataset = get_dataset(name)
    rows = shown_to_everybody().filter(dataset=dataset)
    trail = [
        ("Evaluation Datasets", reverse("datasets:datasets")),
        (name, reverse("datasets:dataset", args=[name])),
        ("Results", ""),
    ]
    context = {"dataset": dataset, "trail": trail, **_list(request, rows, scope="dataset", links_all=False)}
    return render(request, "evaluation/dataset.html", context)


@require_GET
def rank(request: HttpRequest, name: str) -> HttpResponse:
    """How one version of a model stands among the public ones, by task and metric."""
    user = user_of(request)
    model = get_model(user, name)
    usable = list(
        visible_revisions(user).filter(model=model, status=RevisionStatus.VERIFIED).order_by("-created_at", "-id")[:200]
    )
    query = query_of(request.GET)
    revision = next((one for one in usable if one.version == query.version), None) or _newest_measured(usable)
    context = {
        **_head(request, model, "evaluation:rank", "Model rank percentile"),
        "query": query,
        "revisions": usable,
        "revision": revision,
        "averages": AVERAGES,
        "choices": {"label": _labels_of(model)},
        "rows": [
            (row, METRICS[row.metric], _bar(row.standing.percentile) if row.standing else "")
            for row in (rank_of(revision, average=query.average, label=query.label) if revision else ())
        ],
    }
    return render(request, "evaluation/rank.html", context)


def _newest_measured(usable: Sequence[Revision]) -> Revision | None:
    """The first of them that has a result; the first of all where none has."""
    measured = set(
        Evaluation.objects.filter(revision__in=[one.pk for one in usable], measured_at__isnull=False)
        .order_by()
        .values_list("revision", flat=True)
    )
    return next((one for one in usable if one.pk in measured), usable[0] if usable else None)


def board_context(user: User, board: Any) -> dict[str, Any]:
    """A leaderboard with its figures, and which models are the reader's own."""
    ends = [one for row in board.rows for one in (row.average, *(row.ends or ()))]
    span = span_of(ends)
    own = set(Model.objects.filter(owners=user).values_list("pk", flat=True))
    best = [max((row.values[place] or 0.0 for row in board.rows), default=None) for place in range(len(board.datasets))]
    return {
        "board": board,
        "board_span": span,
        "board_rows": [
            {
                "row": row,
                "figure": interval_figure(span, row.average, row.ends),
                "is_own": row.revision.model_id in own,
                "values": [
                    (dataset.name, value, value is not None and value == top)
                    for dataset, value, top in zip(board.datasets, row.values, best, strict=True)
                ],
            }
            for row in board.rows
        ],
    }


def details_link(row: Evaluation) -> str:
    """The details of a result that everybody sees; empty for a single one of a private version."""
    return details_url(row) if row.revision.publish_status == PublishStatus.PUBLIC else ""


def _labels_of(model: Model) -> list[str]:
    """Labels of the connected tasks that exclude each other."""
    tasks = model.connections.filter(task__label_type=LabelType.CATEGORICAL).order_by("task__name")
    return list(dict.fromkeys(label for labels in tasks.values_list("task__labels", flat=True) for label in labels))


def _bar(share: float) -> str:
    return f"{200 * share:.1f}"


def _head(request: HttpRequest, model: Model, tab: str, here: str) -> dict[str, Any]:
    return {
        "model": model,
        "trail": below_model(model.name, (here, "")),
        "tabs": MODEL_TABS.shown(tab, name=model.name),
        "may_change": may(user_of(request), "registry.change_model", model),
        **facts_context(request, model),
        "may_change_owners": False,  # they are managed on the first tab
    }


def _list(request: HttpRequest, rows: QuerySet[Evaluation], *, scope: str, links_all: bool) -> dict[str, Any]:
    query = query_of(request.GET)
    page = results_page(rows, query)
    is_narrowed = bool(query.task or query.dataset or query.version)
    return {
        "scope": scope,
        "query": query,
        "choices": choices_of(rows),
        "averages": AVERAGES,
        "metrics": METRICS,
        "metric_name": METRICS[query.metric],
        "average_name": _metric_words(query),
        "page_of_results": page,
        "previous_url": query.address(cursor=page.previous) if page.previous else "",
        "following_url": query.address(cursor=page.following) if page.following else "",
        "results": shown_results(page, scope=scope, links_all=links_all),
        "heads": [*(_head_of(query, key, name) for key, name in METRICS.items()), *_other_heads(query)],
        "columns": 11 + query.compares,
        "pins_max": PINS_MAX,
        "empty_title": "No result matches" if is_narrowed else "No result yet",
        "empty_text": "Choose another task, dataset or version." if is_narrowed else EMPTY[scope],
    }


def _metric_words(query: Query) -> str:
    """The metric by which the page compares, in words."""
    metric = METRICS[query.metric]
    if query.metric == "accuracy":
        return metric
    return f"{metric} of {query.label}" if query.label else f"{AVERAGES[query.average]} {metric}"


def _head_of(query: Query, key: str, name: str, look: str = "") -> dict[str, Any]:
    """The head of a column; it sorts the largest first, and turns the order round when it does already."""
    ascending, descending = query.sort == key, query.sort == f"-{key}"
    return {
        "name": name,
        "url": query.address(sort=key if descending else f"-{key}"),
        "sorted": "ascending" if ascending else "descending" if descending else "",
        "mark": "↑" if ascending else "↓" if descending else "",
        "is_metric": key in METRICS,
        "is_main": key == query.metric,
        "look": look,
    }


def _other_heads(query: Query) -> list[dict[str, Any]]:
    return [_head_of(query, "samples", "Samples", "num hide-m"), _head_of(query, "evaluated", "Evaluated")]
