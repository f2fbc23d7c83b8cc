from __future__ import annotations

from django.apps import AppConfig

from mop.ui.extensions import MODEL_TABS, TASK_SECTIONS, Tab
from mop.ui.navigation import NavEntry, register


class RegistryConfig(AppConfig):
    name = "mop.registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Put the area's pages into navigation and tabs, and its section under a task; say who is told of models."""
        from mop.notifications.scopes import SCOPES  # noqa: PLC0415 - models load after the app registry
        from mop.registry.sections import connected_models  # noqa: PLC0415 - as above
        from mop.registry.selectors import answered_for_models  # noqa: PLC0415 - as above
        from mop.registry.telling import MODEL_SCOPE  # noqa: PLC0415 - as above

        SCOPES[MODEL_SCOPE] = answered_for_models
        register(NavEntry("Models", "models", "registry:models", order=20, also=("/add-model/",)))
        MODEL_TABS.register(Tab("Model detail", "registry:model", order=10))
        TASK_SECTIONS.register(connected_models)
