"""API of evaluations: results of versions, their runs, ranks and leaderboards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.listing import list_page
from mop.accounts.models import User
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.catalog.selectors import get_task
from mop.datasets.selectors import get_dataset
from mop.evaluation import services
from mop.evaluation.comparisons import comparison
from mop.evaluation.documents import (
    detail_out,
    evaluation_out,
    headline_out,
    leaderboard_out,
    rank_page,
    result_out,
    verification_out,
)
from mop.evaluation.exports import format_of, lines_of
from mop.evaluation.headline import choose_headline
from mop.evaluation.models import Evaluation
from mop.evaluation.ranking import leaderboard, rank_of
from mop.evaluation.reading import report_for
from mop.evaluation.schemas import (
    AverageName,
    EvaluationDetailOut,
    EvaluationOut,
    EvaluationPage,
    HeadlineIn,
    HeadlineOut,
    LeaderboardOut,
    MetricName,
    RankPage,
    VerificationOut,
    VerifyIn,
)
from mop.evaluation.standing import evaluations_of_model, get_evaluation, shown_to_everybody
from mop.evaluation.verifications import newest_verification, verify
from mop.registry.models import Revision
from mop.registry.selectors import get_revision

router = Router(tags=["evaluation"])
_REVISION = "/models/{name}/revisions/{version}"
_ONE = f"{_REVISION}/evaluations/{{path:task}}/{{dataset}}"
Merge = Annotated[
    list[str], Query(default_factory=list, max_length=20, description="labels that are put together: merge=a&merge=b")
]
Label = Annotated[str, Query(description="a label whose own metrics count instead of averages")]
With = Annotated[str | None, Query(alias="with", description="another version, to compare on the same rows")]


@router.get(f"{_REVISION}/evaluations", response=EvaluationPage)
def list_evaluations(
    request: HttpRequest,
    name: str,
    version: str,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EvaluationPage:
    """The evaluations of a version, by dataset. Everyone who sees the revision."""
    user = caller_of(request).user
    rows = _rows(user, get_revision(user, name, version))
    page = list_page(rows, field="dataset__name", descending=False, cursor=cursor, limit=limit)
    return EvaluationPage(tuple(evaluation_out(row) for row in page["items"]), page["next"])


@router.get(f"{_REVISION}/evaluations.{{kind}}")
def get_metrics(request: HttpRequest, name: str, version: str, kind: str) -> HttpResponse:
    """All metrics of a version, one line a number, as `csv`, `json` or `parquet`. Everyone who sees the revision."""
    user = caller_of(request).user
    revision = get_revision(user, name, version)
    found = format_of(kind)
    rows = _rows(user, revision).filter(measured_at__isnull=False).select_related("result")
    return HttpResponse(found.write(lines_of(rows)), content_type=found.media_type)


# before the address of an evaluation itself: names of tasks may hold slashes, so that it would match these too
@router.post(f"{_ONE}/cancel", response=EvaluationOut)
def post_cancel(request: HttpRequest, name: str, version: str, task: str, dataset: str) -> EvaluationOut:
    """End an evaluation that waits or runs; a result that stands stays. Owners only."""
    return _change(request, name, version, task, dataset, services.cancel)


@router.post(f"{_ONE}/rerun", response=EvaluationOut)
def post_rerun(request: HttpRequest, name: str, version: str, task: str, dataset: str) -> EvaluationOut:
    """Run an evaluation again; it counts as a measurement. Owners only."""
    return _change(request, name, version, task, dataset, services.rerun)


@router.post(f"{_ONE}/publish", response=EvaluationOut)
def post_publish(request: HttpRequest, name: str, version: str, task: str, dataset: str) -> EvaluationOut:
    """Show the single result of a private version on the pages of task and dataset. Owners only."""
    return _change(request, name, version, task, dataset, services.publish)


@router.post(f"{_ONE}/withdraw", response=EvaluationOut)
def post_withdraw(request: HttpRequest, name: str, version: str, task: str, dataset: str) -> EvaluationOut:
    """Show a published single result no longer. Owners only."""
    return _change(request, name, version, task, dataset, services.withdraw)


@router.post(f"{_ONE}/verify", response={202: VerificationOut})
def post_verify(
    request: HttpRequest, name: str, version: str, task: str, dataset: str, body: VerifyIn
) -> Status[VerificationOut]:
    """Let a worker host compute every number again with other code, and infer random rows anew. Administrators only."""
    caller, evaluation = _verifiable(request, name, version, task, dataset)
    return Status(202, verification_out(verify(actor=caller.actor, evaluation=evaluation, again=body.rows)))


@router.get(f"{_ONE}/verification", response=VerificationOut)
def get_verification(request: HttpRequest, name: str, version: str, task: str, dataset: str) -> VerificationOut:
    """The newest verification of a result: which number holds. Administrators only."""
    _, evaluation = _verifiable(request, name, version, task, dataset)
    return verification_out(newest_verification(evaluation))


@router.get(_ONE, response=EvaluationDetailOut)
def get_one_evaluation(
    request: HttpRequest, name: str, version: str, task: str, dataset: str, merge: Merge, other: With = None
) -> EvaluationDetailOut:
    """Matrix, metrics with 95 % intervals, curves and slices of one evaluation. Everyone who sees the revision."""
    user = caller_of(request).user
    row = get_evaluation(user, get_revision(user, name, version), task=task, dataset=dataset)
    report = report_for(row, merge) if row.is_measured else None
    if other is None:
        return detail_out(user, row, report)
    first = get_evaluation(user, get_revision(user, name, other), task=task, dataset=dataset)
    return detail_out(user, row, report, compared_with=other, comparison=comparison(first, row))


@router.get(f"{_REVISION}/rank", response=RankPage)
def get_rank(
    request: HttpRequest, name: str, version: str, average: AverageName = "macro", label: Label = ""
) -> RankPage:
    """The rank percentile of a version by task and metric; lower is better. Everyone who sees the revision."""
    revision = get_revision(caller_of(request).user, name, version)
    return rank_page(revision, average, label, rank_of(revision, average=average, label=label))


@router.get("/tasks/{path:task}/leaderboard", response=LeaderboardOut)
def get_leaderboard(
    request: HttpRequest, task: str, average: AverageName = "macro", metric: MetricName = "f1", label: Label = ""
) -> LeaderboardOut:
    """Public usable versions by the average of a metric over the task's approved datasets. Everyone signed in."""
    caller_of(request)
    return leaderboard_out(leaderboard(get_task(task), average=average, metric=metric, label=label), label)


