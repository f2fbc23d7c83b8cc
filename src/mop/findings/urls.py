"""Addresses of findings and waivers."""

from __future__ import annotations

from django.urls import path

from mop.findings import views

app_name = "findings"
_REVISION = "models/<str:name>/versions/<str:version>"
urlpatterns = [
    path(f"{_REVISION}/findings/", views.findings, name="findings"),
    path(f"{_REVISION}/findings/files/", views.files, name="files"),
    path(f"live/{_REVISION}/findings/", views.live_findings, name="live_findings"),
    path(f"live/{_REVISION}/findings/files/", views.live_files, name="live_files"),
    path(f"{_REVISION}/findings/download/<str:kind>/", views.download, name="download"),
    path(f"{_REVISION}/rescan/", views.rescan, name="rescan"),
    path("models/<str:name>/waivers/", views.waivers, name="waivers"),
    path("models/<str:name>/waivers/add/", views.add_waiver, name="add_waiver"),
    path("models/<str:name>/waivers/<int:waiver_id>/end/", views.end, name="end_waiver"),
]
