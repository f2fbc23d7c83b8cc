from __future__ import annotations

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "mop.onboarding"
    default_auto_field = "django.db.models.BigAutoField"
