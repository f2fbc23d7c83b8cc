"""Addresses of the help."""

from __future__ import annotations

from django.urls import path

from mop.help import views

app_name = "help"
urlpatterns = [
    path("", views.index, name="index"),
    path("api/", views.api_reference, name="api"),
    path("<slug:name>/", views.guide, name="guide"),
]
