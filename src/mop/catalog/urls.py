"""Addresses of tasks, taxonomies and instance types."""

from __future__ import annotations

from django.urls import path

from mop.catalog import views

app_name = "catalog"
urlpatterns = [
    path("tasks/", views.tasks, name="tasks"),
    path("tasks/add/", views.add_task, name="add_task"),
    path("tasks/<int:task_id>/", views.task, name="task"),
    path("tasks/<int:task_id>/change/", views.change, name="change_task"),
    path("taxonomies/<int:taxonomy_id>/change/", views.change_description, name="change_taxonomy"),
    path("instance-types/<int:type_id>/offer/", views.offer, name="offer_instance_type"),
    path("taxonomies/", views.taxonomies, name="taxonomies"),
    path("instance-types/", views.instance_types, name="instance_types"),
]
