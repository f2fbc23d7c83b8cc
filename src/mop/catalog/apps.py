from __future__ import annotations

from typing import Any

from django.db.models.signals import post_migrate

from mop.areas import config


class CatalogConfig(config.AreaConfig):
    name = "mop.catalog"

    def ready(self) -> None:
        """Register the area, and seed the defaults whenever the tables were migrated."""
        super().ready()
        post_migrate.connect(_seed, sender=self)


def _seed(**_kwargs: Any) -> None:
    from mop.catalog.services import seed_defaults  # noqa: PLC0415 - models load after the app registry

    seed_defaults()
