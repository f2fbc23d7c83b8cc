"""Addresses of source prefixes."""

from __future__ import annotations

from django.urls import path

from mop.sources import views

app_name = "sources"
urlpatterns = [
    path("source-prefixes/", views.prefixes, name="prefixes"),
    path("source-prefixes/<int:prefix_id>/remove/", views.remove, name="remove"),
]
