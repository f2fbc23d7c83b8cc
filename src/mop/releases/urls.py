"""Addresses of downstream services and gates."""

from __future__ import annotations

from django.urls import path

from mop.releases import views

app_name = "releases"
urlpatterns = [
    path("services/", views.services_page, name="services"),
    path("add-service/", views.add_service, name="add_service"),
    path("services/<str:service>/", views.service_page, name="service"),
    path("services/<str:service>/edit/", views.edit_service, name="edit_service"),
    path("services/<str:service>/conditions/", views.service_conditions, name="service_conditions"),
    path("tasks/<int:task_id>/conditions/", views.task_conditions, name="task_conditions"),
    path("models/<str:name>/versions/<str:version>/gates/", views.gates, name="gates"),
]
