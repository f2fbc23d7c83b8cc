from __future__ import annotations

from django.urls import path

from areas.greetings import views

app_name = "greetings"
urlpatterns = [path("greetings/", views.greetings, name="greetings")]
