from __future__ import annotations

from mop.areas import config


class OnboardingConfig(config.AreaConfig):
    name = "mop.onboarding"
