"""Every address of the portal and the API."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("mop.accounts.sign_in_urls")),
    path("admin/", admin.site.urls),
    path("api/", include("mop.api.urls")),
    path("", include("mop.ui.urls")),
    path("", include("mop.accounts.urls")),
    path("", include("mop.notifications.urls")),
    path("", include("mop.catalog.urls")),
    path("", include("mop.registry.urls")),
    path("", include("mop.findings.urls")),
    path("", include("mop.onboarding.urls")),
    path("", include("mop.loadtest.urls")),
]
