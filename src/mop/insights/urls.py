"""Addresses of Home."""

from __future__ import annotations

from django.urls import path

from mop.insights import views

app_name = "insights"
urlpatterns = [
    path("home/", views.home, name="home"),
    path("live/home/", views.live_home, name="live_home"),
]
