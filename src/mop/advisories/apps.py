from __future__ import annotations

from django.apps import AppConfig


class AdvisoriesConfig(AppConfig):
    name = "mop.advisories"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "advisories"
