from __future__ import annotations

from mop.areas import config


class RegistryConfig(config.AreaConfig):
    name = "mop.registry"

    def ready(self) -> None:
        """Register the area, and say who is told of models."""
        super().ready()
        from mop.notifications.scopes import SCOPES  # noqa: PLC0415 - models load after the app registry
        from mop.registry.notices import MODEL_SCOPE  # noqa: PLC0415 - as above
        from mop.registry.selectors import answered_for_models  # noqa: PLC0415 - as above

        SCOPES[MODEL_SCOPE] = answered_for_models
