"""Addresses of the audit log."""

from __future__ import annotations

from django.urls import path

from mop.history import views

app_name = "history"
urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("history/<str:kind>/<int:object_id>/", views.of_object, name="of_object"),
]
