"""Addresses of load tests, below those of their revision."""

from __future__ import annotations

from django.urls import path

from mop.loadtest import views

_VERSION = "models/<str:name>/versions/<str:version>/load-test/"

app_name = "loadtest"
urlpatterns = [
    path(_VERSION, views.result, name="result"),
    path(f"live/{_VERSION}", views.live_results, name="live_results"),
    path(f"live/{_VERSION}now/", views.live_now, name="live_now"),
    path(f"{_VERSION}enable/", views.enable, name="enable"),
    path(f"{_VERSION}cancel/", views.cancel, name="cancel"),
    path(f"{_VERSION}download/<str:kind>/", views.download, name="download"),
]