@router.get("/datasets/{name}/evaluations", response=EvaluationPage)
def list_evaluations_of_dataset(
    request: HttpRequest,
    name: str,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EvaluationPage:
    """Results on a dataset, newest first: of public versions, and single ones that owners published."""
    caller_of(request)
    rows = shown_to_everybody().filter(dataset=get_dataset(name))
    page = list_page(rows, field="created_at", descending=True, cursor=cursor, limit=limit)
    return EvaluationPage(tuple(result_out(row) for row in page["items"]), page["next"])


@router.get("/tasks/{path:task}/headline-dataset", response=HeadlineOut)
def get_headline_dataset(request: HttpRequest, task: str) -> HeadlineOut:
    """The dataset whose number stands beside a version. Everyone signed in."""
    caller_of(request)
    return headline_out(get_task(task))


@router.put("/tasks/{path:task}/headline-dataset", response=HeadlineOut)
def put_headline_dataset(request: HttpRequest, task: str, body: HeadlineIn) -> HeadlineOut:
    """Choose it among the approved datasets, or leave it to the largest of them. Owners of the task."""
    caller = caller_of(request)
    found = get_task(task)
    authorise(caller.user, "evaluation.choose_headline", found, what="choose the headline dataset of this task")
    with named_in("dataset"):
        dataset = None if body.dataset is None else get_dataset(body.dataset)
    choose_headline(actor=caller.actor, task=found, dataset=dataset)
    return headline_out(found)


def _rows(user: User, revision: Revision) -> Any:
    return evaluations_of_model(user, revision.model).filter(revision=revision).order_by("dataset__name", "pk")


def _verifiable(request: HttpRequest, name: str, version: str, task: str, dataset: str) -> tuple[Caller, Evaluation]:
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    evaluation = get_evaluation(caller.user, revision, task=task, dataset=dataset)
    authorise(caller.user, "evaluation.verify", revision, what="verify results")
    return caller, evaluation


def _change(
    request: HttpRequest, name: str, version: str, task: str, dataset: str, act: Callable[..., Evaluation]
) -> EvaluationOut:
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    evaluation = get_evaluation(caller.user, revision, task=task, dataset=dataset)
    authorise(caller.user, "evaluation.change", revision, what="change the evaluations of this version")
    act(actor=caller.actor, evaluation=evaluation)
    return evaluation_out(get_evaluation(caller.user, revision, task=task, dataset=dataset))
