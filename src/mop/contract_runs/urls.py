"""Addresses of connected tasks, samples and contract runs."""

from __future__ import annotations

from django.urls import path

from mop.contract_runs import views

_VERSION = "models/<str:name>/versions/<str:version>/"

app_name = "contract_runs"
urlpatterns = [
    path("live/models/<str:name>/tasks/", views.live_tasks, name="live_tasks"),
    path("models/<str:name>/tasks/add/", views.add, name="add_task"),
    path("models/<str:name>/tasks/<int:task_id>/disconnect/", views.disconnect, name="disconnect_task"),
    path(f"{_VERSION}tasks/<int:task_id>/check/", views.check, name="check_task"),
    path(f"{_VERSION}sample/", views.sample, name="sample"),
    path(f"{_VERSION}contract-runs/<uuid:run_id>/cancel/", views.cancel, name="cancel"),
]
