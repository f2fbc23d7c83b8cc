"""Addresses of the portal that belong to no area."""

from __future__ import annotations

from django.urls import path

from mop.ui import health, views

app_name = "ui"
urlpatterns = [
    path("", views.home, name="home"),
    path("theme/", views.set_theme, name="theme"),
    path("search/", views.search, name="search"),
    path("errors/", views.errors, name="errors"),
    path("health", health.health, name="health"),
    path("ready", health.ready, name="ready"),
]
