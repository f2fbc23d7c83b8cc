"""Addresses of regression tests: the tab of a model, and what is done with a version's test."""

from __future__ import annotations

from django.urls import path

from mop.regression.views import changes, result

_ONE = "models/<str:name>/versions/<str:version>/regression/"

app_name = "regression"
urlpatterns = [
    path("models/<str:name>/regression/", result.of_model, name="model"),
    path("live/models/<str:name>/regression/", result.live, name="live"),
    path(f"{_ONE}csv/", result.download, name="download"),
    path(f"{_ONE}run/", changes.run, name="run"),
    path(f"{_ONE}cancel/", changes.cancel, name="cancel"),
    path(f"{_ONE}fixed/", changes.settle, {"to": "fixed"}, name="fixed"),
    path(f"{_ONE}closed/", changes.settle, {"to": "closed"}, name="closed"),
]
