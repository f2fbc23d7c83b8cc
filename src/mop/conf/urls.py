"""Every address of the portal and the API: Django's own administration, and what the areas declare."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from mop.areas.registry import registered

urlpatterns = [
    path("admin/", admin.site.urls),
    *(path(urls.prefix, include(urls.module)) for area in registered() for urls in area.urls),
]

handler500 = "mop.conf.server_errors.server_error"
