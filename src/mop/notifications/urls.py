"""Addresses of notifications."""

from __future__ import annotations

from django.urls import path

from mop.notifications import views, webhook_views

app_name = "notifications"
urlpatterns = [
    path("notifications/", views.notifications, name="list"),
    path("notifications/read/", views.read_all, name="read_all"),
    path("notifications/<int:notification_id>/read/", views.read, name="read"),
    path("notifications/settings/", views.preferences, name="preferences"),
    path("notifications/alerts/<int:alert_id>/close/", views.close, name="close_alert"),
    path("live/notifications/", views.live_bell, name="live_bell"),
    path("notifications/webhooks/", webhook_views.webhooks, name="webhooks"),
    path("notifications/webhooks/new/", webhook_views.add, name="add_webhook"),
    path("notifications/webhooks/<int:webhook_id>/", webhook_views.webhook, name="webhook"),
    path("notifications/webhooks/<int:webhook_id>/edit/", webhook_views.edit, name="edit_webhook"),
    path("notifications/webhooks/<int:webhook_id>/rotate/", webhook_views.rotate, name="rotate_webhook"),
    path("notifications/webhooks/<int:webhook_id>/test/", webhook_views.test, name="test_webhook"),
    path("notifications/webhooks/<int:webhook_id>/enable/", webhook_views.enable, name="enable_webhook"),
    path(
        "notifications/webhooks/<int:webhook_id>/replay/<int:delivery_id>/",
        webhook_views.replay_one,
        name="replay_delivery",
    ),
    path("notifications/webhooks/<int:webhook_id>/delete/", webhook_views.delete, name="delete_webhook"),
]
