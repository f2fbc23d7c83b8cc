from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from mop.ui.navigation import NavEntry, NavGroup, register


class CatalogConfig(AppConfig):
    name = "mop.catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Seed the defaults whenever the tables were migrated; put the area's pages into the navigation."""
        post_migrate.connect(_seed, sender=self)
        register(NavEntry("Tasks", "tasks", "catalog:tasks", order=30))
        for order, (label, icon, url_name) in enumerate(
            (
                ("Taxonomies", "taxonomies", "catalog:taxonomies"),
                ("Instance types", "machines", "catalog:instance_types"),
            ),
            start=20,
        ):
            register(
                NavEntry(label, icon, url_name, order=order, group=NavGroup.ADMINISTRATION, permission="catalog.define")
            )


def _seed(**_kwargs: Any) -> None:
    from mop.catalog.services import seed_defaults  # noqa: PLC0415 - models load after the app registry

    seed_defaults()
