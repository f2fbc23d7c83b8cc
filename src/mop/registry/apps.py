from __future__ import annotations

from django.db.models.signals import post_migrate

from mop.areas import config


class RegistryConfig(config.AreaConfig):
    name = "mop.registry"

    def ready(self) -> None:
        """Register the area, say who is told of models, and keep the search index through migrations."""
        super().ready()
        from mop.notifications.scopes import SCOPES, TEAMS  # noqa: PLC0415 - models load after the app registry
        from mop.registry.notices import MODEL_SCOPE  # noqa: PLC0415 - as above
        from mop.registry.search_index import ensure_search_index  # noqa: PLC0415 - as above
        from mop.registry.selectors import answered_for_models, team_of_model  # noqa: PLC0415 - as above

        SCOPES[MODEL_SCOPE] = answered_for_models
        TEAMS[MODEL_SCOPE] = team_of_model
        post_migrate.connect(ensure_search_index, sender=self)
