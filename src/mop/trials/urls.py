"""Addresses of Try it, below those of the version."""

from __future__ import annotations

from django.urls import path

from mop.trials import views

_TRY = "models/<str:name>/versions/<str:version>/try/"

app_name = "trials"
urlpatterns = [
    path(_TRY, views.try_it, name="try_it"),
    path(f"{_TRY}<uuid:try_id>/", views.trial, name="trial"),
    path(f"live/{_TRY}<uuid:try_id>/", views.live_trial, name="live_trial"),
    path(f"{_TRY}<uuid:try_id>/cancel/", views.cancel, name="cancel"),
]
