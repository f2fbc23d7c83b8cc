"""Addresses of Home and Analysis."""

from __future__ import annotations

from django.urls import path

from mop.insights import views

app_name = "insights"
urlpatterns = [
    path("home/", views.home, name="home"),
    path("analysis/", views.analysis, name="analysis"),
    path("analysis/weeks.csv", views.analysis_weeks, name="analysis_weeks"),
    path("live/home/", views.live_home, name="live_home"),
]
