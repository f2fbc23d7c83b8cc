"""What evaluations show on the pages of models, tasks and datasets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.datasets.models import Dataset
from mop.evaluation.beside_versions import Headline, headlines_of, headlines_of_usable
from mop.evaluation.headline import headline_dataset
from mop.evaluation.ranking import leaderboard
from mop.evaluation.reports.names import AVERAGES, METRICS
from mop.evaluation.standing import by_metric, shown_to_everybody
from mop.evaluation.views.results import board_context, details_link
from mop.registry.listing import ListedModel, listed_model
from mop.registry.models import Model, Revision
from mop.registry.selectors import visible_revisions
from mop.registry.statuses import RevisionStatus
from mop.ui.extensions import Cells, Column, Fact, Tab

RESULTS_TAB = Tab("Evaluation by datasets", "evaluation:model", order=20)
RANK_TAB = Tab("Model rank percentile", "evaluation:rank", order=40)
TOP_RESULTS = 10
LOOKED_AT = 10
FACTS_MAX = 2


def _facts(user: User, model: Model, found: Iterable[Sequence[Headline]]) -> list[Fact]:
    """The newest number on the headline dataset of each task, in the head of the model's page."""
    measured = [
        one
        for ones in found
        for one in ones
        if one.evaluation.is_measured and one.evaluation.revision.status == RevisionStatus.VERIFIED
    ]
    measured.sort(key=lambda one: (one.evaluation.revision.created_at, one.evaluation.revision_id), reverse=True)
    shown: dict[int, Headline] = {}
    for one in measured:
        shown.setdefault(one.evaluation.task_id, one)
    newest = listed_model(user, model).usable_version
    return [
        Fact(
            f"{one.name}, {one.evaluation.dataset.name}",
            render_to_string(
                "evaluation/components/headline_fact.html",
                {
                    "one": one,
                    "revision": one.evaluation.revision,
                    "is_older": one.evaluation.revision.version != newest,
                },
            ),
        )
        for one in list(shown.values())[:FACTS_MAX]
    ]


def _cells(request: HttpRequest, revisions: Sequence[Revision], model: Model | None) -> Cells:
    user = user_of(request)
    seen = visible_revisions(user)
    usable = seen.filter(model=model, status=RevisionStatus.VERIFIED).order_by("-created_at", "-id")
    found = headlines_of(revisions, also=usable[:LOOKED_AT] if model else None, seen=seen)
    return Cells(
        html={row.pk: _cell(found.get(row.pk, ())) for row in revisions},
        state=[[_state(one) for one in found.get(row.pk, ())] for row in revisions],
        is_live=any(not one.evaluation.get_state().is_final for row in revisions for one in found.get(row.pk, ())),
        facts=_facts(user, model, found.values()) if model else (),
    )


def _cell(ones: Sequence[Headline]) -> SafeString:
    return render_to_string("evaluation/components/headline_cell.html", {"ones": ones})


def _state(one: Headline) -> list[Any]:
    row = one.evaluation
    return [row.pk, row.state, row.progress, row.headline, row.is_stale, one.change is None]


COLUMN = Column("Macro F1", _cells, yields=True)


def _listed_cells(_request: HttpRequest, rows: Sequence[ListedModel], _of: None) -> Cells:
    found = headlines_of_usable(rows)
    cell = "evaluation/components/listed_cell.html"
    return Cells(
        html={row.pk: render_to_string(cell, {"ones": found.get(row.pk, ())}) for row in rows},
        state=[[_state(one) for one in found.get(row.pk, ())] for row in rows],
        is_live=False,  # the list is no place to watch a run
    )


LIST_COLUMN = Column("Macro F1", _listed_cells)


def task_leaderboard(request: HttpRequest, task: Task) -> SafeString:
    """The leaderboard of a task."""
    board = leaderboard(task, average="macro", metric="f1")
    context = {
        **board_context(user_of(request), board),
        "task": task,
        "headline_dataset": headline_dataset(task),
        "may_choose_headline": may(user_of(request), "evaluation.choose_headline", task),
        "board_words": f"{AVERAGES['macro']} {METRICS['f1']}",
    }
    return render_to_string("evaluation/components/task_section.html", context, request=request)


def dataset_results(request: HttpRequest, dataset: Dataset) -> SafeString:
    """The best results on a dataset that everybody sees."""
    rows = shown_to_everybody().filter(dataset=dataset).order_by(by_metric("headline", descending=True), "pk")
    shown = list(rows[: TOP_RESULTS + 1])
    context = {
        "dataset": dataset,
        "rows": [(row, details_link(row)) for row in shown[:TOP_RESULTS]],
        "has_more": len(shown) > TOP_RESULTS,
    }
    return render_to_string("evaluation/components/dataset_section.html", context, request=request)
