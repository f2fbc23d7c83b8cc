"""Addresses of a service's gateway."""

from __future__ import annotations

from django.urls import path

from mop.gateway import views

app_name = "gateway"
_GATEWAY = "services/<str:service>/gateway"
urlpatterns = [
    path(f"{_GATEWAY}/keys/<int:number>/rotate/", views.rotate, name="rotate_key"),
    path(f"{_GATEWAY}/containers/add/", views.add, name="add_container"),
    path(f"{_GATEWAY}/containers/<int:container>/remove/", views.remove, name="remove_container"),
]
