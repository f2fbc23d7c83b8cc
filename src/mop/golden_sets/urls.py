"""Addresses of golden sets: below tasks what they are, below versions how they came out."""

from __future__ import annotations

from django.urls import path

from mop.golden_sets import views

_SET = "tasks/<int:task_id>/golden-sets/<str:name>/"
_RESULTS = "models/<str:name>/versions/<str:version>/golden-sets/"

app_name = "golden_sets"
urlpatterns = [
    path("tasks/<int:task_id>/add-golden-set/", views.add, name="add"),
    path(_SET, views.golden_set, name="golden_set"),
    path(f"{_SET}versions/<int:number>/", views.rows, name="rows"),
    path(f"{_SET}upload/", views.upload, name="upload"),
    path(f"{_SET}delete/", views.delete, name="delete"),
    path(_RESULTS, views.results, name="results"),
    path(f"live/{_RESULTS}", views.live_results, name="live_results"),
    path(f"{_RESULTS}run/", views.run, name="run"),
]
