"""Addresses of evaluations: lists below model, task and dataset, details below a version."""

from __future__ import annotations

from django.urls import path

from mop.evaluation.views import changes, details, downloads, headline, results

_EVALUATION = "models/<str:name>/versions/<str:version>/evaluations/<int:task_id>/<str:dataset>/"

app_name = "evaluation"
urlpatterns = [
    path("models/<str:name>/evaluation/", results.of_model, name="model"),
    path("models/<str:name>/evaluation/download/<str:kind>/", downloads.of_model, name="download"),
    path("models/<str:name>/rank/", results.rank, name="rank"),
    path("tasks/<int:task_id>/results/", results.of_task, name="task"),
    path("datasets/<str:name>/results/", results.of_dataset, name="dataset"),
    path("tasks/<int:task_id>/headline/", headline.choose, name="headline"),
    path(_EVALUATION, details.details, name="details"),
    path(f"live/{_EVALUATION}", details.live_details, name="live_details"),
    path(f"{_EVALUATION}download/<str:kind>/", downloads.of_evaluation, name="download_one"),
    *(path(f"{_EVALUATION}{what}/", changes.change, {"what": what}, name=what) for what in changes.CHANGES),
]
