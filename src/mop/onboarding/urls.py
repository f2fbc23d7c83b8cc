"""Addresses of logs."""

from __future__ import annotations

from django.urls import path

from mop.onboarding import views

app_name = "onboarding"
urlpatterns = [
    path("models/<str:name>/versions/<str:version>/logs/<str:kind>/", views.log, name="log"),
    path("live/models/<str:name>/versions/<str:version>/logs/<str:kind>/", views.tail, name="tail"),
    path("live/models/<str:name>/versions/<str:version>/log-card/", views.live_card, name="live_card"),
    path("models/<str:name>/versions/<str:version>/logs/<str:kind>/download/", views.download, name="download"),
]
