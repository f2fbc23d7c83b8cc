"""Addresses of model cards."""

from __future__ import annotations

from django.urls import path

from mop.releases.cards import views

app_name = "cards"
urlpatterns = [
    path("models/<str:name>/versions/<str:version>/card/", views.card, name="card"),
    path("models/<str:name>/versions/<str:version>/card/download/<str:kind>/", views.download, name="download"),
]
