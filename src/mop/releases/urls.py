"""Addresses of downstream services, gates and releases."""

from __future__ import annotations

from django.urls import path

from mop.releases import views
from mop.releases.requests import action_views as actions
from mop.releases.requests import secret_views as secrets
from mop.releases.requests import views as requests

app_name = "releases"
urlpatterns = [
    path("services/", views.services_page, name="services"),
    path("add-service/", views.add_service, name="add_service"),
    path("services/<str:service>/", views.service_page, name="service"),
    path("services/<str:service>/edit/", views.edit_service, name="edit_service"),
    path("services/<str:service>/conditions/", views.service_conditions, name="service_conditions"),
    path("tasks/<int:task_id>/conditions/", views.task_conditions, name="task_conditions"),
    path("models/<str:name>/versions/<str:version>/gates/", views.gates, name="gates"),
    path("models/<str:name>/versions/<str:version>/release/", actions.offer, name="offer"),
    path("releases/", requests.releases_page, name="releases"),
    path("releases/compare/", requests.compare_page, name="compare"),
    path("releases/<int:number>/", requests.release_page, name="release"),
    path("releases/<int:number>/approve/", actions.approve, name="approve"),
    path("releases/<int:number>/reject/", actions.reject, name="reject"),
    path("releases/<int:number>/withdraw/", actions.withdraw, name="withdraw"),
    path("releases/<int:number>/released/", actions.released, name="released"),
    path("releases/<int:number>/retire/", actions.retire, name="retire"),
    path("releases/<int:number>/rollback/", actions.rollback, name="rollback"),
    path("releases/<int:number>/canary/", actions.canary, name="canary"),
    path("releases/<int:number>/canary/end/", actions.end, name="end_canary"),
    path("services/<str:service>/tokens/add/", secrets.add_token, name="add_token"),
    path("services/<str:service>/tokens/<int:number>/revoke/", secrets.revoke_token, name="revoke_token"),
    path("services/<str:service>/webhooks/add/", secrets.add_webhook, name="add_webhook"),
    path("services/<str:service>/webhooks/<int:number>/remove/", secrets.remove_webhook, name="remove_webhook"),
]
