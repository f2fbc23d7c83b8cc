"""Addresses of notifications."""

from __future__ import annotations

from django.urls import path

from mop.notifications import views

app_name = "notifications"
urlpatterns = [
    path("notifications/", views.notifications, name="list"),
    path("notifications/read/", views.read_all, name="read_all"),
    path("notifications/<int:notification_id>/read/", views.read, name="read"),
    path("notifications/settings/", views.preferences, name="preferences"),
    path("notifications/alerts/<int:alert_id>/close/", views.close, name="close_alert"),
    path("live/notifications/", views.live_bell, name="live_bell"),
]
